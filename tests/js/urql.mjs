// urql: fetch, subscriptions over graphql-ws, and over its own reader of event streams: `node urql.mjs BASE KEY`.
import assert from "node:assert/strict";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CHANGES, GONE, QUERY, RENAME, WRONG, changing, sessionOf } from "./changing.mjs";

const [base, key] = process.argv.slice(2);
const id = await sessionOf(base, key);
const authorization = `Bearer ${key}`;
const socket = createClient({ url: `${base.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket, connectionParams: { authorization } });
const forwardSubscription = ({ query, variables }) => ({
  subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query: query ?? "", variables }, sink) }),
});
const common = { url: `${base}/graphql`, preferGetMethod: false, fetchOptions: { headers: { authorization } } };
const overSocket = new Client({ ...common, exchanges: [subscriptionExchange({ forwardSubscription }), fetchExchange] });
const overEvents = new Client({ ...common, fetchSubscriptions: true, exchanges: [fetchExchange] });

for (const client of [overSocket, overEvents]) {
  assert.match((await client.query(QUERY, {}).toPromise()).data.viewer.email, /@/);
  const { data } = await client.mutation(RENAME, { input: { id, userTitle: "Named by urql" } }).toPromise();
  assert.equal(data.updateSession.session.userTitle, "Named by urql");
  for (const [query, code] of [[WRONG, "VALIDATION_ERROR"], [GONE, "NOT_FOUND"]]) {
    assert.equal((await client.query(query, {}).toPromise()).error.graphQLErrors[0].extensions.code, code);
  }
  const listen = (document) => new Promise((resolve) => {
    const { unsubscribe } = client.subscription(document, {}).subscribe((result) => {
      resolve(result);
      setTimeout(() => unsubscribe());
    });
  });
  const heard = await changing(base, key, () => listen(CHANGES));
  assert.equal(heard.error, undefined);
  assert.equal(heard.data.sessionChanged.session.id, id);
  const wrong = await listen("subscription { nope }");
  assert.equal(wrong.error.graphQLErrors[0].extensions.code, "VALIDATION_ERROR");
}
await socket.dispose();
console.log("ok");
