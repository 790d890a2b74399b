// axe on every screen and over every layer, light and dark; targets large enough; states told without colour.
import assert from "node:assert/strict";
import { check } from "./axe.mjs";
import { openPanel, startProgram, test, until } from "./harness.mjs";

const SCREENS = [
  ["overview", "#/overview", "figure-delivered"],
  ["integrations", "#/integrations", "nav-integrations"],
  ["an integration", "#/integrations/crm-sync", "flow-delivered"],
  ["deliveries", "#/deliveries", "delivery-row"],
  ["its mapping", "#/integrations/crm-sync?tab=mapping", "mapping-try"],
  ["rejected, with the doctor", "#/rejected", "doctor"],
  ["dead letters", "#/dead-letters", "group-card"],
  ["systems", "#/systems/hubspot", "fault-error_500"],
  ["a system with a breaker", "#/systems/crm", "breaker-open"],
];

export default async function access(browser) {
  const empty = await startProgram();
  for (const theme of ["light", "dark"]) {
    const { page, id, context } = await openPanel(browser, empty, { theme });
    await test(`first run, ${theme}: nothing serious`, async () => {
      await id("start-sandbox").waitFor();
      await check(page, "first run");
    });
    await context.close();
    empty.link = (await empty.post("sign-in-links")).link;
  }
  await empty.stop();

  const program = await startProgram("--sandbox");
  await program.faults("hubspot", { error_500: { share: 1 } });
  await program.faults("salesforce", { bad_signature: { share: 0.3 } });
  await until("some died", async () => (await program.count("state:dead")) > 3, { within: 30_000 });
  for (const theme of ["light", "dark"]) {
    const { page, id, context, wrongs } = await openPanel(browser, program, { theme });
    const at = (hash) => page.evaluate((h) => (location.hash = h), hash);
    for (const [name, hash, sign] of SCREENS) {
      await test(`${name}, ${theme}: nothing serious`, async () => {
        await at(hash);
        await id(sign).first().waitFor();
        await page.waitForTimeout(300);
        await check(page, name);
      });
    }
    await test(`the drawer's tabs, ${theme}: nothing serious`, async () => {
      await at("#/deliveries?filter=state%3Adead");
      await id("delivery-row").first().click();
      await id("explain").waitFor();
      for (const tab of ["1", "2", "3", "4", "5"]) {
        await page.keyboard.press(tab);
        await page.waitForTimeout(100);
        await check(page, `tab ${tab}`);
      }
    });
    await test(`plan, editor, palette and help, ${theme}: nothing serious`, async () => {
      await at("#/dead-letters");
      await page.locator(".sample").waitFor();
      await page.keyboard.press("r");
      await until("the plan", async () => /Replay \d/.test(await id("replay-confirm").innerText()));
      await check(page, "plan");
      await page.keyboard.press("Escape");
      await until("it can be edited", async () => page.getByRole("button", { name: "Edit and replay" }).isEnabled());
      await page.keyboard.press("e");
      await id("json-editor").locator(".cm-content").waitFor();
      await check(page, "editor");
      await page.keyboard.press("Escape");
      await id("json-editor").waitFor({ state: "detached" });
      await page.keyboard.press("Control+k");
      await page.getByRole("listbox", { name: "Found" }).waitFor();
      await check(page, "palette");
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });
      await page.keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      await check(page, "help");
      await page.keyboard.press("Escape");
    });
    await test(`a mapping tried, a breaker's question, one edit for a group and a replay's list, ${theme}: nothing serious`, async () => {
      await at("#/integrations/crm-sync?tab=mapping");
      const editor = id("mapping-editor");
      await editor.locator(".cm-line", { hasText: "phone: .Phone" }).click();
      await press(page, "End", "Shift+Home", "Delete");
      await page.keyboard.type('phone: ("tel:" + .Phone),');
      await id("mapping-try").click();
      await id("preview-example").first().waitFor();
      await check(page, "mapping with a preview");
      await page.getByRole("button", { name: "Throw away" }).click();
      await at("#/systems/crm");
      await id("breaker-open").click();
      await id("breaker-confirm").waitFor();
      await check(page, "breaker dialog");
      await page.keyboard.press("Escape");
      await at("#/dead-letters");
      await page.locator(".sample").waitFor();
      await until("it can be edited", async () => page.getByRole("button", { name: "Edit and replay" }).isEnabled());
      await page.keyboard.press("e");
      await id("json-editor").locator(".cm-line", { hasText: '"firstname"' }).click();
      await press(page, "End", "Shift+Home", "Delete");
      await page.keyboard.type('"firstname": "Axe",');
      await until("the group can take it", async () => id("edit-group").isEnabled());
      await id("edit-group").click();
      await id("patch-fit").waitFor();
      await check(page, "group patch");
      await id("patch-send").click();
      await id("replay-list").click();
      await id("replay-items").locator("tbody tr").first().waitFor();
      await check(page, "replay items");
      await page.keyboard.press("Escape");
    });
    await test(`every target is 24 px or has the room, ${theme}`, async () => {
      for (const [name, hash, sign] of SCREENS) {
        await at(hash);
        await id(sign).first().waitFor();
        assert.deepEqual(await page.evaluate(smallTargets), [], name);
      }
    });
    await test(`the page broke no rule, ${theme}`, () => assert.deepEqual(wrongs, []));
    await context.close();
    program.link = (await program.post("sign-in-links")).link;
  }
  const { page, id, context } = await openPanel(browser, program, {
    theme: "light",
    size: { width: 320, height: 640 },
  });
  for (const [name, hash, sign] of SCREENS) {
    await test(`${name}, zoomed to 400 %: nothing serious, and nothing beside the page`, async () => {
      await page.evaluate((h) => (location.hash = h), hash);
      await id(sign).first().waitFor({ state: "attached" });
      await page.waitForTimeout(200);
      await check(page, name);
      assert.ok(
        (await page.evaluate(() => document.documentElement.scrollWidth)) <= 320,
        "the page is wider than its window",
      );
    });
  }
  await context.close();
  await program.stop();
}

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

/** Runs in the page: what can be pressed and is smaller than 24 px both ways, its ::before counted in. */
function smallTargets() {
  const small = [];
  for (const el of document.querySelectorAll("button, a[href], input, select, summary, [role=switch]")) {
    const box = el.getBoundingClientRect();
    if (box.width === 0 || el.closest(".unseen, .skip")) continue;
    // A link inside a sentence is exempt (WCAG 2.5.8).
    if (el.matches("p a, p button, td a, .say a")) continue;
    const before = getComputedStyle(el, "::before");
    const grown =
      before.content !== "none" && before.position === "absolute" ? Math.abs(parseFloat(before.top) || 0) : 0;
    if (box.height + 2 * grown < 23.5) small.push(`${el.outerHTML.slice(0, 90)} ${box.width}x${box.height}`);
  }
  return small.slice(0, 5);
}
