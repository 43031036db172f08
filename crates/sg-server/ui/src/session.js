// The credential of this tab, and asking the server with it. A credential is `{ key }`, which somebody pasted or was led here
// with, or `{ email, token }` of a browser that is signed in to the pages: the cookie goes along by itself, and counts only
// together with the token.
import { createClient } from "graphql-ws";

const ITEM = "sessiongraph.key";
const ENDPOINT = "/api/v1/graphql";

/** The key in the address (`/#key=…`, removed from it at once), else the one this tab had before a reload. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    history.replaceState(null, "", location.pathname + location.search);
    rememberKey(given);
    return given;
  }
  return sessionStorage.getItem(ITEM) ?? "";
}

export function rememberKey(key) {
  sessionStorage.setItem(ITEM, key);
}

export function forgetKey() {
  sessionStorage.removeItem(ITEM);
}

/** Who is signed in to the pages in this browser; null for nobody. Never throws. */
export async function takeVisitor() {
  try {
    const response = await fetch("/playground/visitor", { headers: { accept: "application/json" } });
    return response.ok ? (await response.json()).visitor : null;
  } catch {
    return null;
  }
}

/** Signs this browser out of the pages too. */
export async function signOutVisitor({ token }) {
  await fetch("/logout", { method: "POST", body: new URLSearchParams({ csrf: token }), redirect: "manual" }).catch(() => null);
}

/** The headers that show a credential. Those that a person typed win over them. */
function shownBy(credential, typed) {
  const all = new Headers(credential?.key ? { authorization: `Bearer ${credential.key}` } : credential?.token ? { "x-csrf-token": credential.token } : {});
  for (const [name, value] of Object.entries(typed)) all.set(name, value);
  return all;
}

/** Sends a document. Never throws. */
export async function ask(credential, { query, variables, operationName }, typed = {}) {
  try {
    const headers = shownBy(credential, typed);
    headers.set("content-type", "application/json");
    headers.set("accept", "application/graphql-response+json, application/json;q=0.9");
    const body = JSON.stringify({ query, variables: variables ?? undefined, operationName: operationName ?? undefined });
    const response = await fetch(ENDPOINT, { method: "POST", headers, body });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch (error) {
    return { status: 0, body: { errors: [{ message: `The server could not be reached: ${error.message}` }] } };
  }
}

/** Listens to a subscription over a socket of its own, which is closed with it. Whatever goes wrong is a last result. */
export async function* listen(credential, { query, variables, operationName }, typed = {}) {
  const url = new URL(ENDPOINT, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const client = createClient({
    url: url.href,
    connectionParams: () => Object.fromEntries(shownBy(credential, typed)),
    retryAttempts: 3,
  });
  try {
    yield* client.iterate({ query, variables: variables ?? undefined, operationName: operationName ?? undefined });
  } catch (error) {
    yield { errors: Array.isArray(error) ? error : [{ message: wordOf(error) }] };
  } finally {
    await client.dispose();
  }
}

function wordOf(error) {
  if (error?.code === 4401) return "The server does not accept this credential. Sign in again.";
  if (error?.code) return `The server closed the subscription: ${error.reason || "no reason given"} (${error.code}).`;
  return `The server could not be reached: ${error?.message ?? "the connection failed"}`;
}

/** What GraphiQL keeps across visits: tabs and history, without the headers that a person typed, which may hold a key. */
export const storage = {
  getItem: (name) => attempt(() => localStorage.getItem(name)) ?? null,
  setItem: (name, value) => attempt(() => localStorage.setItem(name, name.endsWith(":headers") ? "" : withoutHeaders(value))),
  removeItem: (name) => attempt(() => localStorage.removeItem(name)),
  clear: () => attempt(() => localStorage.clear()),
  get length() {
    return attempt(() => localStorage.length) ?? 0;
  },
};

function withoutHeaders(value) {
  try {
    return JSON.stringify(JSON.parse(value, (name, inner) => (name === "headers" ? null : inner)));
  } catch {
    return value; // Not JSON: a size or the name of a panel.
  }
}

/** A browser may refuse to keep anything. */
function attempt(what) {
  try {
    return what();
  } catch {
    return undefined;
  }
}
