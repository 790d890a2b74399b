// A workspace of its own: a request refused for its secret with the doctor's word on it, a batch judged record by record, and
// a breaker held open by hand.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { openPanel, startIn, test, until } from "./harness.mjs";

const SECRETS = { "shop-signing": "the right secret of the shop", "other-signing": "the secret of another source" };

const source = (path, secret) => `[source]
kind = "webhook"
path = "${path}"
verify = { scheme = "github", secret = "${secret}" }
key = '.body.key'
dedupe = "off"
`;

/** A receiver that confirms every record of a batch but the second. */
function receiver() {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      const items = JSON.parse(text).items ?? [];
      const answer = items.map((_, i) => (i === 1 ? { ok: false, message: "no such country" } : true));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

export default async function outcomes(browser) {
  const server = await receiver();
  const program = await startIn(
    {
      "systems/shop.toml": `title = "Shop"
base_url = "http://127.0.0.1:${server.address().port}"
allow_private = true
`,
      "integrations/orders.toml": `title = "Orders"

${source("/hooks/orders", "shop-signing")}
[[destinations]]
name = "shop"
system = "shop"
request = { path = "/in" }
batch = { max = 4, linger = "5s", body = '{ items: map(.n) }', outcomes = '.body' }
on_dead = "pass"
`,
      "integrations/others.toml": `title = "Others"

${source("/hooks/others", "other-signing")}
[[destinations]]
name = "shop"
system = "shop"
request = { path = "/in" }
`,
    },
    SECRETS,
  );
  const send = (body, secret) =>
    fetch(`${program.ingress}/hooks/orders`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "x-hub-signature-256": `sha256=${createHmac("sha256", SECRETS[secret]).update(body).digest("hex")}`,
      },
    });
  const { page, id, wrongs, context } = await openPanel(browser, program);
  const at = (hash) => page.evaluate((h) => (location.hash = h), hash);

  await test("a request signed with another source's secret: the doctor says which, and how to mend it", async () => {
    assert.equal((await send('{"key":"k0","n":0}', "other-signing")).status, 401);
    await until("it is examined", async () => (await program.get("rejected")).items[0]?.doctor);
    await at("#/rejected");
    await id("doctor").waitFor();
    const text = await id("doctor").innerText();
    assert.match(text, /secret/i);
    const finding = page.locator('[data-testid="finding"][data-change="other-secret"]');
    assert.match(await finding.innerText(), /Sure|Likely/);
    assert.match(await finding.innerText(), /Mend it/);
    assert.ok(!(await page.locator("main").innerText()).includes(SECRETS["other-signing"]));
  });

  await test("a batch is told record by record: who failed, why, and who went with it", async () => {
    for (let n = 1; n <= 4; n++)
      assert.ok((await send(`{"key":"k${n}","n":${n}}`, "shop-signing")).ok, "it is accepted");
    await until("all have ended", async () => (await program.count("state:delivered,dead")) === 4, { within: 20_000 });
    assert.equal(await program.count("state:dead"), 1);
    await at("#/deliveries?filter=state%3Adead&tab=attempts");
    await id("delivery-row").first().click();
    await id("batch-line").waitFor();
    assert.match(await id("batch-line").innerText(), /Went with 3 others; 1 failed/);
    assert.equal(await id("batch-record").count(), 4);
    const first = await id("batch-record").first().innerText();
    assert.match(first, /Dead/);
    assert.match(first, /no such country/);
    await id("batch-record").nth(1).locator("a").click();
    await until("the other's drawer", async () => /Delivered/.test(await id("drawer").innerText()));
  });

  await test("a breaker held open by two keys: its deliveries wait and say why, and arrive once it is given back", async () => {
    const breaker = async () => (await program.get("systems")).items[0].breaker.state;
    await at("#/systems/shop");
    await id("breaker-open").waitFor();
    await page.keyboard.press("h");
    await id("breaker-confirm").waitFor();
    await page.keyboard.type("maintenance at the shop");
    await page.keyboard.press("Enter");
    await until("the engine holds it", async () => (await breaker()) === "held-open");
    await until("the panel says so", async () => /Held open/.test(await id("system-row").first().innerText()));
    await at("#/integrations/orders");
    const graph = page.locator('.graph svg[role="img"]');
    await until("its words in the graph", async () =>
      /held open/i.test((await graph.getAttribute("aria-label")) ?? ""),
    );
    assert.ok((await send('{"key":"k9","n":9}', "shop-signing")).ok);
    await until("it waits", async () => (await program.count("state:held reason:breaker")) === 1);
    await at("#/deliveries?filter=state%3Aheld");
    await id("delivery-row").first().click();
    await id("waits-for").waitFor();
    assert.match(await id("explain").innerText(), /breaker/i);
    assert.match(await id("waits-for").innerText(), /Shop/);
    await at("#/systems/shop");
    await id("breaker-auto").waitFor();
    await page.keyboard.press("a");
    await id("breaker-confirm").click();
    await until("it is automatic", async () => (await breaker()) === "closed");
    await until("it arrives", async () => (await program.count("state:delivered")) === 4, { within: 20_000 });
  });

  await test("the page broke no rule", () => assert.deepEqual(wrongs, []));
  await context.close();
  await program.stop();
  server.close();
}
