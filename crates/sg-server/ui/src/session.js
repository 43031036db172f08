// The credential of this tab, and asking the server with it.
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

/** Sends a document. Headers that a person typed win over the tab's credential. Never throws. */
export async function ask(key, query, variables, operationName, headers = {}) {
  const all = new Headers({ "content-type": "application/json", accept: "application/graphql-response+json, application/json;q=0.9" });
  if (key) all.set("authorization", `Bearer ${key}`);
  try {
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const body = JSON.stringify({ query, variables: variables ?? undefined, operationName: operationName ?? undefined });
    const response = await fetch(ENDPOINT, { method: "POST", headers: all, body });
    return { status: response.status, body: await response.json().catch(() => null) };
  } catch (error) {
    return { status: 0, body: { errors: [{ message: `The server could not be reached: ${error.message}` }] } };
  }
}
