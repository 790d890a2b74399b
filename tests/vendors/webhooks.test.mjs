// The vendors' own libraries sign, the real binary answers; and one of them verifies what the binary sends.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { sign as signGithub } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";

import { startProgram, startReceiver, until } from "./program.mjs";

const secrets = {
  "standard-signing": `whsec_${randomBytes(24).toString("base64")}`,
  "stripe-signing": `whsec_${randomBytes(24).toString("hex")}`,
  "github-signing": "It's a Secret to Everybody",
  "receiver-signing": `whsec_${randomBytes(32).toString("base64")}`,
  "receiver-signing-old": `whsec_${randomBytes(32).toString("base64")}`,
};

/** How each vendor's library signs a body: the headers of one request. */
const vendors = {
  standard: {
    scheme: "standard-webhooks",
    async headers(body, id = `msg_${randomUUID()}`) {
      const at = new Date();
      return {
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": new Webhook(secrets["standard-signing"]).sign(id, at, body),
      };
    },
  },
  stripe: {
    scheme: "stripe",
    async headers(body) {
      const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: secrets["stripe-signing"] });
      return { "stripe-signature": header };
    },
  },
  github: {
    scheme: "github",
    async headers(body, id = randomUUID()) {
      return {
        "x-hub-signature-256": await signGithub(secrets["github-signing"], body),
        "x-github-delivery": id,
        "x-github-event": "issues",
      };
    },
  },
};

const integration = (name, scheme) => `
title = "${name}"

[source]
kind = "webhook"
path = "/hooks/${name}"
verify = { scheme = "${scheme}", secret = "${name}-signing" }

[[destinations]]
name = "receiver"
system = "receiver"
request = { method = "POST", path = "/from/${name}" }
`;

let receiver;
let program;

before(async () => {
  receiver = await startReceiver();
  const files = {
    "systems/receiver.toml": `
title = "Receiver"
base_url = "${receiver.url}"
auth = { kind = "standard-webhooks", secret = ["receiver-signing", "receiver-signing-old"] }
allow_private = true
`,
  };
  for (const [name, { scheme }] of Object.entries(vendors)) {
    files[`integrations/${name}.toml`] = integration(name, scheme);
  }
  program = await startProgram({ files, secrets });
});

after(async () => {
  const code = await program?.stop();
  await receiver?.stop();
  if (program) assert.equal(code, 0, "SIGTERM drains and exits with 0");
});

async function post(name, body, headers) {
  const response = await fetch(`${program.ingress}/hooks/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

/** The body with one bit of its last byte changed. */
function flipped(body) {
  const bytes = Buffer.from(body);
  bytes[bytes.length - 1] ^= 1;
  return bytes;
}

for (const [name, vendor] of Object.entries(vendors)) {
  describe(vendor.scheme, () => {
    // Spaces, a number with a trailing zero and one beyond 2^53: all must arrive as they were signed.
    const body = `{ "id": "evt_${randomUUID()}", "amount": 1.10, "big": 1180591620717411303424, "text": "Grüße" }`;

    test("what the vendor's library signed is accepted and delivered byte for byte", async () => {
      const headers = await vendor.headers(body);
      const status = await post(name, body, headers);
      assert.ok(status >= 200 && status < 300, `answered ${status}`);

      const request = await until("the receiver gets it", () =>
        receiver.requests.find((request) => request.path === `/from/${name}` && request.body.equals(Buffer.from(body))),
      );
      assert.equal(request.headers["content-type"], "application/json");

      const [delivery] = await until("the ledger says delivered", async () => {
        const { items } = await program.api(`deliveries?filter=${encodeURIComponent(`integration:${name} state:delivered`)}`);
        return items.length > 0 && items;
      });
      assert.equal(delivery.destination, "receiver");
      assert.equal(delivery.status, 204);
      assert.equal(request.headers["idempotency-key"]?.replaceAll('"', ""), delivery.id);
    });

    test("a flipped byte is refused, and kept with its reason", async () => {
      const headers = await vendor.headers(body);
      const before = (await program.api("rejected")).items.filter((item) => item.integration === name).length;
      assert.equal(await post(name, flipped(body), headers), 401);
      await until("it is among the rejected", async () => {
        const { items } = await program.api("rejected");
        return items.filter((item) => item.integration === name).length > before;
      });
    });

    test("a request without a signature is refused", async () => {
      assert.equal(await post(name, body, {}), 401);
    });
  });
}

describe("repeats", () => {
  for (const name of ["standard", "github"]) {
    test(`${name}: the same id with the same bytes is answered well and accepted once`, async () => {
      const body = `{"id":"${randomUUID()}"}`;
      const headers = await vendors[name].headers(body, randomUUID());
      for (let i = 0; i < 3; i++) {
        const status = await post(name, body, headers);
        assert.ok(status >= 200 && status < 300, `answered ${status}`);
      }
      const arrived = () => receiver.requests.filter((request) => request.body.equals(Buffer.from(body))).length;
      await until("the receiver gets it", arrived);
      // Whatever the repeats had made would stand before this one: one key, one order of acceptance.
      const last = `{"id":"${randomUUID()}"}`;
      await post(name, last, await vendors[name].headers(last));
      await until("the one after them arrives", () =>
        receiver.requests.some((request) => request.body.equals(Buffer.from(last))),
      );
      assert.equal(arrived(), 1);
    });
  }
});

test("what the program signs in a rotation is verified by the vendor's library with either secret", async () => {
  const body = `{"id":"${randomUUID()}"}`;
  await post("standard", body, await vendors.standard.headers(body));
  const request = await until("the receiver gets it", () =>
    receiver.requests.find((request) => request.body.equals(Buffer.from(body))),
  );
  for (const secret of ["receiver-signing", "receiver-signing-old"]) {
    const webhook = new Webhook(secrets[secret]);
    assert.deepEqual(webhook.verify(request.body, request.headers), JSON.parse(body));
    assert.throws(() => webhook.verify(flipped(request.body), request.headers));
  }
  const another = new Webhook(secrets["standard-signing"]);
  assert.throws(() => another.verify(request.body, request.headers));
});
