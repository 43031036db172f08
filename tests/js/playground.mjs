// The playground in a real browser: `node playground.mjs SIGNED_IN_URL EMAIL PASSWORD [SCREENSHOT_FOLDER]`. Signed in with a
// key: runs the examples, listens to a subscription, keeps tabs and history but no key. With the keyboard alone. Signed in to
// the pages, without any key. Then for everyone: axe, both colours, a telephone. Nothing may leave the machine, and nothing
// may be complained about.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { launch, watch } from "./browser.mjs";
import { changing } from "./changing.mjs";

const [url, email, password, folder] = process.argv.slice(2);
const shots = folder ?? process.env.SCREENSHOTS;
const { origin, hash } = new URL(url);
const key = hash.slice("#key=".length);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await launch();
const watched = [];
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const seen = watch(page, origin);
  watched.push(seen);
  return { context, page, ...seen };
};
const shot = (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
const tabButton = (page, name) => page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) });
const answer = async (page) => (await page.locator(".graphiql-response .view-lines").innerText()).replaceAll("\u00a0", " ");
const execute = (page) => page.locator("button.graphiql-execute-button");
const answers = (page, text) => page.waitForFunction((text) => document.querySelector(".graphiql-response .view-lines")?.innerText.replaceAll("\u00a0", " ").includes(text), text);
const kept = (page) => page.evaluate(() => JSON.stringify({ ...localStorage }));

// With a key.
{
  const { page, complaints } = await open();
  const play = async (tab, expected) => {
    await tabButton(page, tab).click();
    const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/graphql") && r.request().postData()?.includes(`query ${tab}`));
    await execute(page).click();
    const body = await (await answered).json();
    assert.equal(body.errors, undefined, `${tab}: ${JSON.stringify(body.errors)}`);
    assert.ok(expected(body.data), `${tab}: ${JSON.stringify(body.data).slice(0, 400)}`);
    await answers(page, "data");
    await shot(page, tab);
  };
  await page.goto(url);
  await page.getByTestId("signed-in").waitFor();
  assert.ok(!page.url().includes("key="), `the key stays in the address: ${page.url()}`);
  await tabButton(page, "Search").waitFor();
  await play("Projects", (data) => data.projects.length > 0 && data.projects[0].sessions.nodes.length > 0);
  assert.match(await answer(page), /"projects"/);
  await play("Search", (data) => data.searchSessions.total > 0 && data.searchSessions.results[0].snippet.includes("<mark>") && data.searchSessions.facets.length > 0);
  await play("OneSession", (data) => data.session.messages.nodes.length > 0);
  await play("Figures", (data) => data.stats.totalSessions > 0);
  await play("Filtered", (data) => data.sessions.nodes.length > 0);
  await play("Analytics", (data) => data.analytics.totalSessions > 0 && data.analytics.usageByModel.length > 0);
  await play("Related", (data) => data.session.relatedSessions.length > 0);

  // A subscription, until it is stopped.
  await tabButton(page, "Changes").click();
  await execute(page).click();
  await changing(origin, key, () => answers(page, '"kind": "UPDATED"'));
  await shot(page, "Changes");
  await page.locator("button.graphiql-execute-button[aria-label^=Stop]").click();
  await page.locator("button.graphiql-execute-button[aria-label^=Execute]").waitFor();

  // What is typed into the headers stays out of what is kept, and history keeps the rest.
  await tabButton(page, "Projects").click();
  await page.getByRole("button", { name: "Headers" }).click();
  await page.locator(".graphiql-editor-tool .graphiql-editor:visible .view-lines").last().click();
  await page.keyboard.insertText(JSON.stringify({ Authorization: `Bearer ${key}`, "X-Other": "s3cret" }));
  const sent = page.waitForRequest((r) => r.url().endsWith("/api/v1/graphql") && r.headers()["x-other"] === "s3cret");
  await execute(page).click();
  assert.equal((await (await (await sent).response()).json()).errors, undefined);
  await page.getByRole("button", { name: /history/i }).first().click();
  await page.locator(".graphiql-history-item", { hasText: "Figures" }).first().waitFor();
  await page.waitForFunction(() => JSON.stringify({ ...localStorage }).includes("query Figures"));
  assert.ok(!(await kept(page)).includes(key) && !(await kept(page)).includes("s3cret"), "a key is kept");
  await shot(page, "History");

  // A reload stays signed in, with its tabs and its history.
  await page.reload();
  await page.getByTestId("signed-in").waitFor();
  await tabButton(page, "Changes").waitFor();
  await page.locator(".graphiql-history-item", { hasText: "Figures" }).first().waitFor();
  assert.deepEqual(complaints, []);
  // A key that is not known is explained.
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").fill("sk_live_0000");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: "not known here" }).waitFor();
  await shot(page, "SignIn");
  complaints.length = 0; // The browser tells of the 401.
}

