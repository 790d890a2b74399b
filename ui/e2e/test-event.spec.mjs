// A test event: what would become of it, then the event itself, by keyboard and with nothing serious for axe.
import assert from "node:assert/strict";
import { check } from "./axe.mjs";
import { openPanel, startIn, test, until } from "./harness.mjs";
import { handIn, startReceiver } from "./receiver.mjs";

const PEOPLE = `title = "People"

[source]
kind = "webhook"
path = "/hooks/people"
verify = { scheme = "none" }
type = '"person.changed"'
dedupe = "off"

[[steps]]
kind = "filter"
jq = '.name != "Nobody"'

[[destinations]]
name = "crm"
system = "crm"
request = { method = "PUT", path = "/people/{{ .id }}" }
`;

export default async function testEvent(browser) {
  const got = [];
  const crm = await startReceiver((request, body) => {
    got.push({ path: request.url, body });
    return {};
  });
  const program = await startIn(
    {
      "integrations/people.toml": PEOPLE,
      "systems/crm.toml": `title = "Customer list"\nbase_url = "${crm.url}"\nallow_private = true\n`,
    },
    {},
  );
  await handIn(program, "/hooks/people", { id: "1", name: "Ana" });
  await until("it arrived", async () => (await program.count("state:delivered")) === 1);
  const { page, id, wrongs, context } = await openPanel(browser, program, { theme: "light" });
  const rename = async (name) => {
    const line = id("test-editor").locator(".cm-line", { hasText: '"name"' });
    await line.click();
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type(`"name": "${name}"`);
  };

  await test("looking at a test event shows the request, or who says no, and sends nothing", async () => {
    await page.evaluate(() => (location.hash = "#/integrations/people"));
    await id("test-event").focus();
    await page.keyboard.press("Enter");
    await id("test-editor").locator(".cm-line", { hasText: '"Ana"' }).waitFor();
    assert.equal(await id("test-send").isEnabled(), false, "nothing was looked at yet");
    await rename("Nobody");
    await page.keyboard.press("Control+Enter");
    await until("the filter says no", async () => /step 1, filter says no/i.test(await id("test-outcome").innerText()));
    await rename("Bo");
    await until("it is told to be stale", async () => /look again/.test(await id("test-outcome").innerText()));
    assert.equal(await id("test-send").isEnabled(), false, "another text was looked at");
    await page.keyboard.press("Control+Enter");
    await until("the request", async () => /PUT \S+\/people\/1[\s\S]*"Bo"/.test(await id("test-outcome").innerText()));
    await check(page, "test event");
    assert.equal(await program.count(""), 1);
    assert.equal(got.length, 1);
  });

  await test("zoomed to 400 % nothing of it is beside the dialog, and nothing is serious", async () => {
    await page.setViewportSize({ width: 320, height: 256 });
    const [holds, shows] = await page
      .locator("dialog[open]")
      .evaluate((dialog) => [dialog.scrollWidth, dialog.clientWidth]);
    assert.ok(holds <= shows, `${holds} px in ${shows}`);
    await check(page, "test event, zoomed");
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await test("sending it sends it, and leads to its deliveries", async () => {
    await id("test-send").focus();
    await page.keyboard.press("Enter");
    await until("it arrived", async () => got.length === 2);
    assert.deepEqual(got[1], { path: "/people/1", body: { id: "1", name: "Bo" } });
    assert.equal(await id("test-send").isEnabled(), false, "one press sends one event");
    await id("test-status").locator("a").click();
    await until("its deliveries", async () => /deliveries\?filter=event/.test(page.url()));
    await page.locator("dialog[open]").waitFor({ state: "detached" });
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
  crm.close();
}
