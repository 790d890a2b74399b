// The CloudEvents SDK sends in each of its modes, the real binary delivers, and the SDK reads what arrived.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { CloudEvent, HTTP, Mode, emitterFor } from "cloudevents";

import { startProgram, startReceiver, until } from "./program.mjs";

let receiver;
let program;

before(async () => {
  receiver = await startReceiver();
  const files = {
    "systems/receiver.toml": `base_url = "${receiver.url}"\nallow_private = true\n`,
    "integrations/events.toml": `
[source]
kind = "webhook"
path = "/hooks/events"
verify = { scheme = "none" }
format = "cloudevents"
allowed_origins = ["eventemitter.example.com"]

[[steps]]
kind = "map"
jq = "."

[[destinations]]
name = "receiver"
system = "receiver"
request = { method = "POST", path = "/events", headers = { content-type = "application/cloudevents+json" } }
`,
  };
  program = await startProgram({ files, secrets: {} });
});

after(async () => {
  const code = await program?.stop();
  await receiver?.stop();
  if (program) assert.equal(code, 0, "SIGTERM drains and exits with 0");
});

async function post({ headers, body }) {
  const response = await fetch(`${program.ingress}/hooks/events`, { method: "POST", headers, body });
  const text = await response.text();
  return { status: response.status, answer: text === "" ? null : JSON.parse(text) };
}

const event = (more = {}) =>
  new CloudEvent({
    id: randomUUID(),
    source: "https://crm.acme.test/contacts",
    type: "test.acme.contact.changed",
    subject: "003A",
    data: { email: "ada@acme.test", amount: 1.5, name: "Grüße" },
    ...more,
  });

/** What the receiver got of this event, read by the SDK. */
const arrived = (id) =>
  until(`event ${id} arrives`, () => {
    const request = receiver.requests.find((request) => JSON.parse(request.body).id === id);
    return request && HTTP.toEvent({ headers: request.headers, body: request.body.toString() });
  });

/** The attributes and data of an event; what the SDK fills in by itself is left out. */
function essence(cloudEvent) {
  const { datacontenttype, ...rest } = JSON.parse(JSON.stringify(cloudEvent));
  return rest;
}

for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  describe(`${mode} mode`, () => {
    test("what the SDK emits arrives as the same event", async () => {
      const sent = event({ comexampleextension: "Euro € 😀 100%" });
      // Header values are to be percent-encoded by the sender, which the SDK leaves to its user.
      const encode = (value) => value.replace(/[^\x21-\x7e]|["%]/gu, (char) => encodeURIComponent(char));
      const emit = emitterFor(
        ({ headers, body }) => {
          const encoded = Object.entries(headers).map(([name, value]) => [
            name,
            name.startsWith("ce-") ? encode(String(value)) : value,
          ]);
          return post({ headers: Object.fromEntries(encoded), body });
        },
        { mode },
      );
      const { status, answer } = await emit(sent);
      assert.equal(status, 200, JSON.stringify(answer));
      assert.deepEqual(essence(await arrived(sent.id)), essence(sent));

      const repeated = await emit(sent);
      assert.deepEqual(repeated.answer, { event: answer.event, duplicate: true }, "source and id name it");
      const stored = await program.api(`events/${answer.event}`);
      assert.equal(stored.type, sent.type);
      assert.equal(stored.split, null);
    });

    test("text and bytes keep their kind", async () => {
      const text = event({ datacontenttype: "text/plain", data: "plain words" });
      await post(mode === Mode.BINARY ? HTTP.binary(text) : HTTP.structured(text));
      assert.equal((await arrived(text.id)).data, "plain words");

      const bytes = Uint8Array.from([0, 1, 254, 255]);
      const binary = event({ datacontenttype: "application/octet-stream", data: bytes });
      await post(mode === Mode.BINARY ? HTTP.binary(binary) : HTTP.structured(binary));
      assert.deepEqual(Buffer.from((await arrived(binary.id)).data), Buffer.from(bytes));
    });
  });
}

describe("batch mode", () => {
  const batchOf = (events) => ({
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: `[${events.map((one) => HTTP.structured(one).body).join(", ")}]`,
  });

  test("each event of a batch arrives, and is one of its request", async () => {
    const sent = [event(), event(), event()];
    const batch = batchOf(sent);
    assert.equal(HTTP.toEvent(batch).length, 3, "the SDK takes it for a batch too");
    const { status, answer } = await post(batch);
    assert.equal(status, 200, JSON.stringify(answer));
    assert.deepEqual(answer.events.map(({ duplicate }) => duplicate), [false, false, false]);
    for (const one of sent) assert.deepEqual(essence(await arrived(one.id)), essence(one));

    const again = await post(batchOf([sent[1], event()]));
    assert.deepEqual(again.answer.events.map(({ duplicate }) => duplicate), [true, false]);
    const stored = await program.api(`events/${answer.events[2].event}`);
    assert.equal(stored.split.index, 3);
    assert.deepEqual(stored.split.events, answer.events.map(({ event }) => event));
  });

  test("a batch may be empty", async () => {
    assert.deepEqual(await post(batchOf([])), { status: 200, answer: { events: [] } });
  });

  test("one bad event refuses the whole batch, and says which", async () => {
    const { headers, body } = batchOf([event()]);
    const { status, answer } = await post({ headers, body: body.replace(/\]$/, ', {"specversion":"1.0","id":"x"}]') });
    assert.equal(status, 400);
    assert.equal(answer.code, "cloudevent-invalid");
    assert.match(answer.detail, /event 2 .*'source' is missing/);
  });
});

test("a sender may ask whether it may send", async () => {
  const ask = (origin) =>
    fetch(`${program.ingress}/hooks/events`, { method: "OPTIONS", headers: { "webhook-request-origin": origin } });
  const allowed = await ask("eventemitter.example.com");
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers.get("webhook-allowed-origin"), "eventemitter.example.com");
  assert.equal(allowed.headers.get("webhook-allowed-rate"), "*");
  assert.equal((await ask("elsewhere.example.com")).status, 403);
});
