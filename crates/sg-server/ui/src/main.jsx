// The page: a sign-in bar above GraphiQL.
import "./workers.js";
import "graphiql/style.css";
import "./page.css";
import { useCallback, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import { parse } from "graphql";
import { examples } from "./examples.js";
import { ask, forgetKey, rememberKey, takeKey } from "./session.js";

/** What the page knows about the credential: nothing yet, that it works, or why it does not. */
const CHECKING = "checking";
const OPEN = "open";

function Page() {
  const [key, setKey] = useState(takeKey);
  const [state, setState] = useState(key ? CHECKING : null);
  const [problem, setProblem] = useState("");
  const [tabs, setTabs] = useState(null);

  useEffect(() => {
    if (!key) return;
    let current = true;
    setState(CHECKING);
    ask(key, "query Start { sessions(first: 1) { nodes { id name } } projects { id name } }").then(({ status, body }) => {
      if (!current) return;
      if (!body?.data) {
        // The same key may be tried again, so the page must not hold on to it; a server that was away may know it still.
        if (status === 401) forgetKey();
        setKey("");
        setState(null);
      }
      if (status === 401) {
        setProblem("This key is not known here: it may have been revoked, have expired, or belong to another server.");
      } else if (!body?.data) {
        setProblem(body?.errors?.[0]?.message ?? `The server answered with status ${status}.`);
      } else {
        rememberKey(key);
        setProblem("");
        setTabs(examples(body.data));
        setState(OPEN);
      }
    });
    return () => { current = false; };
  }, [key]);

  const signOut = useCallback((why) => {
    forgetKey();
    setKey("");
    setState(null);
    setProblem(typeof why === "string" ? why : "");
  }, []);

  const fetcher = useMemo(() => async (request, options) => {
    const { status, body } = await ask(key, request.query, request.variables, operationOf(request), options?.headers);
    if (status === 401 && !hasOwnCredential(options?.headers)) {
      signOut("The server no longer accepts this key. Sign in with another one.");
    }
    return body ?? { errors: [{ message: `The server answered with status ${status} and no JSON.` }] };
  }, [key, signOut]);

  return (
    <>
      <Bar key={key} signedIn={state === OPEN ? key : ""} onSignOut={signOut} />
      {state === OPEN ? (
        <main className="sg-playground">
          <GraphiQL fetcher={fetcher} defaultTabs={tabs} defaultEditorToolsVisibility={false} shouldPersistHeaders={false}>
            <GraphiQL.Logo><span /></GraphiQL.Logo>
          </GraphiQL>
        </main>
      ) : (
        <SignIn busy={state === CHECKING} problem={problem} onKey={(next) => { setProblem(""); setKey(next); setState(CHECKING); }} />
      )}
    </>
  );
}

/** The operation to run. Just after a change of tabs GraphiQL still names the operation of the tab before. */
function operationOf({ query, operationName }) {
  try {
    const names = parse(query).definitions.filter((d) => d.kind === "OperationDefinition").map((d) => d.name?.value);
    return names.includes(operationName) ? operationName : undefined;
  } catch {
    return operationName; // The server words what is wrong with the document.
  }
}

function hasOwnCredential(headers) {
  return Object.keys(headers ?? {}).some((name) => name.toLowerCase() === "authorization");
}

function Bar({ signedIn, onSignOut }) {
  return (
    <header className="sg-bar">
      <strong>Sessiongraph</strong>
      <span className="sg-path">/api/v1/graphql</span>
      {signedIn && (
        <span className="sg-who">
          <span data-testid="signed-in">Signed in with <code>{shown(signedIn)}</code></span>
          <button type="button" onClick={onSignOut}>Sign out</button>
        </span>
      )}
    </header>
  );
}

/** Enough of a key to tell it from another. */
function shown(key) {
  const prefix = /^(sk_live_|sk_sfs_|api_)?.{0,4}/.exec(key)[0];
  return `${prefix}…`;
}

function SignIn({ busy, problem, onKey }) {
  const submit = (event) => {
    event.preventDefault();
    const next = new FormData(event.currentTarget).get("key").trim();
    if (next) onKey(next);
  };
  return (
    <main className="sg-sign-in">
      <form onSubmit={submit}>
        <h1>Your sessions, one query away</h1>
        <p>Paste an API key. It stays in this tab and is sent to this server only.</p>
        {problem && <p className="sg-problem" role="alert">{problem}</p>}
        <label htmlFor="key">API key</label>
        <div className="sg-row">
          <input id="key" name="key" type="password" autoComplete="off" autoFocus spellCheck="false" placeholder="sk_live_…" required />
          <button type="submit" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
        </div>
        <p className="sg-hint">Make one with <code>sessiongraph key create --user YOU@EXAMPLE.ORG</code>, or start <code>sessiongraph demo</code>, which opens this page signed in.</p>
      </form>
    </main>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
