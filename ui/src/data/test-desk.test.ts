import { expect, it } from "vitest";
import { aDelivery, anEvent } from "../test/fake-backend/factories";
import { dryRunOf } from "../test/fake-backend/test-events";
import { Problem } from "./problem";
import { TestDesk } from "./test-desk.svelte";

function desk(last: { text: string | null; split?: boolean } | null = { text: '{"mail":"a","n":1.10}' }) {
  const sent: string[] = [];
  const refuse = { now: false };
  const made = new TestDesk(
    {
      deliveries: async () => ({ items: last ? [aDelivery()] : [], next: null, total: 1, total_exact: true }),
      event: async () => anEvent({ split: last?.split ? { index: 1, of: 2, events: ["evt_1"] } : null }),
      eventText: async () => last?.text ?? null,
      tryEvent: async (_name, body, type) => {
        if (refuse.now) throw new Problem(400, "invalid-parameter", "The source would refuse this.");
        return dryRunOf(body, type);
      },
      sendTestEvent: async (_name, body) => {
        sent.push(body);
        return { events: [{ event: "evt_test1", duplicate: false, conflict_of: null }] };
      },
    },
    "crm-sync",
  );
  return { made, sent, refuse };
}

it("begins with the last event as it came, digits and all, and with {} where there is none", async () => {
  const { made } = desk();
  await made.load();
  expect(made.start).toContain('"n": 1.10');
  for (const last of [null, { text: null }, { text: "[1]", split: true }]) {
    const { made: other } = desk(last);
    await other.load();
    expect([other.start, other.contentType]).toEqual(["{}", "application/json"]);
  }
});

it("sends only what was looked at, and sends it once", async () => {
  const { made, sent } = desk();
  await made.load();
  await made.send();
  expect(sent).toEqual([]);
  await made.tryOut();
  expect(made.canSend).toBe(true);
  made.write('{"mail":"b"}');
  expect([made.isFresh, made.canSend]).toEqual([false, false]);
  await made.tryOut();
  await made.send();
  await made.send();
  expect(sent).toEqual(['{"mail":"b"}']);
  expect(made.accepted?.events[0]?.event).toBe("evt_test1");
});

it("says why the source would refuse it, and sends nothing", async () => {
  const { made, sent, refuse } = desk();
  await made.load();
  refuse.now = true;
  await made.tryOut();
  await made.send();
  expect(made.problem?.message).toMatch(/would refuse/);
  expect(sent).toEqual([]);
});
