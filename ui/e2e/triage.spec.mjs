// The main job by mouse and two keys: start, break, see, mend, replay, compare.
import assert from "node:assert/strict";
import { openPanel, startProgram, test, until } from "./harness.mjs";

export default async function triage(browser) {
  const program = await startProgram();
  const { page, id, wrongs, context } = await openPanel(browser, program);

  await test("one Enter starts the sandbox, and its first delivery shows within 5 s", async () => {
    await id("start-sandbox").waitFor();
    const pressed = Date.now();
    await page.keyboard.press("Enter");
    await id("nav-deliveries").click();
    await id("delivery-row").first().waitFor({ timeout: 5000 });
    assert.ok(Date.now() - pressed <= 5000, `it took ${Date.now() - pressed} ms`);
    assert.match(await page.locator("aside[aria-label=Sandbox]").innerText(), /SANDBOX/);
  });

  await test("a row opens its story: a sentence, the request, the answer, the trace", async () => {
    await until("something was delivered", async () => (await program.count("state:delivered")) > 0);
    await id("delivery-row").first().click();
    await id("drawer").waitFor();
    assert.match(await id("explain").innerText(), /Simulated (HubSpot|custom CRM)/);
    for (const [key, words] of [
      ["2", /idempotency-key/],
      ["3", /20\d/],
      ["4", /Attempt 1/],
      ["5", /map/],
    ]) {
      await page.keyboard.press(key);
      await until(`tab ${key}`, async () => words.test(await page.locator("#tab-panel").innerText()));
    }
    await page.keyboard.press("Escape");
    await id("drawer").waitFor({ state: "detached" });
  });

  await test("no secret is on the page", async () => {
    await id("delivery-row").first().click();
    await page.keyboard.press("2");
    // The newest may not have been sent yet.
    const text = () => page.locator("#tab-panel").innerText();
    await until("its credential, masked", async () => /(authorization|x-api-key): .*•{8}/i.test(await text()));
    await page.keyboard.press("Escape");
  });

  await test("HubSpot broken by one click dies within 15 s and says why", async () => {
    await id("nav-systems").click();
    await page.locator('[data-testid="system-row"][data-name="hubspot"]').click();
    await id("fault-error_500").click();
    const broken = Date.now();
    await id("nav-dead-letters").click();
    await id("group-card").first().waitFor({ timeout: 15_000 });
    assert.ok(Date.now() - broken <= 15_000);
    assert.match(await id("group-card").first().innerText(), /500/);
    await id("nav-overview").click();
    await page.getByRole("region", { name: "Failing now" }).waitFor();
    await until("the figure of dead letters", async () =>
      /^[1-9]/m.test(await id("figure-dead").locator("dd").innerText()),
    );
  });

  await test("the number on the button is the plan's and what is sent", async () => {
    await program.faults("hubspot", { error_500: { share: 0 } });
    await program.faults("salesforce", { paused: true });
    await until("nothing is on its way", async () => (await program.count("state:queued,sending,retrying")) === 0, {
      within: 30_000,
    });
    await id("nav-dead-letters").click();
    const dead = await program.count("state:dead");
    await page.keyboard.press("r");
    await until("the plan's number", async () => (await id("replay-confirm").innerText()).includes(`Replay ${dead}`));
    await page.keyboard.press("Enter");
    await id("replay-progress").waitFor();
    await until("none is dead", async () => (await program.count("state:dead")) === 0, { within: 60_000 });
    await until(
      "the end report",
      async () => (await id("replay-progress").innerText()).includes(`${dead} of ${dead} confirmed`),
      { within: 30_000 },
    );
    await id("no-dead-letters").waitFor();
  });

  await test("both systems hold the same records again", async () => {
    await until("all has ended", async () => (await program.count("state:queued,sending,retrying,held")) === 0, {
      within: 60_000,
    });
    const [hubspot, crm] = await Promise.all(
      ["hubspot", "crm"].map((s) => program.get(`sandbox/systems/${s}/received`)),
    );
    assert.ok(hubspot.records > 0);
    assert.equal(hubspot.records, crm.records);
    assert.equal(hubspot.records_hash, crm.records_hash);
  });

  await test("the page broke no rule: no error, no refusal of the policy, no request elsewhere", () => {
    assert.deepEqual(wrongs, []);
  });

  await context.close();
  await program.stop();
}
