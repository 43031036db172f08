// The REST API's documents in a real browser: `node docs.mjs BASE_URL KEY [SCREENSHOT_FOLDER]`. Swagger UI shows every
// operation and tries one with a key; ReDoc shows them all and finds one. Nothing leaves the machine, nothing breaks the
// page's policy, nothing is complained about.
import assert from "node:assert/strict";
import { join } from "node:path";
import { launch, watch } from "./browser.mjs";

const [base, key, shots] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(60_000);
const { complaints, elsewhere } = watch(page, base);
await page.addInitScript(() => {
  window.broken = [];
  document.addEventListener("securitypolicyviolation", (event) => window.broken.push(`${event.violatedDirective} ${event.blockedURI}`));
});
const shot = (name) => shots && page.screenshot({ path: join(shots, `${name}.png`) });
const check = async (what) => {
  assert.deepEqual(await page.evaluate(() => window.broken), [], what);
  assert.deepEqual(complaints, [], what);
  assert.deepEqual(elsewhere, [], what);
};

const description = await (await fetch(`${base}/api/openapi.json`)).json();
const operations = Object.values(description.paths).flatMap((item) => Object.values(item));
assert.ok(operations.length > 30);

await page.goto(`${base}/api/docs`);
await page.locator(".opblock").first().waitFor();
assert.equal(await page.locator(".opblock").count(), operations.length);
await shot("docs");
await page.getByRole("button", { name: "Authorize" }).first().click();
const dialog = page.locator(".modal-ux .auth-container", { hasText: "An API key" });
await dialog.locator("input").fill(key);
await dialog.getByRole("button", { name: /apply|authorize/i }).click();
await page.locator(".modal-ux .close-modal").click();
const block = page.locator("#operations-projects-listProjects");
await block.locator(".opblock-summary-control").click();
await block.getByRole("button", { name: "Try it out" }).click();
const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/api/v1/projects");
await block.getByRole("button", { name: "Execute" }).click();
const answer = await answered;
assert.equal(answer.status(), 200);
assert.ok((await answer.json()).data.total > 0);
await block.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
await shot("docs-tried");
await check("Swagger UI");

await page.goto(`${base}/api/redoc`);
for (const { operationId } of operations) {
  await page.locator(`[id$="operation/${operationId}"]`).first().waitFor({ state: "attached" });
}
await page.getByPlaceholder("Search...").pressSequentially("exchange");
await page.locator("[data-role='search:results'] li", { hasText: "Change an exchange" }).first().waitFor();
await shot("redoc");
await check("ReDoc");
await browser.close();
console.log("ok");
