// Something to subscribe to: renames a session again and again, because a subscription hears only what happens once it is open.

const ask = async (base, key, query, variables) => {
  const response = await fetch(`${base}/api/v1/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
};

/** The id of a session that is there. */
export const sessionOf = async (base, key) => (await ask(base, key, "{ sessions(first: 1) { nodes { id } } }")).sessions.nodes[0].id;

/** Runs `listen` while a session is renamed, and stops when it is done. */
export async function changing(base, key, listen) {
  const id = await sessionOf(base, key);
  let isOver = false;
  const renaming = (async () => {
    for (let n = 0; !isOver; n += 1) {
      await ask(base, key, RENAME, { input: { id, userTitle: `Renamed ${Date.now()} ${n}` } });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    return await Promise.race([listen(), renaming.then(() => { throw new Error("renaming ended first"); })]);
  } finally {
    isOver = true;
    await renaming;
  }
}

/** What the clients of these tests ask. */
export const QUERY = "query Viewer { viewer { email } }";
export const RENAME = "mutation Rename($input: UpdateSessionInput!) { updateSession(input: $input) { session { id userTitle } } }";
export const WRONG = "query Wrong { viewer { nope } }";
export const GONE = 'query Gone { session(id: "nope") { id } }';
export const CHANGES = "subscription Changes { sessionChanged { kind cursor session { id userTitle } } }";
