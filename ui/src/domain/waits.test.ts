import { expect, it } from "vitest";
import { aDelivery, after, aSystem } from "../test/fake-backend/factories";
import { aheadText, batchLine, goesOnAt, waitWord, whyOf } from "./waits";

const explain = "Simulated HubSpot's breaker is open until the next probe.";
const gate = { state: "closed" as const, reason: "breaker" as const, until: after(24_000), explain };
const held = aDelivery({ state: "held", reason: "breaker", status: null });

it("tells a held row its gate's sentence and when it goes on", () => {
  expect(whyOf(held, [aSystem({ gate })])).toBe(explain);
  expect(goesOnAt(held, [aSystem({ gate })])).toBe(after(24_000));
});

it("prefers the gate of the destination to that of the system", () => {
  const own = aSystem().destinations.map((d) => ({ ...d, gate: { ...gate, explain: "This destination is paused." } }));
  expect(whyOf(held, [aSystem({ gate, destinations: own })])).toBe("This destination is paused.");
});

it("blames no gate for a row that waits for its turn", () => {
  expect(whyOf(aDelivery({ state: "held", reason: "order" }), [aSystem({ gate })])).toMatch(
    /earlier one of the same key/,
  );
});

it("says nothing of what has arrived", () => {
  expect(whyOf(aDelivery({ message: "old" }), [aSystem({ gate })])).toBe("");
});

it("says a retry's own time and last failure", () => {
  const row = aDelivery({ state: "retrying", message: "503 Service Unavailable", due_at: after(5000) });
  expect(whyOf(row, [aSystem({ gate })])).toBe("503 Service Unavailable");
  expect(goesOnAt(row, [])).toBe(after(5000));
});

it("counts what stands before a delivery", () => {
  expect(aheadText({ reason: "order", until: null, ahead: 1 })).toBe("1 delivery goes before it");
  expect(aheadText({ reason: "breaker", until: null, ahead: 1200 })).toBe("1,200 deliveries go before it");
  expect(aheadText({ reason: "breaker", until: null, ahead: null })).toBe("");
});

it("has a word for a gate, also for one that it does not know", () => {
  expect(waitWord("breaker")).toBe("breaker");
  expect(waitWord("tide")).toBe("tide");
});

it("says a batch in one line", () => {
  expect(batchLine(37, 2)).toBe("Went with 36 others; 2 failed");
  expect(batchLine(2, 0)).toBe("Went with 1 other; all were confirmed");
  expect(batchLine(1, 1)).toBe("Went alone in its batch; 1 failed");
});
