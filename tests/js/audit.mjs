// The GraphQL-over-HTTP audits: `node audit.mjs URL KEY`. Prints each one that is not passed; the last line counts them.
import { serverAudits } from "graphql-http";

const [url, key] = process.argv.slice(2);
const signed = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });
const audits = serverAudits({ url, fetchFn: signed });
let passed = 0;
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === "ok") passed += 1;
  else console.log(result.status, audit.id, audit.name, "::", result.reason, "::", result.response?.status);
}
console.log(`${passed} of ${audits.length}`);
process.exit(passed === audits.length ? 0 : 1);
