// The schema against what was promised: `node shrink.mjs SCHEMA BASELINE [update]`. What clients could ask for before goes only
// after it was deprecated; what is new is promised from now on, with `update`. The baseline is the schema without its words.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema, getNamedType, lexicographicSortSchema, parse, print, printSchema, visit } from "graphql";

const [schemaFile, baselineFile, update] = process.argv.slice(2);
const drop = ({ description, ...node }) => node;
const bare = (schema) => print(visit(parse(printSchema(lexicographicSortSchema(schema))), { enter: (node) => ("description" in node ? drop(node) : undefined) })) + "\n";

/** Whether nothing but what was deprecated leads to a type. */
const isForgotten = (schema, name) =>
  Object.values(schema.getTypeMap()).every((type) =>
    Object.values(type.getFields?.() ?? {}).every(
      (field) =>
        field.deprecationReason ||
        [field, ...(field.args ?? [])].every((of) => of.deprecationReason || getNamedType(of.type).name !== name),
    ),
  );

/** Whether what is at a path such as `Session.sessions.limit` was deprecated. */
const isDeprecated = (schema, path) => {
  const [type, member, argument] = path.split(".");
  const of = schema.getType(type);
  const found = of?.getValue?.(member) ?? of?.getFields?.()[member];
  const deprecated = argument ? found?.args?.find(({ name }) => name === argument) : found;
  return Boolean(deprecated?.deprecationReason);
};

const now = bare(buildSchema(readFileSync(schemaFile, "utf8")));
const before = existsSync(baselineFile) ? readFileSync(baselineFile, "utf8") : now;
const [old, next] = [buildSchema(before), buildSchema(now)];
const changes = await diff(old, next);
const broken = changes.filter(({ criticality, path, type }) => {
  if (criticality.level !== CriticalityLevel.Breaking) return false;
  if (type === "TYPE_REMOVED") return !isForgotten(old, path);
  return !(type.endsWith("REMOVED") && path && isDeprecated(old, path));
});
for (const { message, criticality } of broken) console.log(`promised before: ${message} ${criticality.reason ?? ""}`);
if (broken.length > 0) {
  console.log("deprecate first, with a reason, and remove in a later release");
  process.exit(1);
}
if (update) {
  writeFileSync(baselineFile, now);
} else if (before !== now || !existsSync(baselineFile)) {
  for (const { message } of changes) console.log(message);
  console.log("the baseline is old: run this test with UPDATE_SCHEMA=1 and look at the difference");
  process.exit(2);
}
console.log("kept");
