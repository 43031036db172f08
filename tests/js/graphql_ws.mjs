// graphql-ws over `ws`, as it comes: `node graphql_ws.mjs BASE KEY`.
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CHANGES, GONE, QUERY, RENAME, WRONG, changing, sessionOf } from "./changing.mjs";

const [base, key] = process.argv.slice(2);
const url = base.replace("http", "ws");
const id = await sessionOf(base, key);
const connect = (more) => createClient({ webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { Authorization: `Bearer ${key}` }, ...more });
const first = async (client, payload) => (await client.iterate(payload).next()).value;

for (const path of ["/graphql", "/api/v1/graphql"]) {
  const client = connect({ url: url + path });
  assert.match((await first(client, { query: QUERY })).data.viewer.email, /@/);
  const renamed = await first(client, { query: RENAME, variables: { input: { id, userTitle: `Named over ${path}` } } });
  assert.equal(renamed.data.updateSession.session.userTitle, `Named over ${path}`);
  await assert.rejects(first(client, { query: WRONG }), (errors) => errors[0].extensions.code === "VALIDATION_ERROR");
  assert.equal((await first(client, { query: GONE })).errors[0].extensions.code, "NOT_FOUND");

  // Two subscriptions on one socket; each ends by itself.
  await changing(base, key, async () => {
    const [one, other] = [client.iterate({ query: CHANGES }), client.iterate({ query: CHANGES })];
    for (const events of [one, other, one]) {
      const { value } = await events.next();
      assert.equal(value.data.sessionChanged.kind, "UPDATED");
      assert.equal(value.data.sessionChanged.session.id, id);
    }
    await one.return();
    assert.equal((await other.next()).value.data.sessionChanged.kind, "UPDATED");
    await other.return();
  });
  // What was missed can be asked for.
  const { cursor } = (await changing(base, key, () => first(client, { query: CHANGES }))).data.sessionChanged;
  await first(client, { query: RENAME, variables: { input: { id, userTitle: "While nobody listened" } } });
  const missed = client.iterate({ query: "subscription($since: String) { sessionChanged(since: $since) { kind session { userTitle } } }", variables: { since: cursor } });
  for await (const { data } of missed) if (data.sessionChanged.session.userTitle === "While nobody listened") break;
  await client.dispose();
}

// Every place of a key that this client's users know, its own keep-alive pings, and a socket that stays open.
for (const connectionParams of [{ authorization: key }, { headers: { authorization: `Bearer ${key}` } }, { token: key }, async () => ({ key })]) {
  let pongs = 0;
  const client = connect({ url: `${url}/graphql`, lazy: false, keepAlive: 50, connectionParams, on: { pong: () => { pongs += 1; } } });
  assert.match((await first(client, { query: QUERY })).data.viewer.email, /@/);
  while (pongs < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await client.dispose();
}
const headers = class extends WebSocket {
  constructor(address, protocols) { super(address, protocols, { headers: { authorization: `Bearer ${key}` } }); }
};
const signed = connect({ url: `${url}/graphql`, webSocketImpl: headers, connectionParams: undefined });
assert.match((await first(signed, { query: QUERY })).data.viewer.email, /@/);
await signed.dispose();

// A key that does not work is final to the client: it does not try again.
let opened = 0;
const stranger = connect({ url: `${url}/graphql`, retryAttempts: 5, connectionParams: { token: "sk_live_0000" }, on: { opened: () => { opened += 1; } } });
await assert.rejects(first(stranger, { query: QUERY }), (close) => close.code === 4401);
assert.equal(opened, 1);
console.log("ok");
