// Takes the README's pictures from a running server: node take.mjs "http://127.0.0.1:8377/#key=…" EMAIL PASSWORD (the
// address, and who signs in on the pages, as `sessiongraph demo` prints them). Without the last two, only the playground's.
// Needs a Chromium: CHROMIUM names one, else the usual places are tried.
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [address, email, password] = process.argv.slice(2);
if (!address?.includes("#key=")) {
  console.error('usage: node take.mjs "http://127.0.0.1:8377/#key=…" [EMAIL PASSWORD]');
  process.exit(2);
}
const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = places.find((path) => path && existsSync(path));
if (!executablePath) {
  console.error("no Chromium found, set CHROMIUM to one");
  process.exit(1);
}
const target = join(dirname(fileURLToPath(import.meta.url)), "../../docs/images");
mkdirSync(target, { recursive: true });

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 } });
  const elsewhere = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith("http") && url.origin !== new URL(address).origin) elsewhere.push(request.url());
  });
  await page.goto(address);
  const run = page.locator(".graphiql-execute-button");
  await run.waitFor();
  // The second of the page's own tabs is a search.
  await page.locator(".graphiql-tab-button").nth(1).click();
  await page.waitForTimeout(1500);
  const answered = page.waitForResponse((r) => r.url().endsWith("/graphql") && r.request().method() === "POST");
  await run.click();
  await answered;
  await page.waitForTimeout(1500);
  await page.mouse.move(5, 755);
  await page.screenshot({ path: join(target, "playground.png") });
  console.log("docs/images/playground.png");
  if (password) {
    // A session that a search finds, with one of its tool calls open.
    await page.goto(new URL("/search?q=deadlock", address).href);
    await page.getByLabel("Mail address").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".list h2 a").first().click();
    await page.locator(".talk .fold > summary").nth(1).click();
    await page.screenshot({ path: join(target, "session.png") });
    console.log("docs/images/session.png");
  }
  if (elsewhere.length > 0) throw new Error(`the page asked other machines: ${elsewhere.join(", ")}`);
} finally {
  await browser.close();
}
