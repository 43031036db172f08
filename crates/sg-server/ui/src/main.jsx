// The page: a bar above GraphiQL, or what it takes to sign in.
import "./workers.js";
import "graphiql/style.css";
import "./page.css";
import { useCallback, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import { useMonaco } from "@graphiql/react";
import { getOperationAST, parse } from "graphql";
import { START, examples } from "./examples.js";
import { ask, forgetKey, listen, rememberKey, signOutVisitor, storage, takeKey, takeVisitor } from "./session.js";

function Page() {
  // `undefined` until it is known whether there is one, `null` when there is none.
  const [credential, setCredential] = useState(() => {
    const key = takeKey();
    return key ? { key } : undefined;
  });
  const [problem, setProblem] = useState("");
  const [tabs, setTabs] = useState(null);

  useEffect(() => {
    if (credential === undefined) takeVisitor().then(setCredential);
  }, [credential]);

  useEffect(() => {
    if (!credential) return;
    let current = true;
    ask(credential, { query: START }).then(({ status, body }) => {
      if (!current) return;
      if (body?.data) {
        if (credential.key) rememberKey(credential.key);
        setProblem("");
        setTabs(examples(body.data));
        return;
      }
      // The same key may be tried again, so the page must not hold on to it; a server that was away may know it still.
      if (status === 401) forgetKey();
      setCredential(null);
      setProblem(status === 401
        ? "This key is not known here: it may have been revoked, have expired, or belong to another server."
        : body?.errors?.[0]?.message ?? `The server answered with status ${status}.`);
    });
    return () => { current = false; };
  }, [credential]);

  const drop = useCallback((why) => {
    forgetKey();
    setCredential(null);
    setTabs(null);
    setProblem(why);
  }, []);

  const signOut = useCallback(async () => {
    if (credential?.token) await signOutVisitor(credential);
    drop("");
  }, [credential, drop]);

  const fetcher = useMemo(() => (request, options) => {
    const asked = { ...request, operationName: operationOf(request) };
    const typed = options?.headers ?? {};
    if (isSubscription(asked)) return listen(credential, asked, typed);
    return ask(credential, asked, typed).then(({ status, body }) => {
      if (status === 401 && !hasOwnCredential(typed)) {
        drop(credential?.key ? "The server no longer accepts this key. Sign in with another one." : "You are signed out. Sign in again.");
      }
      return body ?? { errors: [{ message: `The server answered with status ${status} and no JSON.` }] };
    });
  }, [credential, drop]);

  const isOpen = Boolean(credential && tabs);
  return (
    <>
      <Bar credential={isOpen ? credential : null} onSignOut={signOut} />
      {isOpen ? (
        <main className="sg-playground" aria-label="Playground">
          <GraphiQL fetcher={fetcher} defaultTabs={tabs} defaultEditorToolsVisibility={false} shouldPersistHeaders={false} storage={storage} maxHistoryLength={50}>
            <GraphiQL.Logo><span /></GraphiQL.Logo>
          </GraphiQL>
          <Keyboard />
        </main>
      ) : (
        <SignIn busy={credential === undefined || Boolean(credential)} problem={problem} onKey={(key) => { setProblem(""); setCredential({ key }); }} />
      )}
    </>
  );
}

/**
 * The keyboard's way out of the editors, where Tab indents: Escape first. The next Tab moves on, and any other key means
 * writing again.
 */
function Keyboard() {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (!monaco) return;
    const free = (editor) => {
      let isLeaving = false;
      editor.onDidBlurEditorText(() => { isLeaving = false; });
      editor.onKeyDown((event) => {
        if (event.keyCode === monaco.KeyCode.Escape) isLeaving = true;
        // What the editor does not hear is the browser's: it moves on.
        else if (event.keyCode === monaco.KeyCode.Tab && isLeaving) event.stopPropagation();
        else if (event.keyCode !== monaco.KeyCode.Shift) isLeaving = false;
      });
    };
    monaco.editor.getEditors().forEach(free);
    const created = monaco.editor.onDidCreateEditor(free);
    return () => created.dispose();
  }, [monaco]);
  return <p className="sg-keys"><kbd>Ctrl</kbd>+<kbd>Enter</kbd> runs; <kbd>Enter</kbd> goes into an editor, <kbd>Esc</kbd> and then <kbd>Tab</kbd> out of it</p>;
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

function isSubscription({ query, operationName }) {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false;
  }
}

function hasOwnCredential(headers) {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

function Bar({ credential, onSignOut }) {
  return (
    <header className="sg-bar">
      <h1 className="sg-name">Sessiongraph</h1>
      <span className="sg-path">/api/v1/graphql</span>
      {credential && (
        <span className="sg-who">
          {credential.email && <a href="/projects">Projects</a>}
          <span data-testid="signed-in">{credential.email ? <>Signed in as {credential.email}</> : <>Signed in with <code>{shown(credential.key)}</code></>}</span>
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
        <h2>Your sessions, one query away</h2>
        <p>Paste an API key. It stays in this tab and is sent to this server only.</p>
        {problem && <p className="sg-problem" role="alert">{problem}</p>}
        <label htmlFor="key">API key</label>
        <div className="sg-row">
          <input id="key" name="key" type="password" autoComplete="off" autoFocus spellCheck="false" placeholder="sk_live_…" required />
          <button type="submit" disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
        </div>
        <p className="sg-hint">Have a password here? <a href="/login?next=/">Sign in with your account</a>, and no key is needed.</p>
        <p className="sg-hint">Make a key with <code>sessiongraph key create --user YOU@EXAMPLE.ORG</code>, or start <code>sessiongraph demo</code>, which opens this page signed in.</p>
      </form>
    </main>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
