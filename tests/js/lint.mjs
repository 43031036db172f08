// Linters over the schema and the documents: `node lint.mjs SCHEMA DOCUMENTS…`. DOCUMENTS are files of operations. Prints what a
// linter complains of; rules that are not ours stand in RULES, each with its reason.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import graphqlEslint from "@graphql-eslint/eslint-plugin";
import { ESLint } from "eslint";
import { examples } from "../../crates/sg-server/ui/src/examples.js";

const [schemaFile, ...documentFiles] = process.argv.slice(2);
const plugin = graphqlEslint.default ?? graphqlEslint;

// What is switched off or set, in one place. Everything else holds, also for types that come later.
const RULES = {
  schemaLinter: {
    except: {
      "type-fields-sorted-alphabetically": "fields stand in the order in which people look for them",
      "input-object-fields-sorted-alphabetically": "the same",
      "enum-values-sorted-alphabetically": "values stand in the order of what they mean",
    },
  },
  schema: {
    // What is only a part of something else, such as a count or a range, has no id: it is never fetched or cached alone.
    "@graphql-eslint/strict-id-in-types": "off",
    // One line where a description fits on one, else a block.
    "@graphql-eslint/description-style": "off",
  },
  // What a rule cannot be told to leave alone, by what it says. One that is no longer said must go from here.
  accepted: {
    "relay-connection-types: Connection type must have `Connection` suffix.": ["SearchResult", "its name is that of SpecStory's clients; it is a connection beside that"],
    'no-typename-prefix: Field "sessionData" starts with the name of the parent type "Session"': [null, "the name that SpecStory's clients and its REST API know"],
    'no-typename-prefix: Field "sessionDataSize" starts with the name of the parent type "Session"': [null, "the same"],
  },
  relay: {
    // Hits are no nodes, and SpecStory's clients know lists of what they want (`items`, `sessions`) beside those of edges.
    "@graphql-eslint/relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
    // One direction is enough where nobody reads a list from its other end.
    "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
  },
  operations: {
    // Both ask for what a page shows, and are as deep as that is.
    "@graphql-eslint/selection-set-depth": ["error", { maxDepth: 10 }],
    // A rule for caches: documents that people read leave out ids on purpose.
    "@graphql-eslint/require-selections": "off",
  },
};

const folder = mkdtempSync(join(tmpdir(), "sg-lint-"));
const complaints = [];
const unsaid = new Set(Object.keys(RULES.accepted));

const lint = async (what, files, rules) => {
  const eslint = new ESLint({
    cwd: folder,
    overrideConfigFile: true,
    overrideConfig: [
      {
        files: ["**/*.graphql"],
        languageOptions: {
          parser: plugin.parser,
          // One for all: the plugin keeps the first that it is given.
          parserOptions: { graphQLConfig: { schema: join(folder, "schema.graphql"), documents: join(folder, "operations/*.graphql") } },
        },
        plugins: { "@graphql-eslint": plugin },
        rules,
      },
    ],
  });
  for (const result of await eslint.lintFiles(files)) {
    for (const { line, column, ruleId, message } of result.messages) {
      const said = `${ruleId?.replace("@graphql-eslint/", "")}: ${message}`;
      const accepted = RULES.accepted[said];
      const text = accepted && readFileSync(result.filePath, "utf8").split("\n")[line - 1];
      if (accepted && (!accepted[0] || text.includes(accepted[0]))) unsaid.delete(said);
      else complaints.push(`${what}: ${basename(result.filePath)}:${line}:${column} ${said}`);
    }
  }
};

try {
  copyFileSync(schemaFile, join(folder, "schema.graphql"));
  mkdirSync(join(folder, "operations"));
  const data = { sessions: { nodes: [{ id: "s1", name: "a session", projectId: "p1" }] }, projects: [{ id: "p1", name: "a project" }] };
  const tabs = examples(data).map(({ query }, at) => [`example-${at}.graphql`, query]);
  const documents = [...tabs, ...documentFiles.map((file) => [basename(file), readFileSync(file, "utf8")])];
  for (const [name, text] of documents) writeFileSync(join(folder, "operations", name), text);
  const { rules: recommended } = plugin.configs["flat/schema-recommended"];
  const { rules: relay } = plugin.configs["flat/schema-relay"];
  await lint("graphql-eslint", ["schema.graphql"], { ...recommended, ...relay, ...RULES.schema, ...RULES.relay });

  const { rules: operations } = plugin.configs["flat/operations-recommended"];
  await lint("graphql-eslint", ["operations/*.graphql"], { ...operations, ...RULES.operations });

  const all = readdirSync("node_modules/graphql-schema-linter/lib/rules").map((file) => file.replace(".js", "").replaceAll("_", "-"));
  const rules = all.filter((rule) => !(rule in RULES.schemaLinter.except)).join(",");
  const linter = resolve("node_modules/.bin/graphql-schema-linter");
  const ran = spawnSync(linter, ["--format", "json", "--rules", rules, join(folder, "schema.graphql")], { encoding: "utf8" });
  for (const { rule, location, message } of JSON.parse(ran.stdout).errors) {
    complaints.push(`graphql-schema-linter: schema.graphql:${location.line} ${rule}: ${message}`);
  }
  if (documents.length === 0) complaints.push("no documents were looked at");
} finally {
  rmSync(folder, { recursive: true });
}
for (const said of unsaid) complaints.push(`nobody says any more: ${said}`);
for (const complaint of complaints) console.log(complaint);
console.log(`${complaints.length} complaints`);
process.exit(complaints.length === 0 ? 0 : 1);
