// The whole triage without a pointer, and what keys must not do.
import assert from "node:assert/strict";
import { openPanel, startProgram, test, until } from "./harness.mjs";

export default async function keyboard(browser) {
  const program = await startProgram("--sandbox");
  const { page, id, wrongs, context } = await openPanel(browser, program, { theme: "light" });
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Tabs until the element has the focus, as a person would. */
  const tabTo = async (testid) => {
    for (let i = 0; i < 80; i++) {
      await press("Tab");
      if ((await page.evaluate(() => document.activeElement?.getAttribute("data-testid"))) === testid) return;
    }
    assert.fail(`Tab does not reach ${testid}`);
  };

  await test("break, find, mend and replay by keys alone", async () => {
    await id("figure-delivered").waitFor();
    await press("g", "s");
    await id("system-row").first().waitFor();
    const at = async () => page.locator("tr.current").getAttribute("data-name");
    for (let i = 0; i < 3 && (await at()) !== "hubspot"; i++) await press("j");
    assert.equal(await at(), "hubspot");
    await id("fault-error_500").waitFor();
    await tabTo("fault-error_500");
    await press("Space");
    await until("the dial is on", async () => (await id("fault-error_500").getAttribute("aria-checked")) === "true");
    await press("g", "l");
    await id("group-card").first().waitFor({ timeout: 20_000 });
    assert.match(await id("group-card").first().innerText(), /500/);
    await program.faults("hubspot", { error_500: { share: 0 } });
    await program.faults("salesforce", { paused: true });
    await until("nothing is on its way", async () => (await program.count("state:queued,sending,retrying")) === 0, {
      within: 40_000,
    });
    for (let round = 0; round < 5 && (await program.count("state:dead")) > 0; round++) {
      const card = page.locator('[data-testid="group-card"][aria-pressed="true"]');
      const group = await card.getAttribute("data-group");
      await press("r", "Enter");
      // The line of a round before stands there until the plan is gone.
      await id("replay-plan").waitFor({ state: "detached" });
      await until(
        "the replay has ended",
        async () => (await id("replay-progress").getAttribute("data-replay-state")) === "done",
        { within: 60_000 },
      );
      if ((await program.count(`state:dead group:${group}`)) > 0) continue;
      const emptied = page.locator(`[data-testid="group-card"][data-group="${group}"]`);
      await emptied.waitFor({ state: "detached" });
    }
    assert.equal(await program.count("state:dead"), 0);
  });

  await test("keys typed into the filter are text", async () => {
    await press("g", "d");
    await id("delivery-row").first().waitFor();
    await press("/");
    await page.keyboard.type("rxed");
    assert.equal(await id("filter-input").inputValue(), "rxed");
    assert.equal(await id("replay-plan").count(), 0);
    await press("Escape", "Escape");
  });

  await test("J, X and R mean the rows; Escape gives them back one by one", async () => {
    await press("j", "x", "j", "x");
    assert.match(await page.locator('[role="toolbar"]').innerText(), /2 selected/);
    await press("Enter");
    await id("drawer").waitFor();
    await press("Escape");
    await id("drawer").waitFor({ state: "detached" });
    assert.match(await page.locator('[role="toolbar"]').innerText(), /2 selected/);
    await press("Escape");
    await page.locator('[role="toolbar"]').waitFor({ state: "detached" });
  });

  await test("Space peeks at a row and lets go of it; the list keeps the focus", async () => {
    await press("j", "Space");
    await id("drawer").waitFor();
    const first = await id("drawer").innerText();
    await press("j");
    await until("the drawer goes along", async () => (await id("drawer").innerText()) !== first);
    await press("Space");
    await id("drawer").waitFor({ state: "detached" });
    await page.locator('[role="grid"] .current').waitFor();
    await press("Escape");
  });

  await test("F offers what the row says, and Enter makes it the filter", async () => {
    await press("j", "f");
    const offers = page.getByRole("listbox", { name: "Terms" });
    await offers.waitFor();
    assert.match(await offers.innerText(), /state:\w+[\s\S]*system:\w+[\s\S]*event:evt_/);
    assert.equal(await id("filter-input").inputValue(), "");
    await press("ArrowDown", "Enter");
    await until("the address has it", () => /filter=system%3A(hubspot|crm)$/.test(page.url()));
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("role")), "grid");
    await press("j", "f", "Escape");
    await offers.waitFor({ state: "detached" });
    assert.match(page.url(), /filter=system%3A(hubspot|crm)/);
    await press("Escape", "Escape");
    await until("all again", () => !page.url().includes("filter="));
  });

  await test("the preferences open by their key and give the focus back", async () => {
    await press("Control+,");
    const panel = page.getByRole("group", { name: "Appearance and keys" });
    await panel.waitFor();
    await press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), "System");
    await press("Escape");
    await panel.waitFor({ state: "detached" });
    await press("?");
    const help = page.getByRole("dialog", { name: "Keyboard" });
    for (const title of ["Peek, again to close", "Filter by what the row says", "Appearance and keys"])
      assert.ok((await help.innerText()).includes(title), title);
    await press("Escape");
    await help.waitFor({ state: "detached" });
  });

  await test("a dialog that is opened the moment another one closes stays open", async () => {
    await press("Control+k");
    await page.getByRole("listbox", { name: "Found" }).waitFor();
    // The browser tells of the close after the next key.
    await page.evaluate(() => {
      document.querySelector("dialog[open]").close();
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
    });
    const help = page.getByRole("dialog", { name: "Keyboard" });
    await help.waitFor();
    await page.evaluate(() => new Promise((told) => setTimeout(told)));
    assert.ok(await help.isVisible());
    await press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await press("?");
    await help.waitFor();
    await press("Escape");
    await help.waitFor({ state: "detached" });
  });

  await test("with single keys off they do nothing, and the others still do", async () => {
    await press("?");
    await page.getByLabel("Single keys act").uncheck();
    await press("Escape", "Escape", "j");
    assert.equal(await page.locator('[role="grid"] .current').count(), 0);
    await press("ArrowDown");
    await page.locator('[role="grid"] .current').waitFor();
    await press("Control+k");
    await page.getByRole("combobox", { name: "Search or run" }).waitFor();
    await page.keyboard.type("dead letters");
    await press("Enter");
    await page.getByRole("heading", { name: "Dead letters", level: 1 }).waitFor();
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
}
