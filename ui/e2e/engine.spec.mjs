// One edit for a group and mapping time-travel in the sandbox: what the panel says is what the engine does.
import assert from "node:assert/strict";
import { openPanel, startProgram, test, until } from "./harness.mjs";

export default async function engine(browser) {
  const program = await startProgram("--sandbox", "--seed", "7");
  const { page, id, wrongs, context } = await openPanel(browser, program, { theme: "light" });
  const at = (hash) => page.evaluate((h) => (location.hash = h), hash);

  await test("one edit is tried on its group, and replays it with each record's own values", async () => {
    await program.faults("crm", { renamed_field: true });
    await program.faults("salesforce", { paused: false, per_second: 4 });
    await until("some died", async () => (await program.count("state:dead destination:crm")) >= 4, { within: 40_000 });
    await program.silence();
    await until("nothing is on its way", async () => (await program.count("state:queued,sending,retrying")) === 0, {
      within: 40_000,
    });
    const dead = await program.count("state:dead destination:crm");
    await at("#/dead-letters");
    await page.locator(".sample").waitFor();
    await page.keyboard.press("e");
    await id("json-editor").locator(".cm-content").waitFor();
    const line = id("json-editor").locator(".cm-line", { hasText: '"firstname"' });
    const renamed = (await line.innerText()).trim().replace("firstname", "first_name");
    await line.click();
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type(renamed);
    await until("the group can take it", async () => id("edit-group").isEnabled());
    await id("edit-group").click();
    await until("how many it fits", async () => new RegExp(`^${dead} fit`).test(await id("patch-fit").innerText()));
    assert.match(await id("group-patch").innerText(), /Rename\s+firstname/);
    await id("patch-send").click();
    // Later ones of the same keys go on behind them and meet the renamed field in their turn.
    await until(
      "all of them arrived",
      async () => (await id("replay-progress").innerText()).includes(`${dead} of ${dead} confirmed`),
      { within: 60_000 },
    );
    await program.faults("crm", { renamed_field: false });
    const bodies = (await program.get("sandbox/systems/crm/received")).items.map((i) => JSON.parse(i.body));
    const names = new Set(bodies.flatMap((b) => b.first_name ?? []));
    assert.ok(names.size > 1, "each kept its own name");
  });

  await test("a changed mapping is tried on what has arrived, and then saved", async () => {
    await at("#/integrations/crm-sync?tab=mapping");
    const editor = id("mapping-editor");
    await editor.locator(".cm-content").waitFor();
    const line = editor.locator(".cm-line", { hasText: "phone: .Phone" });
    await line.click();
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type("phone: (.Phone | ltrimstr(");
    await page.keyboard.press("Control+Enter");
    await until("the problem's place", async () => /crm-sync\.toml:\d+:\d+/.test(await id("preview").innerText()));
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type('phone: ("tel:" + .Phone),');
    await page.keyboard.press("Control+Enter");
    await until("what differs", async () => Number((await id("preview-changed").innerText()).replace(/\D/g, "")) > 0);
    assert.equal(await id("preview-new-failures").innerText(), "0");
    assert.match(await id("preview-example").first().innerText(), /tel:/);
    const { version } = await program.get("integrations/crm-sync");
    await page.keyboard.press("Control+s");
    await until("another version runs", async () => (await program.get("integrations/crm-sync")).version !== version);
    assert.match((await program.get("integrations/crm-sync/files")).files.map((f) => f.text).join(""), /tel:/);
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
}
