// The REST API's description in ReDoc, to read.
import { init } from "redoc/bundles/redoc.standalone.js";
import "./docs.css";

init("/api/openapi.json", { scrollYOffset: 0, theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } } }, document.getElementById("docs"));
