// Bundles the playground: `node build.mjs OUT_DIR`. Three Monaco workers first, then the page's script, which is told
// their hashed names. Writes index.html and assets; the server's build script gzips and embeds them.
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

const page = readFileSync("src/index.html", "utf8")
  .replace("{{script}}", `/assets/${app.script}`)
  .replace("{{style}}", `/assets/${app.style}`);
writeFileSync(join(out, "index.html"), page);
