import { describe, expect, it } from "vitest";
import { aReplay } from "../test/fake-backend/factories";
import { replayReport, skippedLine } from "./replays";

describe("a replay's report", () => {
  it("says what was confirmed and what died again", () => {
    expect(replayReport(aReplay({ state: "done", sent: 40, delivered: 39, dead: 1 }))).toBe(
      "40 replayed, 39 confirmed, 1 died again.",
    );
  });
  it("says what a cancel kept back", () => {
    expect(replayReport(aReplay({ state: "cancelled", sent: 10, delivered: 10, dead: 0 }))).toBe(
      "10 replayed, 10 confirmed, 30 not sent.",
    );
  });
  it("gives the reason of what was skipped", () => {
    expect(skippedLine({ newer: 2, state: 1, patch: 0, parked: 0 })).toBe(
      "2 skipped for newer data of the same key, 1 is not dead",
    );
    expect(skippedLine({ newer: 0, state: 0, patch: 3, parked: 1 })).toBe(
      "3 skipped, the edit does not fit, 1 behind an earlier dead letter of the same key",
    );
    expect(skippedLine({ newer: 0, state: 0, patch: 0, parked: 0 })).toBe("");
  });
});
