// Apollo Client with an HTTP link, and graphql-ws for subscriptions: `node apollo.mjs BASE KEY`.
import assert from "node:assert/strict";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CHANGES, GONE, QUERY, RENAME, WRONG, changing, sessionOf } from "./changing.mjs";

// Apollo's link asks whether an error is the global one's; Node.js has one from version 22 on.
globalThis.WebSocket ??= WebSocket;
const [base, key] = process.argv.slice(2);
const id = await sessionOf(base, key);
const authorization = `Bearer ${key}`;
const socket = createClient({ url: `${base.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket, connectionParams: { authorization } });
const http = new HttpLink({ uri: `${base}/graphql`, headers: { authorization } });
const link = ApolloLink.split(({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION, new GraphQLWsLink(socket), http);
const client = new ApolloClient({ link, cache: new InMemoryCache() });

assert.match((await client.query({ query: gql(QUERY) })).data.viewer.email, /@/);
const { data } = await client.mutate({ mutation: gql(RENAME), variables: { input: { id, userTitle: "Named by Apollo" } } });
assert.equal(data.updateSession.session.userTitle, "Named by Apollo");
for (const [query, code] of [[WRONG, "VALIDATION_ERROR"], [GONE, "NOT_FOUND"]]) {
  await assert.rejects(client.query({ query: gql(query) }), (error) => CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code === code);
}
const listen = (document) => new Promise((resolve, reject) => {
  const subscription = client.subscribe({ query: gql(document) }).subscribe({
    next: (result) => { subscription.unsubscribe(); result.error ? reject(result.error) : resolve(result.data); },
    error: reject,
  });
});
const heard = await changing(base, key, () => listen(CHANGES));
assert.equal(heard.sessionChanged.session.id, id);
await assert.rejects(listen("subscription { nope }"), (error) => error.errors[0].extensions.code === "VALIDATION_ERROR");
client.stop();
await socket.dispose();
console.log("ok");
