// The REST API's description in Swagger UI, which tries requests against this server.
import SwaggerUI from "swagger-ui-dist/swagger-ui-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

SwaggerUI({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // Would ask a server of Swagger's own.
  validatorUrl: null,
  // A key stays in this page.
  persistAuthorization: false,
});
