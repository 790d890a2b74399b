// Mending what died, and taking it back: one edit that fits some, the plan's differences, undo, and a save that comes too late.
import assert from "node:assert/strict";
import { openPanel, startIn, test, until } from "./harness.mjs";
import { handIn, startReceiver } from "./receiver.mjs";

const FILES = {
  "integrations/people.toml": `title = "People"

[source]
kind = "webhook"
path = "/hooks/people"
verify = { scheme = "none" }
type = '"person.changed"'
key = '.body.id'
dedupe = "off"

[[steps]]
kind = "map"
jq = '{ id, name } + (if .phone then { phone } else {} end)'

[[destinations]]
name = "crm"
system = "crm"
request = { method = "PUT", path = "/people/{{ .id }}" }
read = {}
on_dead = "pass"
`,
};

export default async function mending(browser) {
  let wants = "tel";
  const crm = await startReceiver((request, body) => {
    if (request.method === "GET") return { body: { id: request.url.split("/").at(-1), name: "The old name" } };
    return wants in body ? {} : { status: 422, body: { message: `${wants} is required` } };
  });
  const program = await startIn(
    {
      ...FILES,
      "systems/crm.toml": `title = "Customer list"\nbase_url = "${crm.url}"\nallow_private = true\n`,
    },
    {},
  );
  const { page, id, wrongs, context } = await openPanel(browser, program, { theme: "light" });
  const at = (hash) => page.evaluate((h) => (location.hash = h), hash);
  const tell = (...people) => Promise.all(people.map((p) => handIn(program, "/hooks/people", p)));
  const dead = () => program.count("state:dead");
  const retype = async (line, text) => {
    await line.click();
    for (const key of ["End", "Shift+Home", "Delete"]) await page.keyboard.press(key);
    await page.keyboard.type(text);
  };

  await test("one edit for a group says whom it fits and whom not, and sends no other", async () => {
    await tell({ id: "1", name: "Ana" }, { id: "2", name: "Bo" });
    await until("two died", async () => (await dead()) === 2);
    await tell(...["3", "4", "5"].map((n) => ({ id: n, name: `P${n}`, phone: `+1${n}` })));
    await until("five died", async () => (await dead()) === 5);
    await at("#/dead-letters");
    await page.locator(".sample").waitFor();
    await page.keyboard.press("e");
    const line = id("json-editor").locator(".cm-line", { hasText: '"phone"' });
    await retype(line, (await line.innerText()).trim().replace("phone", "tel"));
    await until("the group can take it", async () => id("edit-group").isEnabled());
    await id("edit-group").click();
    await id("patch-fit").waitFor();
    assert.equal(await id("patch-fit").innerText(), "3 fit, 2 do not and stay dead as they are.");
    assert.match(await id("group-patch").innerText(), /there is no \/phone/);
    await id("patch-send").click();
    await until("the three arrived", async () => (await program.count("state:delivered")) === 3, { within: 30_000 });
    await until("the end", async () => /3 of \d confirmed/.test(await id("replay-progress").innerText()));
    assert.equal(await dead(), 2);
  });

  await test("the replay's list says of each delivery what became of it and why", async () => {
    await until("it has ended", async () => (await id("replay-progress").getAttribute("data-replay-state")) === "done");
    await id("replay-list").click();
    const rows = id("replay-items").locator("tbody tr");
    await until("all five", async () => (await rows.count()) === 5);
    const texts = await rows.allInnerTexts();
    assert.equal(texts.filter((t) => /Delivered/.test(t)).length, 3);
    assert.equal(texts.filter((t) => /Skipped[\s\S]*there is no \/phone/.test(t)).length, 2);
    await page.keyboard.press("Escape");
    await id("replay-items").waitFor({ state: "detached" });
  });

  await test("a plan shows the request, and field by field what it would change at the system", async () => {
    await page.keyboard.press("r");
    await until("the plan", async () => (await id("replay-confirm").innerText()).includes("Replay 2"));
    await page.keyboard.press("v");
    const sample = id("plan-sample");
    await sample.waitFor();
    assert.match(await sample.innerText(), /Against what was sent last\s+the same bytes/);
    const now = sample.getByRole("table", { name: "Against the record now" });
    assert.match(await now.innerText(), /name[\s\S]*The old name[\s\S]*(Ana|Bo)/);
    assert.match(await sample.innerText(), /PUT[\s\S]*\/people\/[12]/);
    await page.keyboard.press("Escape");
    await id("replay-plan").waitFor({ state: "detached" });
  });

  await test("an edit is told the line where it stops being JSON; one that dies again is not among the others", async () => {
    await page.getByText("Sample 1 of 2").waitFor();
    await page.locator(".sample").waitFor();
    await page.keyboard.press("e");
    const name = id("json-editor").locator(".cm-line", { hasText: '"name"' });
    await retype(name, '"name": Cleo');
    await until("the line", async () => (await id("json-status").innerText()) === "Line 3: Cleo is no value.");
    assert.equal(await id("edit-send").isEnabled(), false);
    await retype(name, '"name": "Cleo"');
    await until("it is JSON again", async () => id("edit-send").isEnabled());
    await until("both can have it", async () => /to all 2/.test(await id("edit-group").innerText()));
    await page.keyboard.press("Control+Enter");
    await until("it died again", async () => /tried 2 times/.test(await id("edit-answer").innerText()));
    await until("only the other is left", async () => /to 1 other…/.test(await id("edit-group").innerText()));
    await page.keyboard.press("Escape");
    await id("json-editor").waitFor({ state: "detached" });
    assert.equal(await dead(), 2);
  });

  await test("a group that grows larger goes above the one that is read, and does not take its place", async () => {
    assert.equal(await id("group-card").count(), 1);
    const read = await id("group-card").getAttribute("data-group");
    wants = "nothing";
    await tell(...Array.from({ length: 6 }, (_, n) => ({ id: `u${n}`, name: `U${n}` })));
    await until("all have died", async () => (await dead()) === 8);
    await until("the larger is first", async () => (await id("group-card").first().innerText()).includes("nothing is"));
    assert.equal(await id("group-card").count(), 2);
    const current = page.locator('[data-testid="group-card"][aria-pressed="true"]');
    assert.equal(await current.getAttribute("data-group"), read);
    await page.keyboard.press("r");
    await until("the plan", async () => (await id("replay-confirm").innerText()).includes("Replay 2"));
    await page.keyboard.press("Escape");
  });

  await test("a replay under way is undone: what had not gone is dead as it was", async () => {
    wants = "name";
    await at("#/deliveries?filter=state%3Adead");
    await until("eight rows", async () => (await id("delivery-row").count()) === 8);
    await page.keyboard.press("Control+a");
    await page.keyboard.press("r");
    await until("the plan", async () => (await id("replay-confirm").innerText()).includes("Replay 8"));
    await page.getByLabel("Rate").fill("1");
    await until("about 8 s", async () => /About [789] s/.test(await id("replay-plan").innerText()));
    await id("replay-confirm").click();
    // Until then the line below is that of the replay before, which could be undone too.
    await id("replay-plan").waitFor({ state: "detached" });
    await until("the first arrived", async () => (await program.count("state:delivered")) >= 4);
    await id("replay-undo").click();
    await until("it is no more", async () => !/\/s/.test(await id("replay-progress").innerText()));
    await until("nothing is on its way", async () => (await program.count("state:sending,queued,retrying,held")) === 0);
    const [left, arrived] = [await dead(), await program.count("state:delivered")];
    assert.ok(left >= 4, `${left} are left`);
    assert.equal(left + arrived, 11);
    await until("the list says so", async () => (await id("total").innerText()).startsWith(`${left} `));
    await id("replay-list").click();
    const rows = id("replay-items").locator("tbody tr");
    await until("all eight", async () => (await rows.count()) === 8);
    assert.equal((await rows.allInnerTexts()).filter((t) => /Delivered/.test(t)).length, arrived - 3);
    await page.keyboard.press("Escape");
    assert.equal(await dead(), left);
  });

  await test("a discard is offered its way back, and a click takes it", async () => {
    const before = await dead();
    const listed = async () => (await id("dead-total").innerText()).startsWith(`${before} `);
    await at("#/dead-letters");
    await until("the groups as they are now", listed);
    await page.locator(".sample").waitFor();
    await page.keyboard.press("d");
    await id("discard-confirm").click();
    await until("they are discarded", async () => (await program.count("state:discarded")) > 0);
    // Over a dialog too, outside of which nothing can be clicked.
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard" });
    await help.getByRole("button", { name: /^Undo/ }).click();
    await until("they are dead again", async () => (await dead()) === before);
    assert.ok(await help.isVisible(), "the dialog stays");
    await page.keyboard.press("Escape");
    await until("and the list has them", listed);
  });

  await test("a mapping that changed meanwhile is not written over: both are shown, then mine is saved", async () => {
    await at("#/integrations/people?tab=mapping");
    const editor = id("mapping-editor");
    await retype(editor.locator(".cm-line", { hasText: 'title = "People"' }), 'title = "People of mine"');
    const { version, files } = await program.get("integrations/people/files");
    const theirs = files[0].text.replace('title = "People"', 'title = "People of theirs"');
    await program.post("integrations/people/files", { files: { [files[0].path]: theirs }, version });
    await page.keyboard.press("Control+s");
    await id("mapping-conflict").waitFor();
    assert.match(await id("mapping-conflict").innerText(), /changed elsewhere[\s\S]*still here/);
    const shown = () => editor.locator(".cm-content").innerText();
    assert.match(await shown(), /People of mine/);
    const title = async () => (await program.get("integrations/people")).title;
    await until("theirs runs", async () => (await title()) === "People of theirs");
    await id("mapping-conflict").getByRole("button", { name: "Compare with theirs" }).click();
    await until("both", async () => /People of theirs[\s\S]*People of mine/.test(await shown()));
    await page.keyboard.press("Control+s");
    await until("mine runs", async () => (await title()) === "People of mine");
    await page.getByRole("heading", { name: "People of mine" }).waitFor();
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
  crm.close();
}
