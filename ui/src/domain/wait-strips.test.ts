import { expect, it } from "vitest";
import { aBreaker, aSystem, after, T0 } from "../test/fake-backend/factories";
import type { System } from "./types";
import { stripTimes, waitStrips } from "./wait-strips";

const now = Date.parse(T0);
const ago = (minutes: number) => after(-minutes * 60_000);

it("draws each time that a system was closed where it was, a row for each reason", () => {
  const waits = [
    { reason: "breaker" as const, since: ago(30), until: ago(24) },
    { reason: "pause" as const, since: ago(6), until: null },
  ];
  const [breaker, rate, pause] = waitStrips(aSystem({ waits }), now, "utc");
  expect(breaker?.blocks.map((b) => [b.left, b.width])).toEqual([[0.5, 0.1]]);
  expect(breaker?.text).toMatch(/^Breaker over the last hour: Open \d\d:\d\d:\d\d – \d\d:\d\d:\d\d, 6 m/);
  expect(rate?.blocks).toEqual([]);
  expect(rate?.text).toBe("Rate over the last hour: nothing waited");
  expect(pause?.blocks.map((b) => [b.left, b.width])).toEqual([[0.9, 0.1]]);
  expect(pause?.text).toMatch(/Paused since \d\d:\d\d:\d\d$/);
});

it("shows of a wait only what lies within the hour that has passed", () => {
  const waits = [
    { reason: "rate" as const, since: ago(60), until: ago(45) },
    { reason: "rate" as const, since: ago(15), until: after(600_000) },
    { reason: "rate" as const, since: ago(90), until: ago(61) },
  ];
  const rate = waitStrips(aSystem({ waits }), now, "utc")[1];
  expect(rate?.blocks.map((b) => [b.left, b.width])).toEqual([
    [0, 0.25],
    [0.75, 0.25],
  ]);
  expect(rate?.blocks[0]?.title).toMatch(/^Told to wait until /);
  expect(rate?.blocks[1]?.title).toMatch(/^Told to wait since /);
});

it("has no line for a breaker that is off, unless it was open within the hour", () => {
  const breaker = aBreaker({ state: "off" });
  const labels = (s: System) => waitStrips(s, now, "utc").map((strip) => strip.label);
  expect(labels(aSystem({ breaker }))).toEqual(["Rate", "Pause"]);
  const waits = [{ reason: "breaker" as const, since: ago(30), until: ago(24) }];
  expect(labels(aSystem({ breaker, waits }))).toEqual(["Breaker", "Rate", "Pause"]);
});

it("names the quarters of the hour", () => {
  const times = stripTimes(now, "utc");
  expect(times).toEqual(["13:03", "13:18", "13:33", "13:48", "now"]);
});
