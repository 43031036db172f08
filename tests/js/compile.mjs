// The compilers of clients over the schema: `node compile.mjs SCHEMA OPERATIONS RELAY OUT`. OPERATIONS is a folder of .graphql
// files, RELAY one of Relay's sources. Whatever complains fails. Leaves in OUT the manifests that they wrote: relay.json and
// codegen.json.
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { generate } from "@graphql-codegen/cli";

const [schemaFile, operations, relay, out] = process.argv.slice(2).map((path) => resolve(path));
const bin = (name) => resolve("node_modules/.bin", name);

const run = (what, command, args, cwd) => {
  const ran = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (ran.error || ran.status !== 0) throw new Error(`${what}: ${ran.error ?? ran.status}\n${ran.stdout}\n${ran.stderr}`);
  return ran.stdout;
};

// Relay: fragments, pages, a refetch, mutations that change the store.
const project = join(out, "relay");
mkdirSync(join(project, "made"), { recursive: true });
cpSync(relay, join(project, "src"), { recursive: true });
copyFileSync(schemaFile, join(project, "schema.graphql"));
writeFileSync(join(project, "relay.json"), "{}");
const customScalarTypes = { BigInt: "number", DateTime: "string", Decimal: "string", JSON: "unknown" };
writeFileSync(
  join(project, "relay.config.json"),
  JSON.stringify({
    src: "./src",
    schema: "./schema.graphql",
    artifactDirectory: "./made",
    language: "typescript",
    customScalarTypes,
    persistConfig: { file: "./relay.json", algorithm: "SHA256" },
  }),
);
console.log(run("relay-compiler", bin("relay-compiler"), ["relay.config.json"], project).trim());
const persisted = JSON.parse(readFileSync(join(project, "relay.json"), "utf8"));
if (Object.keys(persisted).length < 5) throw new Error("relay-compiler persisted too little");
writeFileSync(join(out, "relay.json"), JSON.stringify(persisted));
if (readdirSync(join(project, "made")).length < 7) throw new Error("relay-compiler wrote too little");

// graphql-codegen: types of everything, typed documents, and the persisted documents of its preset for clients.
const types = join(out, "types");
const config = { strictScalars: true, scalars: { BigInt: "number", DateTime: "string", Decimal: "string", JSON: "unknown" } };
await generate(
  {
    schema: schemaFile,
    documents: join(operations, "*.graphql"),
    silent: true,
    generates: {
      [join(types, "schema.ts")]: { plugins: ["typescript"], config },
      [join(types, "made.ts")]: { plugins: ["typescript-operations", "typed-document-node"], config },
      [`${join(out, "client")}/`]: {
        preset: "client",
        presetConfig: { persistedDocuments: { hashAlgorithm: "sha256", mode: "embedHashInDocument" }, fragmentMasking: false },
        config,
      },
    },
  },
  true,
);
copyFileSync(join(out, "client", "persisted-documents.json"), join(out, "codegen.json"));

// What was made is TypeScript, and its types are those of the documents.
writeFileSync(
  join(types, "use.ts"),
  `import type { LatestSessionsQuery, RenameSessionMutationVariables } from "./made";
const name = (data: LatestSessionsQuery): string | undefined => data.sessions.edges[0]?.node.name;
const title = (data: LatestSessionsQuery): string | null | undefined => data.sessions.edges[0]?.node.userTitle;
const input: RenameSessionMutationVariables = { input: { id: "1", userTitle: "a" } };
// @ts-expect-error a session's name is text
const wrong: number = name({} as LatestSessionsQuery);
export { name, title, input, wrong };
`,
);
writeFileSync(
  join(types, "tsconfig.json"),
  JSON.stringify({
    compilerOptions: {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: "esnext",
      target: "es2022",
      moduleResolution: "bundler",
      types: [],
      paths: { "@graphql-typed-document-node/core": [resolve("node_modules/@graphql-typed-document-node/core")], graphql: [resolve("node_modules/graphql")] },
    },
    files: ["use.ts", "made.ts", "schema.ts"],
  }),
);
run("tsc", bin("tsc"), ["--project", types], types);
console.log("compiled");
