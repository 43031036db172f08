// Takes the README's picture from a running server: node take.mjs "http://127.0.0.1:8377/#key=…" (the address that
// `sessiongraph demo` prints). Needs a Chromium: CHROMIUM names one, else the usual places are tried.
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const address = process.argv[2];
if (!address?.includes("#key=")) {
  console.error('usage: node take.mjs "http://127.0.0.1:8377/#key=…"');
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
  if (elsewhere.length > 0) throw new Error(`the page asked other machines: ${elsewhere.join(", ")}`);
} finally {
  await browser.close();
}