// With the keyboard alone.
{
  const { page } = await open();
  await page.goto(origin);
  await page.getByLabel("API key").waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.getByTestId("signed-in").waitFor();
  await page.locator(".graphiql-query-editor .view-lines").waitFor();
  // Moves on until the focus is where it should be, out of every editor on the way; the focus shows at every step.
  const reach = async (what, backwards = false) => {
    for (let step = 0; step < 80; step += 1) {
      if (await page.evaluate((what) => document.activeElement?.matches(what) ?? false, what)) return;
      if (await page.evaluate(() => Boolean(document.activeElement?.closest(".monaco-editor")))) await page.keyboard.press("Escape");
      await page.keyboard.press(backwards ? "Shift+Tab" : "Tab");
      const hidden = await page.evaluate(() => {
        const node = document.activeElement;
        if (!node || node === document.body) return null;
        const editor = node.closest(".graphiql-editor, .graphiql-response, .result-window");
        const style = getComputedStyle(node);
        const rings = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
        return rings || style.boxShadow !== "none" || editor ? null : node.outerHTML.slice(0, 200);
      });
      assert.equal(hidden, null, "the focus does not show");
    }
    throw new Error(`${what} cannot be reached: ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200))}`);
  };
  await reach(".graphiql-tab:nth-child(2) .graphiql-tab-button");
  await page.keyboard.press("Enter");
  await page.locator(".graphiql-tab:nth-child(2).graphiql-tab-active").waitFor();
  await reach(".graphiql-tab-add, button[aria-label='New tab']");
  await page.keyboard.press("Enter");
  await page.locator(".graphiql-tab-active:last-child").waitFor();
  await reach(".graphiql-query-editor .graphiql-editor");
  await page.keyboard.press("Enter");
  await shot(page, "keyboard-editor");
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText("{ viewer { email } }");
  // GraphiQL writes what is typed down a moment later, and its history shows what was written down.
  await page.waitForFunction(() => Object.values(localStorage).some((text) => text.includes("viewer { email }")));
  await page.keyboard.press("Control+Enter");
  await answers(page, email);
  await reach(".graphiql-sidebar button[aria-label*='Documentation']");
  await shot(page, "keyboard-docs");
  await page.keyboard.press("Enter");
  await page.getByText("A GraphQL schema provides a root type").waitFor();
  await reach(".graphiql-doc-explorer-content a");
  await page.keyboard.press("Enter");
  await page.locator(".graphiql-doc-explorer-back").waitFor();
  await reach(".graphiql-sidebar button[aria-label*='History']", true);
  await page.keyboard.press("Enter");
  await page.locator(".graphiql-history-item", { hasText: "viewer" }).first().waitFor();
  await reach(".sg-bar button", true);
  await page.keyboard.press("Enter");
  await page.getByLabel("API key").waitFor();
}

