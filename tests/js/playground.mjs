// The playground in a real browser: `node playground.mjs SIGNED_IN_URL [SCREENSHOT_FOLDER]`. Loads it signed in, runs an
// example, checks that nothing left the machine and nothing was complained about, then that a bad key is explained.
import assert from "node:assert/strict";
import { join } from "node:path";
import { launch, watch } from "./browser.mjs";

const [url, shots] = process.argv.slice(2);
const origin = new URL(url).origin;
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const { complaints, elsewhere } = watch(page, origin);
const shot = (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });

await page.goto(url);
await page.getByTestId("signed-in").waitFor();
assert.ok(!page.url().includes("key="), `the key stays in the address: ${page.url()}`);
const tabButton = (name) => page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) });
await tabButton("Search").waitFor();

const answer = () => page.locator(".graphiql-response .view-lines").innerText();
const play = async (tab, expected) => {
  await tabButton(tab).click();
  const answered = page.waitForResponse((r) => r.url().endsWith("/api/v1/graphql") && r.request().postData()?.includes(`query ${tab}`));
  await page.locator("button.graphiql-execute-button").click();
  const body = await (await answered).json();
  assert.equal(body.errors, undefined, `${tab}: ${JSON.stringify(body.errors)}`);
  assert.ok(expected(body.data), `${tab}: ${JSON.stringify(body.data).slice(0, 400)}`);
  await page.waitForFunction(() => document.querySelector(".graphiql-response .view-lines")?.innerText.includes("data"));
  await shot(tab);
};
await play("Projects", (data) => data.projects.length > 0 && data.projects[0].sessions.nodes.length > 0);
assert.match((await answer()).replaceAll("\u00a0", " "), /"projects"/);
await play("Search", (data) => data.searchSessions.total > 0 && data.searchSessions.results[0].snippet.includes("<mark>") && data.searchSessions.facets.length > 0);
await play("OneSession", (data) => data.session.messages.nodes.length > 0);
await play("Figures", (data) => data.stats.totalSessions > 0);
await play("Filtered", (data) => data.sessions.nodes.length > 0);

// A reload stays signed in; a key that is not known is explained.
await page.reload();
await page.getByTestId("signed-in").waitFor();
assert.deepEqual(complaints, []);
await page.getByRole("button", { name: "Sign out" }).click();
await page.getByLabel("API key").fill("sk_live_0000");
await page.getByRole("button", { name: "Sign in" }).click();
await page.getByRole("alert").filter({ hasText: "not known here" }).waitFor();
await shot("SignIn");
assert.deepEqual(elsewhere, []);
await browser.close();
console.log("ok");
