// Bundles the playground and the REST API's documents: `node build.mjs OUT_DIR`. Three Monaco workers first, then the
// playground's script, which is told their hashed names; then Swagger UI and ReDoc. Writes the pages and their assets; the
// server's build script gzips and embeds them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";

const out = process.argv[2] ?? "dist";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = {
  bundle: true,
  minify: true,
  metafile: true,
  outdir: out,
  target: ["es2022"],
  legalComments: "none",
  logLevel: "warning",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file", ".svg": "dataurl" },
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  publicPath: "/assets",
};

/** The built file of each entry point, by the entry's path. */
function outputs(result) {
  const built = Object.entries(result.metafile.outputs).filter(([, o]) => o.entryPoint);
  return new Map(built.map(([file, o]) => [o.entryPoint, { script: basename(file), style: o.cssBundle && basename(o.cssBundle) }]));
}

const entries = {
  editor: "node_modules/monaco-editor/esm/vs/editor/editor.worker.js",
  json: "node_modules/monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "node_modules/monaco-graphql/esm/graphql.worker.js",
};
const workers = outputs(await esbuild.build({
  ...common,
  format: "iife",
  entryPoints: Object.entries(entries).map(([name, path]) => ({ in: path, out: `${name}.worker` })),
}));
const names = Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, `/assets/${workers.get(path).script}`]));

const app = outputs(await esbuild.build({
  ...common,
  format: "esm",
  jsx: "automatic",
  entryPoints: [{ in: "src/main.jsx", out: "playground" }],
  define: { ...common.define, WORKERS: JSON.stringify(names) },
})).get("src/main.jsx");

/** Shows nothing: ReDoc would fetch its maker's logo from its maker's server. */
const nothing = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
const logo = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const selfContained = {
  name: "self-contained",
  setup(build) {
    build.onLoad({ filter: /redoc\.standalone\.js$/ }, ({ path }) => {
      const script = readFileSync(path, "utf8");
      if (!script.includes(logo)) throw new Error("ReDoc has changed: look for what it loads from elsewhere");
      // It names an optional module of Node.js that no browser has.
      return { contents: script.replaceAll(logo, nothing).replaceAll('require("null")', "undefined"), loader: "js" };
    });
  },
};

const docs = outputs(await esbuild.build({
  ...common,
  format: "esm",
  entryPoints: [{ in: "src/swagger.js", out: "swagger" }, { in: "src/redoc.js", out: "redoc" }],
  plugins: [selfContained],
}));
const icon = readFileSync("src/index.html", "utf8").match(/<link rel="icon".*>/)[0];
for (const [name, title] of [["swagger", "Sessiongraph: try the REST API"], ["redoc", "Sessiongraph: the REST API"]]) {
  const { script, style } = docs.get(`src/${name}.js`);
  const page = readFileSync("src/docs.html", "utf8")
    .replace("{{title}}", title)
    .replace("{{icon}}", () => icon)
    .replace("{{script}}", `/assets/${script}`)
    .replace("{{style}}", `/assets/${style}`);
  writeFileSync(join(out, `${name}.html`), page);
}

const page = readFileSync("src/index.html", "utf8")
  .replace("{{script}}", `/assets/${app.script}`)
  .replace("{{style}}", `/assets/${app.style}`);
writeFileSync(join(out, "index.html"), page);
