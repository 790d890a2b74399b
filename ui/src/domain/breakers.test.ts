import { expect, it } from "vitest";
import { aBreaker, after, T0 } from "../test/fake-backend/factories";
import { breakerChoices, breakerCountdown, breakerLook, breakerReason, breakerRule, standingOrder } from "./breakers";
import { gateArm, gateWord } from "./states";
import type { BreakerState } from "./types";

const now = Date.parse(T0);
const ALL: BreakerState[] = ["closed", "open", "half-open", "held-open", "forced-closed", "off"];

it("tells every state by a word and a shape of its own", () => {
  expect(new Set(ALL.map((s) => breakerLook(s).word)).size).toBe(ALL.length);
  expect(new Set(ALL.map((s) => breakerLook(s).shape)).size).toBe(ALL.length);
});

it("counts down to the next probe of an open one, and of no other", () => {
  const open = aBreaker({ state: "open", next_probe_at: after(24_000) });
  expect(breakerCountdown(open, now)).toBe("0:24");
  expect(breakerCountdown({ ...open, next_probe_at: null }, now)).toBe("");
  expect(breakerCountdown({ ...open, state: "held-open" }, now)).toBe("");
});

it("says the engine's reason, else what was counted", () => {
  expect(breakerReason(aBreaker({ state: "open", reason: "Opened after 20 of 20 failed." }))).toBe(
    "Opened after 20 of 20 failed.",
  );
  expect(breakerReason(aBreaker({ calls: 41, failures: 3 }))).toBe("3 of 41 failed in the last 30 s.");
  expect(breakerReason(aBreaker({ calls: 0, failures: 0 }))).toBe("Nothing was sent to it in the last 30 s.");
  expect(breakerRule(aBreaker())).toBe("Opens when 50% of at least 20 fail within 30 s");
});

it("offers what it is not, and nothing where there is no breaker", () => {
  const orders = (s: BreakerState) => breakerChoices(s).map((c) => c.order);
  expect(orders("half-open")).toEqual(["open", "closed"]);
  expect(orders("held-open")).toEqual(["closed", "auto"]);
  expect(orders("forced-closed")).toEqual(["open", "auto"]);
  expect(orders("off")).toEqual([]);
  expect(standingOrder("open")).toBe("auto");
});

it("raises the arm half way where one request at a time may pass", () => {
  expect(gateArm("clear", "half-open")).toBe("half");
  expect(gateArm("closed", "half-open")).toBe("half");
  expect(gateArm("paused", "half-open")).toBe("idle");
  expect(gateWord("closed", "breaker", "half-open")).toBe("half-open");
  expect(gateWord("closed", "breaker", "held-open")).toBe("held open");
  expect(gateWord("closed", "breaker", "open")).toBe("breaker open");
});
