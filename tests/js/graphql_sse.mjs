// graphql-sse as it comes, in both of its modes: `node graphql_sse.mjs BASE KEY`.
import assert from "node:assert/strict";
import { createClient } from "graphql-sse";
import { CHANGES, GONE, QUERY, RENAME, WRONG, changing, sessionOf } from "./changing.mjs";

const [base, key] = process.argv.slice(2);
const id = await sessionOf(base, key);
const connect = (more) => createClient({ url: `${base}/graphql`, retryAttempts: 0, headers: { authorization: `Bearer ${key}` }, ...more });
const first = async (client, payload) => (await client.iterate(payload).next()).value;

const client = connect();
assert.match((await first(client, { query: QUERY })).data.viewer.email, /@/);
const renamed = await first(client, { query: RENAME, variables: { input: { id, userTitle: "Named over SSE" } } });
assert.equal(renamed.data.updateSession.session.userTitle, "Named over SSE");
const wrong = await first(client, { query: WRONG });
assert.equal(wrong.errors[0].extensions.code, "VALIDATION_ERROR");
assert.ok(!("data" in wrong));
assert.equal((await first(client, { query: GONE })).errors[0].extensions.code, "NOT_FOUND");
await changing(base, key, async () => {
  const events = client.iterate({ query: CHANGES });
  for (let n = 0; n < 3; n += 1) assert.equal((await events.next()).value.data.sessionChanged.session.id, id);
  await events.return();
});
// The stream of a query ends by itself.
const all = [];
for await (const result of client.iterate({ query: QUERY })) all.push(result);
assert.equal(all.length, 1);
client.dispose();

await assert.rejects(first(connect({ headers: {} }), { query: QUERY }), (error) => error.response?.status === 401);
const single = connect({ singleConnection: true });
await assert.rejects(first(single, { query: QUERY }), (error) => error.response?.status === 405);

// A browser's own reader of events, by what it sends: a GET, and nothing of its own in the headers but these.
const query = new URLSearchParams({ query: CHANGES });
await changing(base, key, async () => {
  const stop = new AbortController();
  const response = await fetch(`${base}/graphql?${query}`, { headers: { accept: "text/event-stream", authorization: `Bearer ${key}` }, signal: stop.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/event: next\ndata: {"data":{"sessionChanged".*}}\n\n/.test(text)) break;
  }
  stop.abort();
});
console.log("ok");
