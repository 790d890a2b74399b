import { expect, it } from "vitest";
import { dryRunOf } from "../test/fake-backend/test-events";
import { acceptedLine, deadFirst, dryRunLine, triedLook, triedWhy } from "./test-events";
import type { TestDryRun } from "./types";

const accepted = (...duplicates: boolean[]) => ({
  events: duplicates.map((duplicate, i) => ({ event: `evt_${i}`, duplicate, conflict_of: null })),
});

it("says how many requests would go out, and how many are only the first", () => {
  const run = dryRunOf('{"mail":"a"}', "application/json");
  expect(dryRunLine(run)).toBe("1 event: 2 requests would go out.");
  expect(dryRunLine({ ...run, count: 40 })).toBe("40 events: 2 requests would go out. Shown: the first 1.");
  expect(dryRunLine({ count: 0, events: [] })).toMatch(/makes no event/);
});

it("tells every outcome by a word and a shape of its own, and says why", () => {
  const looks = (["sent", "filtered", "dead"] as const).map(triedLook);
  expect(new Set(looks.map((l) => l.shape)).size).toBe(3);
  const [sent, filtered] = (dryRunOf("{}", "application/json") as TestDryRun).events[0]?.destinations ?? [];
  if (!sent || !filtered) throw new Error("two destinations");
  expect([triedWhy(sent), triedWhy(filtered)]).toEqual(["", "step 1, filter says no"]);
  expect(triedWhy({ ...sent, waits: "the system is paused" })).toBe("the system is paused");
  expect(triedWhy({ ...filtered, outcome: "dead", stage: "map", message: "no .mail" })).toBe("at map: no .mail");
});

it("puts what would be dead before what would go out, and keeps the file's order otherwise", () => {
  const [to] = dryRunOf("{}", "application/json").events[0]?.destinations ?? [];
  if (!to) throw new Error("a destination");
  const outcomes = ["sent", "dead", "filtered", "dead", "sent"] as const;
  const sorted = deadFirst(outcomes.map((outcome, i) => ({ ...to, outcome, destination: `d${i}` })));
  expect(sorted.map((d) => d.destination)).toEqual(["d1", "d3", "d0", "d2", "d4"]);
});

it("never says that something was sent when it was there already", () => {
  expect(acceptedLine(accepted(false))).toBe("The event is in the ledger and on the way.");
  expect(acceptedLine(accepted(false, false, true))).toBe("2 events are in the ledger and on the way.");
  expect(acceptedLine(accepted(true))).toMatch(/nothing was sent again/);
  expect(acceptedLine(accepted())).toMatch(/nothing was sent/);
});
