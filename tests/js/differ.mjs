// What graphql-js says of documents: `node differ.mjs SCHEMA DOCUMENTS ROOT`. ROOT is JSON that fields resolve to. Prints, for
// each document, the locations of each error, or the data of those that are to be executed.
import { readFileSync } from "node:fs";
import {
  buildSchema,
  execute,
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
} from "graphql";
import { getVariableValues } from "graphql/execution/values.js";

const [schemaFile, documentsFile, root] = process.argv.slice(2);
const schema = buildSchema(readFileSync(schemaFile, "utf8"));
const rootValue = JSON.parse(root ?? "{}");

const errorsOf = ({ document: text, operationName, variables }) => {
  let document;
  try {
    document = parse(text);
  } catch (error) {
    return { errors: [error] };
  }
  const errors = validate(schema, document, specifiedRules, { maxErrors: 1_000 });
  if (errors.length > 0) return { errors };
  const operation = getOperationAST(document, operationName);
  if (!operation) return { errors: [new GraphQLError("no such operation")] };
  const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {});
  return { document, errors: coerced.errors ?? [] };
};

const said = JSON.parse(readFileSync(documentsFile, "utf8")).map((asked) => {
  const { document, errors } = errorsOf(asked);
  const shown = errors.map((error) => ({
    message: error.message,
    locations: (error.locations ?? []).map(({ line, column }) => [line, column]),
  }));
  if (errors.length > 0 || !asked.executes) return { errors: shown };
  const { operationName, variables: variableValues } = asked;
  const { data, errors: failed } = execute({ schema, document, rootValue, operationName, variableValues });
  return { errors: failed ?? [], data: JSON.stringify(data) };
});
console.log(JSON.stringify(said));