// Signed in to the pages: no key is needed, and none is made or kept.
{
  const { page, context, complaints } = await open();
  await page.goto(origin);
  await page.getByRole("link", { name: "Sign in with your account" }).click();
  await page.getByLabel("Mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByTestId("signed-in").filter({ hasText: email }).waitFor();
  assert.equal(page.url(), `${origin}/`);
  const sent = page.waitForRequest((r) => r.url().endsWith("/api/v1/graphql") && r.postData()?.includes("query Projects"));
  await execute(page).click();
  assert.equal((await sent).headers().authorization, undefined);
  await answers(page, '"sessionCount"');
  await tabButton(page, "Changes").click();
  await execute(page).click();
  await changing(origin, key, () => answers(page, '"kind": "UPDATED"'));
  await page.locator("button.graphiql-execute-button[aria-label^=Stop]").click();
  await shot(page, "visitor");
  const cookies = await context.cookies();
  const stored = (await kept(page)) + (await page.evaluate(() => JSON.stringify({ ...sessionStorage })));
  assert.ok(cookies.every(({ value }) => !stored.includes(value)) && !stored.includes("sk_live_"), stored);
  assert.deepEqual(complaints, []);

  // A page of another site that has this browser's cookie can neither ask, nor listen, nor read the token.
  const { page: evil, context: evilContext } = await open();
  await evilContext.addCookies(cookies.map((cookie) => ({ ...cookie, sameSite: "None", secure: true })));
  const site = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><link rel=icon href='data:,'>evil"));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  await evil.goto(`http://localhost:${site.address().port}/`);
  const tried = await evil.evaluate(async (origin) => {
    const asked = await fetch(`${origin}/api/v1/graphql`, { method: "POST", credentials: "include", headers: { "content-type": "text/plain" }, body: '{"query":"{ viewer { email } }"}' }).then((r) => r.text(), String);
    const read = await fetch(`${origin}/playground/visitor`, { credentials: "include" }).then((r) => r.text(), String);
    const closed = await new Promise((resolve) => {
      const socket = new WebSocket(`${origin.replace("http", "ws")}/graphql`, "graphql-transport-ws");
      socket.onopen = () => socket.send('{"type":"connection_init"}');
      socket.onclose = ({ code }) => resolve(code);
      socket.onmessage = ({ data }) => resolve(data);
    });
    return { asked, read, closed };
  }, origin);
  assert.match(tried.asked, /TypeError/);
  assert.match(tried.read, /TypeError/);
  assert.equal(tried.closed, 4401);
  await evilContext.close();
  site.close();
  watched.pop();

  // Signing out here signs out of the pages.
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.goto(`${origin}/projects`);
  assert.ok(page.url().startsWith(`${origin}/login`), page.url());
}

// For everyone. What axe may find is GraphiQL's own and cannot be reached from here: tabs hold their buttons, the items of
// its history are all called "Set active", and the colours of a language's words are Monaco's.
const KNOWN = { "nested-interactive": /graphiql-tab/, "label-content-name-mismatch": /graphiql-history-item-label/, "color-contrast": /class="mtk\d/ };
for (const [scheme, width] of [["light", 1400], ["dark", 1400], ["light", 400], ["dark", 400]]) {
  const { page } = await open({ viewport: { width, height: 800 }, colorScheme: scheme, bypassCSP: true });
  const look = async (what) => {
    await shot(page, `${what}-${scheme}-${width}`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const ours = violations.flatMap(({ id, nodes }) => nodes.filter(({ html }) => !KNOWN[id]?.test(html)).map(({ html, failureSummary }) => `${what} ${scheme} ${width} ${id}: ${html.slice(0, 200)} ${failureSummary}`));
    assert.deepEqual(ours, []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 1, `${what} is ${wide} pixels too wide at ${width}`);
  };
  await page.goto(origin);
  await page.getByLabel("API key").waitFor();
  await look("sign-in");
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator(".graphiql-query-editor .view-lines").waitFor();
  await execute(page).click();
  await answers(page, '"sessionCount"');
  await look("answered");
  const panel = (name) => page.locator(`.graphiql-sidebar button[aria-label*='${name}']`);
  await panel("Documentation").click();
  await page.getByText("A GraphQL schema provides a root type").waitFor();
  await look("docs");
  await panel("History").click();
  await page.locator(".graphiql-history-item").first().waitFor();
  await look("history");
  await panel("History").click();
  await execute(page).click();
}

for (const { complaints, elsewhere } of watched) {
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints, []);
}
await browser.close();
console.log("ok");
