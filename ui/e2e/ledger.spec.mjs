// The list of deliveries: filter, address, stillness under load, editing one, discarding and taking it back.
import assert from "node:assert/strict";
import { openPanel, startProgram, test, until } from "./harness.mjs";

export default async function ledger(browser) {
  const program = await startProgram("--sandbox");
  const { page, id, wrongs, context } = await openPanel(browser, program);
  const total = async () => Number((await id("total").innerText()).replace(/\D/g, ""));

  await test("a wrong filter says what was meant and empties nothing", async () => {
    await id("nav-deliveries").click();
    await id("delivery-row").first().waitFor();
    await id("filter-input").fill("state:ded");
    await page.keyboard.press("Enter");
    await id("filter-problem").waitFor();
    assert.equal(await id("filter-input").getAttribute("aria-invalid"), "true");
    assert.ok((await id("delivery-row").count()) > 0);
    await id("filter-problem").getByRole("button", { name: "Use state:dead" }).click();
    await id("filter-problem").waitFor({ state: "detached" });
    assert.match(page.url(), /filter=state%3Adead/);
  });

  await test("the address carries the filter through a reload", async () => {
    await program.faults("salesforce", { paused: true });
    await until("all has ended", async () => (await program.count("state:queued,sending,retrying,held")) === 0);
    await id("filter-input").fill("");
    await page.evaluate(() => (location.hash = "#/deliveries?filter=state%3Adelivered+system%3Ahubspot"));
    // Asked for anew each time: what Salesforce was saying when it was paused may come only now.
    const isTold = async () => (await total()) === (await program.count("state:delivered system:hubspot"));
    await until("the total", isTold);
    await page.reload();
    await until("the total after a reload", isTold);
    assert.equal(await page.locator(".chip").count(), 2);
  });

  await test("a focused row does not move while 50 events a second arrive", async () => {
    await program.faults("salesforce", { paused: false, per_second: 50 });
    await page.evaluate(() => (location.hash = "#/deliveries"));
    // Rows of the filter before stay until those of all are there.
    await until(
      "all deliveries",
      async () => (await total()) > (await program.count("state:delivered system:hubspot")),
    );
    await id("delivery-row").nth(20).waitFor();
    await page.keyboard.press("j");
    for (let i = 0; i < 40; i++) await page.keyboard.press("j");
    const row = page.locator('[role="grid"] .current');
    const name = await row.getAttribute("id");
    const top = (await row.boundingBox()).y;
    await id("fresh-pill").waitFor();
    for (let i = 0; i < 30; i++) {
      await page.waitForTimeout(100);
      assert.equal((await page.locator(`#${name}`).boundingBox()).y, top);
    }
    await page.keyboard.press(".");
    await until(
      "the newest are on top",
      async () =>
        (await id("fresh-pill").count()) === 0 ||
        (await page.locator('[role="grid"]').evaluate((g) => g.scrollTop)) === 0,
    );
    await program.faults("salesforce", { per_second: 2 });
  });

  await test("one dead letter is edited and sent again with every digit", async () => {
    await program.faults("crm", { renamed_field: true });
    await until("some died", async () => (await program.count("state:dead destination:crm")) >= 3, { within: 20_000 });
    await program.faults("salesforce", { paused: true });
    await id("nav-dead-letters").click();
    await id("group-card").first().waitFor();
    await page.locator(".sample").waitFor();
    await page.keyboard.press("e");
    await id("json-editor").locator(".cm-content").waitFor();
    const before = await program.count("state:delivered destination:crm");
    const line = id("json-editor").locator(".cm-line", { hasText: '"firstname"' });
    const renamed = (await line.innerText()).trim().replace("firstname", "first_name");
    await line.click();
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type(renamed);
    await until("it is JSON and changed", async () => id("edit-send").isEnabled());
    await page.keyboard.press("Control+Enter");
    await until("it was confirmed", async () => (await program.count("state:delivered destination:crm")) > before, {
      within: 20_000,
    });
    await program.faults("crm", { renamed_field: false });
  });

  await test("bulk: what is selected stays selected, and the plan has its number", async () => {
    await page.evaluate(() => (location.hash = "#/deliveries?filter=state%3Adead"));
    await id("delivery-row").first().waitFor();
    const n = Math.min(2, await id("delivery-row").count());
    for (let i = 0; i < n; i++) await id("delivery-row").nth(i).locator("input").click();
    assert.match(await page.locator('[role="toolbar"]').innerText(), new RegExp(`${n} selected`));
    await page.keyboard.press("r");
    await until("the plan", async () => (await id("replay-confirm").innerText()).includes(`Replay ${n}`));
    await page.keyboard.press("Escape");
    await id("replay-plan").waitFor({ state: "detached" });
  });

  await test("a group is discarded after a question, and taken back", async () => {
    await id("nav-dead-letters").click();
    await until("a group is left", async () => (await id("group-card").count()) > 0);
    const dead = await program.count("state:dead");
    await page.locator(".sample").waitFor();
    await page.keyboard.press("d");
    await id("discard-confirm").click();
    await until("they are discarded", async () => (await program.count("state:discarded")) > 0);
    // The engine knows before the panel does.
    await page.getByRole("button", { name: /^Undo/ }).waitFor();
    await page.keyboard.press("Control+z");
    await until("they are dead again", async () => (await program.count("state:dead")) === dead);
  });

  await test("a rejected request is where one looks for it", async () => {
    await program.faults("salesforce", { paused: false, bad_signature: { share: 1 } });
    await until("one was refused", async () => (await program.get("rejected")).items.length > 0, { within: 20_000 });
    await id("nav-deliveries").click();
    await id("nav-rejected").click();
    await id("rejected-row").first().waitFor();
    assert.match(await page.locator("main").innerText(), /signature/i);
    await program.faults("salesforce", { bad_signature: { share: 0 } });
  });

  await test("a chart's tooltip stays on its bucket", async () => {
    await id("nav-overview").click();
    const chart = page.locator('section[aria-label="In and out"] svg[role=img]');
    await chart.waitFor();
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + box.width - 60, box.y + 50);
    const tip = page.locator(".tip").first();
    const name = (await tip.innerText()).split("\n")[0];
    await page.waitForTimeout(3000);
    assert.equal((await tip.innerText()).split("\n")[0], name);
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
}
