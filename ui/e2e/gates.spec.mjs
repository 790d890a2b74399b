// What stops or turns deliveries, as a person sees it: a split request, a quota, a paused destination, a base URL that fails.
import assert from "node:assert/strict";
import { openPanel, startIn, test, until } from "./harness.mjs";
import { handIn, startReceiver } from "./receiver.mjs";

const destination = (name) => `[[destinations]]
name = "${name}"
system = "shop"
request = { path = "/${name}" }
retry = { schedule = ["100ms", "100ms", "100ms", "500ms", "1s", "2s"], jitter = 0 }
`;

export default async function gates(browser) {
  let down = false;
  let left = 1000;
  const first = await startReceiver(() => {
    if (down) return { status: 503 };
    left = Math.max(400, left - 10);
    return {
      headers: { "x-ratelimit-limit": "1000", "x-ratelimit-remaining": `${left}`, "x-ratelimit-reset": "3600" },
    };
  });
  const second = await startReceiver(() => ({}));
  const program = await startIn(
    {
      "systems/shop.toml": `title = "Shop"
base_url = "${first.url}"
failover = ["${second.url}"]
fail_back = "3s"
allow_private = true
`,
      "integrations/orders.toml": `title = "Orders"

[source]
kind = "webhook"
path = "/hooks/orders"
verify = { scheme = "none" }
split = '.body'
type = '"order.placed"'
key = '.body.id'
dedupe = "off"

${destination("stock")}
${destination("books")}`,
    },
    {},
  );
  const { page, id, wrongs, context } = await openPanel(browser, program);
  const at = (hash) => page.evaluate((h) => (location.hash = h), hash);
  const place = (...orders) => handIn(program, "/hooks/orders", orders);
  const shop = async () => (await program.get("systems")).items[0];

  await test("an event of a split request says its place, and leads to the others", async () => {
    await place({ id: "a" }, { id: "b" }, { id: "c" });
    await until("all six arrived", async () => (await program.count("state:delivered")) === 6);
    await at("#/deliveries?filter=key%3Ab+destination%3Astock");
    await id("delivery-row").first().click();
    assert.match(await id("split-place").innerText(), /2 of 3 in one request/);
    await page.keyboard.press("5");
    await id("as-it-came").locator("summary").click();
    const came = page.getByRole("region", { name: "The event as it came" });
    assert.match(
      await came.innerText(),
      /^POST \/hooks\/orders[\s\S]*content-type: application\/json[\s\S]*\{"id":"b"\}$/,
    );
    await page.keyboard.press("1");
    await id("split-place").getByRole("link", { name: "Show all" }).click();
    await until("all of the request", async () => (await id("total").innerText()) === "6 deliveries");
  });

  await test("a quota is a bar with what is used, and says when it runs out", async () => {
    for (let n = 0; n < 40 && !(await shop()).quotas[0]?.runs_out_at; n++) {
      await place({ id: `q${n}` });
      await until("it arrived", async () => (await program.count("state:queued,sending,retrying")) === 0);
      await page.waitForTimeout(100);
    }
    await at("#/systems/shop");
    const quota = id("quota");
    await until("the forecast", async () => /Runs out .+ at this rate, resets at/.test(await quota.innerText()));
    assert.match(await quota.innerText(), /\d+ of 1,000 used, \d+ left/);
    assert.match(await quota.innerText(), /The last 100 are kept from replays/);
    const { remaining } = (await shop()).quotas[0];
    const meter = quota.getByRole("meter");
    await until("the bar", async () => Number(await meter.getAttribute("aria-valuenow")) === 1000 - remaining);
    const filled = await meter.evaluate((bar) => bar.firstElementChild.clientWidth / bar.clientWidth);
    assert.ok(Math.abs(filled - (1000 - remaining) / 1000) < 0.02, `the bar is filled by ${filled}`);
  });

  await test("one paused destination waits and says so; the other goes on", async () => {
    const arrived = await program.count("state:delivered");
    const row = id("destination-row").filter({ hasText: "stock" });
    await row.getByRole("button", { name: "Pause stock" }).click();
    await until("it says so", async () => /paused/i.test(await row.innerText()));
    await place({ id: "p" });
    await until("the other has it", async () => (await program.count("state:delivered")) === arrived + 1);
    assert.equal(await program.count("state:held reason:pause destination:stock"), 1);
    await at("#/deliveries?filter=state%3Aheld");
    await id("delivery-row").first().click();
    assert.match(await id("explain").innerText(), /paused/i);
    await at("#/systems/shop");
    await row.getByRole("button", { name: "Let stock go on" }).click();
    await until("it arrives", async () => (await program.count("state:delivered")) === arrived + 2);
    await until("it is clear", async () => /Clear/.test(await row.innerText()));
    const strip = id("wait-strips").getByRole("img", { name: /^Pause over the last hour: Paused .+ – / });
    await until("the hour's line shows when it was paused", async () => (await strip.locator("i").count()) === 1);
  });

  await test("a base URL that fails is told, and the attempt says where it went instead", async () => {
    const arrived = await program.count("state:delivered");
    down = true;
    await place({ id: "f1" }, { id: "f2" });
    await until("both arrived elsewhere", async () => (await program.count("state:delivered")) === arrived + 4);
    await until("the first failed", async () => /Failed/.test(await id("endpoint-row").nth(0).innerText()));
    assert.match(await id("endpoint-row").nth(0).innerText(), /ago, tried again in/);
    assert.match(await id("endpoint-row").nth(1).innerText(), /In use/);
    await at("#/deliveries?filter=key%3Af2&tab=attempts");
    await id("delivery-row").first().click();
    await until("where it went", async () => (await id("drawer").innerText()).includes("Went to"));
    assert.ok((await id("drawer").innerText()).includes(second.url));
  });

  await test("once the first one answers, everything goes there again", async () => {
    down = false;
    await at("#/systems/shop");
    let n = 0;
    await until(
      "the first is in use",
      async () => {
        await place({ id: `b${n++}` });
        return /In use/.test(await id("endpoint-row").nth(0).innerText());
      },
      { every: 500, within: 20_000 },
    );
    assert.match(await id("endpoint-row").nth(1).innerText(), /Stands by|Ready|Standby/i);
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
  first.close();
  second.close();
}
