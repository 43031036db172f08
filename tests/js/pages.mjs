// The pages in a real browser: `node pages.mjs '{"base":…,"me":{"email":…,"password":…},…}' [SCREENSHOT_FOLDER]`. Looks at
// every page, sends every form, and fails when anything that a session says runs, loads or is complained about.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { launch } from "./browser.mjs";

const facts = JSON.parse(process.argv[2]);
const shots = process.argv[3] ?? process.env.SCREENSHOTS;
const { base, me, other, key } = facts;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await launch();

const complaints = [];
// A browser's own tab that watches what a page does.
const open = async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on("dialog", async (dialog) => {
    complaints.push(`a dialog at ${page.url()}: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("console", (message) => {
    // A page of a problem is a failed request to the browser's console.
    if (message.type() === "error" && !message.text().includes("status of 40")) complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  page.on("request", (request) => {
    const at = new URL(request.url());
    if (at.origin !== base && at.protocol !== "data:") complaints.push(`${page.url()} asked for ${request.url()}`);
  });
  return { context, page };
};
const quiet = async (page) => {
  assert.equal(await page.evaluate(() => window.pwned), undefined, `something ran at ${page.url()}`);
  assert.deepEqual(complaints, []);
};
const shot = async (page, name) => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage: name.startsWith("whole") });
const go = async (page, path, status = 200) => {
  const response = await page.goto(base + path);
  assert.equal(response.status(), status, `${path}: ${await response.text()}`);
  await quiet(page);
  return response;
};
const signIn = async (page, who) => {
  await page.getByLabel("Mail address").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
};
const text = (page) => page.locator("main").innerText();

const PROJECT = "/projects/1111-2222-3333-4444";
const SESSION = `${PROJECT}/sessions/b3f1c2d4-0001-4000-8000-000000000001`;
const LARGE = `${PROJECT}/sessions/b3f1c2d4-0003-4000-8000-000000000003`;
const EVIL = "/projects/evil/sessions/b3f1c2d4-0002-4000-8000-000000000002";
const ODD = `${PROJECT}/sessions/bare%2050%25%20%C3%BC%3F%26%23%2B`;

// Signing in leads to the page that was asked for.
const { page, context } = await open();
await go(page, SESSION);
assert.ok(page.url().startsWith(`${base}/login?next=`), page.url());
await shot(page, "login");
await signIn(page, { email: me.email, password: "wrong wrong wrong" });
await page.getByRole("alert").waitFor();
await signIn(page, me);
await page.waitForURL(base + SESSION);
await quiet(page);

// The dashboard, a project.
await go(page, "/projects");
await shot(page, "projects");
await page.getByRole("link", { name: "gateway", exact: true }).first().click();
await page.getByRole("heading", { level: 1, name: "gateway" }).waitFor();
await shot(page, "project");
await page.getByText("Name, icon and colour").click();
await page.getByLabel("Name").fill("tidepool");
await page.getByLabel("Colour").selectOption("purple");
await page.getByRole("button", { name: "Save" }).click();
await page.getByRole("status").filter({ hasText: "saved" }).waitFor();
await page.getByRole("heading", { level: 1, name: "tidepool" }).waitFor();
await quiet(page);

// A session, readable.
await go(page, SESSION);
await shot(page, "session");
await shot(page, "whole-session");
assert.ok(await page.locator("article.message.user").count() >= 2);
assert.ok((await text(page)).includes("<T> is generic here"));
assert.ok(await page.locator(".prose pre span.hk").count() > 0, "code is highlighted");
const fold = page.locator("details.fold", { hasText: "Run the pool's tests" });
assert.equal(await fold.locator("pre").first().isVisible(), false, "tool calls are folded");
await fold.locator("summary").click();
assert.ok((await fold.innerText()).includes("test pool::waits ... FAILED"), "the result stands with its call");
assert.equal(await page.getByRole("link", { name: "the guide" }).getAttribute("rel"), "noopener noreferrer nofollow");
await page.getByRole("link", { name: "Look through the logs" }).click();
await page.getByRole("link", { name: "Fix the connection pool" }).first().click();
await page.getByRole("heading", { level: 1, name: "Fix the connection pool" }).waitFor();
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
await page.getByRole("button", { name: "Copy" }).click();
await page.getByRole("button", { name: "Copied" }).waitFor();
assert.equal(
  await page.evaluate(() => navigator.clipboard.readText()),
  "specstory resume --session specstory://projects/1111-2222-3333-4444/sessions/b3f1c2d4-0001-4000-8000-000000000001",
);

// Downloads are files, and a message whole is text that runs nothing.
const download = page.waitForEvent("download");
await page.getByRole("link", { name: "Markdown", exact: true }).click();
assert.equal((await download).suggestedFilename(), "Fix-the-connection-pool.md");
const whole = await go(page, `${EVIL}/messages/1`);
assert.match(whole.headers()["content-type"], /^text\/plain/);
assert.match(whole.headers()["content-security-policy"], /sandbox/);

// A long session is read in parts, and its outline leads into them.
await go(page, LARGE);
assert.ok((await page.content()).length < 1_500_000);
assert.ok(await page.locator("article.message").count() <= 200);
await page.getByRole("link", { name: "Later messages" }).first().click();
await page.getByRole("link", { name: "Earlier messages" }).first().click();
await page.getByText("Question 0", { exact: true }).last().waitFor();
await page.locator(".outline").getByRole("link", { name: "Question 140", exact: true }).click();
await page.locator("article#m280").waitFor();
await go(page, `${LARGE}?at=801`);
await page.locator("details.fold", { hasText: "server.log" }).locator("summary").click();
await page.getByRole("link", { name: "The whole message as text" }).first().click();
assert.ok((await page.locator("body").innerText()).length > 1_000_000);
await quiet(page);

// An id with every character, a title.
await go(page, ODD);
await page.getByRole("heading", { level: 1, name: "Renamed by a person" }).waitFor();
await page.getByText("Rename", { exact: true }).click();
await page.getByLabel("Title").fill("Other title <b>");
await page.getByRole("button", { name: "Save" }).click();
await page.getByRole("heading", { level: 1, name: "Other title <b>" }).waitFor();

// What a shared link shows: private first, then all but what is hidden, then nothing again.
const { page: guest, context: guests } = await open();
await go(page, `${SESSION}/sharing`);
await shot(page, "sharing");
const link = new URL(await page.locator("code", { hasText: "/share/" }).innerText(), base).pathname;
await go(guest, link, 404);
const secret = await text(guest);
await go(guest, "/share/no-such-session", 404);
assert.equal(await text(guest), secret, "a private session reads as one that is not there");
const second = page.getByRole("region", { name: "Exchange 2" });
await second.getByLabel("Title of exchange 2").fill("The test");
await second.getByLabel("Hide from the link").check();
await second.getByRole("button", { name: "Save" }).click();
await page.getByRole("status").filter({ hasText: "saved" }).waitFor();
await page.getByRole("button", { name: "Share by link" }).click();
await page.getByRole("status").filter({ hasText: "Whoever has the link" }).waitFor();
await go(guest, link);
await shot(guest, "share");
assert.ok((await text(guest)).includes("answers 500 under load"));
assert.ok(!(await text(guest)).includes("Write a test") && !(await text(guest)).includes("one_connection_is_enough"), "hidden stays hidden");
assert.ok(!(await guest.content()).includes("ana-laptop") && !(await guest.content()).includes("/home/ana"), "the machine stays private");
assert.equal(await guest.locator("meta[name=robots]").getAttribute("content"), "noindex, nofollow");
await go(page, SESSION);
await page.getByRole("heading", { name: "The test" }).waitFor();
await page.getByText("hidden from the shared link").waitFor();
await page.getByText("Share or make private").click();
await page.getByRole("button", { name: "Make it private" }).click();
await page.getByRole("status").filter({ hasText: "private again" }).waitFor();
await go(guest, link, 404);

// Search, from any page.
await page.getByRole("searchbox", { name: "Search sessions" }).fill("deadlock OR 500");
await page.getByRole("searchbox", { name: "Search sessions" }).press("Enter");
await page.getByText("1 session found").waitFor();
await shot(page, "search");
assert.ok(await page.locator(".snippet mark").count() > 0);
await page.locator(".snippet a").first().click();
await page.waitForURL(/#m\d+$/);
await go(page, `/search?q=${encodeURIComponent('title:"')}&project=nope&days=7&by=recent&page=9999999`);
await go(page, `/search?q=${"x".repeat(900)}`);

// A key is shown once and works, and revoked it does not; no page takes it, and no API takes the cookie.
await go(page, "/api-keys");
await page.getByLabel("Name").fill("laptop <script>alert(1)</script>");
await page.getByLabel(/^write/).check();
await page.getByLabel("Lasts").selectOption("30");
await page.getByRole("button", { name: "Create key" }).click();
const made = await page.locator("#secret").innerText();
assert.match(made, /^sk_live_[0-9a-f]{48}$/);
await shot(page, "keys");
await quiet(page);
const list = async (headers) => (await fetch(`${base}/api/v1/projects`, { headers })).status;
assert.equal(await list({ authorization: `Bearer ${made}` }), 200);
await go(page, "/settings/api-keys");
assert.ok(!(await page.content()).includes(made), "a secret is shown once");
await page.getByRole("button", { name: /^Revoke laptop/ }).click();
await page.getByRole("status").filter({ hasText: "revoked" }).waitFor();
assert.equal(await list({ authorization: `Bearer ${made}` }), 401);
const cookie = (await context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
assert.equal(await list({ cookie }), 401);
const bearer = await fetch(base + SESSION, { headers: { authorization: `Bearer ${key}` }, redirect: "manual" });
assert.equal(bearer.status, 303);

// A code, large; devices.
await go(page, "/cli-login");
assert.match(await page.locator("#code").innerText(), /^[A-Za-z0-9]{3}-[A-Za-z0-9]{3}$/);
await shot(page, "cli-login");
await go(page, "/settings/devices");
await shot(page, "devices");
await page.getByRole("button", { name: /^Revoke/ }).click();
await page.getByRole("status").filter({ hasText: "revoked" }).waitFor();
await go(page, "/resume");
await shot(page, "resume");
await go(guest, "/resume");

// The hostile session, everywhere that it shows; then everything in it that can be clicked or opened.
await page.getByRole("searchbox", { name: "Search sessions" }).fill("heliotrope");
await page.getByRole("searchbox", { name: "Search sessions" }).press("Enter");
await page.getByText("1 session found").waitFor();
await quiet(page);
const evilPages = ["/projects", "/projects/evil", EVIL, `${EVIL}/sharing`];
for (const path of evilPages) {
  await go(page, path);
  for (const details of await page.locator("details").all()) await details.evaluate((node) => (node.open = true));
  await page.evaluate(() => document.querySelectorAll("main *").forEach((node) => node.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }))));
  const found = await page.evaluate(() => {
    const bad = [];
    for (const node of document.querySelectorAll("*")) {
      for (const { name, value } of node.attributes) {
        if (name.startsWith("on") || name === "style" || /^\s*(javascript|data|vbscript):/i.test(value)) bad.push(`${node.tagName} ${name}=${value}`);
      }
      const known = ["SCRIPT", "LINK", "FORM", "META"].includes(node.tagName);
      if (known && node.closest("main") && node.tagName !== "FORM") bad.push(node.outerHTML);
      if (node.tagName === "FORM" && !node.querySelector("[name=csrf]") && node.method === "post") bad.push(node.outerHTML);
      if (["IMG", "IFRAME", "OBJECT", "EMBED", "BASE", "STYLE", "VIDEO", "AUDIO"].includes(node.tagName)) bad.push(node.outerHTML);
    }
    return bad;
  });
  assert.deepEqual(found, [], path);
  await quiet(page);
}
await go(page, EVIL);
await shot(page, "hostile");
await page.getByText("Share or make private").click();
await page.getByRole("button", { name: "Share by link" }).click();
await page.getByRole("status").filter({ hasText: "Whoever has the link" }).waitFor();
const evilLink = await page.locator(".note.warm a").getAttribute("href");
await go(guest, evilLink);
await shot(guest, "hostile-share");

// What is another's is not there, and the page says the same of what nobody has.
const { page: stranger } = await open();
await stranger.goto(`${base}/login`);
await signIn(stranger, other);
await stranger.waitForURL(`${base}/projects`);
await stranger.getByText("Nothing here yet").waitFor();
await shot(stranger, "nothing");
for (const path of [PROJECT, SESSION, `${SESSION}/sharing`, `${SESSION}/messages/0`, `${SESSION}/download/markdown`, "/projects/nope"]) {
  await go(stranger, path, 404);
}
await shot(stranger, "not-found");

// A form without its token changes nothing.
const forged = await page.request.post(`${base}${SESSION}/delete`, { form: {}, maxRedirects: 0 });
assert.equal(forged.status(), 403);
await go(page, SESSION);

// Everyone can use the pages: axe finds nothing, in both colours; a telephone scrolls in one direction only.
for (const scheme of ["light", "dark"]) {
  const { page: checked, context: bypassing } = await open({ bypassCSP: true, colorScheme: scheme });
  await bypassing.addCookies(await context.cookies());
  const paths = ["/projects", PROJECT, SESSION, `${SESSION}/sharing`, LARGE, "/search?q=pool", "/settings/api-keys", "/settings/devices", "/cli-login", "/resume", evilLink, EVIL];
  const look = async (path) => {
    await checked.goto(base + path);
    await checked.evaluate(axe);
    // The headings inside of what agents wrote are theirs, in whatever order.
    const enabled = !/sessions|share/.test(path);
    const options = { resultTypes: ["violations"], rules: { "heading-order": { enabled } } };
    const { violations } = await checked.evaluate((options) => window.axe.run(document, options), options);
    const told = violations.map((v) => `${path} ${scheme} ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 200)} ${n.failureSummary}`).join(" | ")}`);
    assert.deepEqual(told, []);
  };
  for (const path of paths) await look(path);
  await shot(checked, `hostile-${scheme}`);
  await checked.goto(base + SESSION);
  await shot(checked, `session-${scheme}`);
  await checked.goto(`${base}/projects`);
  await shot(checked, `projects-${scheme}`);
  await bypassing.clearCookies();
  await look("/login");
  await look("/projects/nope");
}
const { page: phone, context: phones } = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
await phones.addCookies(await context.cookies());
for (const path of ["/projects", PROJECT, SESSION, `${SESSION}/sharing`, "/search?q=pool", "/settings/api-keys", "/cli-login", "/resume", EVIL]) {
  await go(phone, path);
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 1, `${path} is ${wide} pixels too wide for a telephone`);
}
await go(phone, SESSION);
await shot(phone, "phone-session");
await go(phone, "/projects");
await shot(phone, "phone-projects");

// Deleting, and signing out for good.
await go(page, ODD);
await page.getByText("Delete", { exact: true }).click();
await page.getByRole("button", { name: "Delete this session" }).click();
await page.getByRole("status").filter({ hasText: "in the trash" }).waitFor();
await go(page, ODD, 404);
await go(page, "/projects/evil");
await page.getByText("Delete this project").click();
await page.getByRole("button", { name: "Delete the project and its sessions" }).click();
await page.getByRole("status").filter({ hasText: "deleted" }).waitFor();
await go(guest, evilLink, 404);
await page.getByRole("button", { name: "Sign out" }).click();
await page.waitForURL(`${base}/login`);
await go(page, "/projects");
assert.ok(page.url().startsWith(`${base}/login`));
assert.equal((await fetch(base + SESSION, { headers: { cookie }, redirect: "manual" })).status, 303, "the cookie is ended here too");

await guests.close();
await quiet(page);
await browser.close();
console.log("ok");
