// node look.tmp.mjs theme width hash name [keys...]
import { chromium } from "playwright-core";
const base = process.env.BASE ?? "http://localhost:5199/";
const jobs = JSON.parse(process.argv[2]);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
for (const j of jobs) {
  const [w, h] = j.size ?? [1280, 800];
  const context = await browser.newContext({ viewport: { width: w, height: h }, colorScheme: j.theme ?? "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("pageerror", (e) => console.log(j.name, "ERROR", e.message));
  page.on("console", (m) => m.type() === "error" && console.log(j.name, "console", m.text()));
  await page.goto(base + j.hash);
  await page.waitForTimeout(1500);
  for (const step of j.steps ?? []) {
    if (step.click) await page.locator(step.click).first().click({ timeout: 4000 }).catch((e) => console.log(j.name, e.message.split("\n")[0]));
    if (step.key) await page.keyboard.press(step.key);
    if (step.type) await page.keyboard.type(step.type);
    if (step.eval) await page.evaluate(step.eval);
    await page.waitForTimeout(step.wait ?? 500);
  }
  await page.screenshot({ path: `/tmp/looks/${j.name}.png` });
  await context.close();
}
await browser.close();
