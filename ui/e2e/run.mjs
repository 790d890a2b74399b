// The panel in Chromium against the real program. Names of specs as arguments run only those.
import { readdirSync } from "node:fs";
import { report, startBrowser } from "./harness.mjs";

const wanted = process.argv.slice(2);
const specs = readdirSync(new URL(".", import.meta.url))
  .filter((f) => f.endsWith(".spec.mjs"))
  .sort();
const browser = await startBrowser();
try {
  for (const spec of specs) {
    if (wanted.length > 0 && !wanted.some((w) => spec.startsWith(w))) continue;
    console.log(spec);
    const { default: run } = await import(new URL(spec, import.meta.url));
    await run(browser);
  }
} finally {
  await browser.close();
}
report();
