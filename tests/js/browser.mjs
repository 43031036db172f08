// A real browser for the scripts beside this one: Debian's Chromium, which asks no other host for anything by itself.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

/** Starts it. */
export const launch = () => chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** What a page complains about, and what it asks of hosts other than `origin`: two lists that grow as it does. */
export const watch = (page, origin) => {
  const complaints = [];
  const elsewhere = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  // Monaco rejects what its workers were still asked when an editor goes away, and says so to nobody who listens.
  page.on("pageerror", (error) => String(error) === "Canceled: Canceled" || complaints.push(String(error)));
  page.on("request", (request) => {
    const at = new URL(request.url());
    if (!["data:", "blob:"].includes(at.protocol) && at.origin !== origin) elsewhere.push(request.url());
  });
  return { complaints, elsewhere };
};
