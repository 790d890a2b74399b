// The README's pictures, taken from a sandbox that really runs: nothing on them is made up.
//
//   npm run shots [-- NAME…]     SHOTS_MINUTES=12 is how long the sandbox lives before the pictures
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openPanel, startBrowser, startProgram, until } from "./harness.mjs";

const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const lives = Number(process.env.SHOTS_MINUTES ?? 12) * 60_000;
// Where the machine has them; elsewhere the system's own faces.
const FACES = `:root { --ui: "Inter", system-ui, sans-serif; --mono: "JetBrains Mono", ui-monospace, monospace; }`;
const wanted = process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

mkdirSync(folder, { recursive: true });
const browser = await startBrowser();

async function picture(program, name, theme, hash, ready) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  // The link that the program printed works for ten minutes only.
  program.link = (await program.post("sign-in-links")).link;
  const { page, id, context } = await openPanel(browser, program, { theme, bypassCSP: true });
  await page.addStyleTag({ content: FACES });
  await page.evaluate((h) => (location.hash = h), hash);
  await ready({ page, id });
  await page.mouse.move(640, 20);
  await sleep(700);
  await page.screenshot({ path: `${folder}${name}-${theme}.png` });
  console.log(`${name}-${theme}.png`);
  await context.close();
}

const empty = await startProgram();
await picture(empty, "first-run", "dark", "", async ({ id }) => id("start-sandbox").waitFor());
await empty.stop();

const program = await startProgram("--sandbox", "--seed", "7");
await program.faults("salesforce", { per_second: 3 });
const began = Date.now();
for (let i = 0; Date.now() - began < lives; i++) {
  const passed = (Date.now() - began) / lives;
  const wave = Math.sin(i / 3) * Math.cos(i / 7);
  await program.faults("hubspot", {
    latency_ms: Math.round(150 + 60 * wave + (passed > 0.3 && passed < 0.36 ? 500 : 0)),
    error_500: { share: passed > 0.92 ? 1 : passed > 0.45 && passed < 0.5 ? 0.15 : 0 },
  });
  await program.faults("crm", { latency_ms: Math.round(70 + 20 * wave) });
  await sleep(4000);
}
await until("dead letters", async () => (await program.count("state:dead")) > 10, { within: 60_000 });

await picture(program, "overview", "light", "#/overview", async ({ id }) => id("figure-failing").waitFor());
await program.faults("crm", { outage: true });
await until(
  "the CRM's breaker is open",
  async () => (await program.get("systems")).items.some((s) => s.breaker.state === "open"),
  { within: 60_000 },
);
await picture(program, "breaker", "light", "#/systems/crm", async ({ id }) => id("breaker-open").waitFor());
await picture(program, "systems", "dark", "#/systems/hubspot", async ({ id }) => id("fault-rate_429").waitFor());
await picture(
  program,
  "deliveries",
  "dark",
  "#/deliveries?filter=system%3Ahubspot+state%3Adead%2Cdelivered",
  async ({ page, id }) => {
    await page.locator('[data-delivery-state="dead"]').first().click();
    await id("explain").waitFor();
  },
);
await program.faults("hubspot", { error_500: { share: 0 } });
await program.faults("crm", { outage: false });
await until(
  "the gate is clear",
  async () => (await program.get("systems")).items.every((s) => s.gate.state === "clear"),
  { within: 60_000 },
);
await picture(program, "dead-letters", "light", "#/dead-letters", async ({ page, id }) => {
  await page.locator(".sample").waitFor();
  await page.keyboard.press("r");
  await until("the plan", async () => /Replay \d/.test(await id("replay-confirm").innerText()));
});
await picture(program, "mapping", "dark", "#/integrations/crm-sync?tab=mapping", async ({ page, id }) => {
  await id("mapping-editor").locator(".cm-line", { hasText: "phone: .Phone" }).click();
  for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
  await page.keyboard.type('  phone: ("tel:" + .Phone),');
  await page.keyboard.press("Control+Enter");
  await id("preview-changed").waitFor();
});
await program.stop();
await browser.close();
