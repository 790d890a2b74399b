import { describe, expect, it } from "vitest";
import { after, anAttempt } from "../test/fake-backend/factories";
import { afterAttempt, attemptsMeta, layOutRail } from "./attempts";

const three = [0, 10_000, 40_000].map((ms, i) =>
  anAttempt({
    id: `att_${i}`,
    number: i + 1,
    started_at: after(ms),
    ended_at: after(ms + 180),
    waited_for: i === 0 ? "retry-after" : "schedule",
  }),
);

describe("the rail", () => {
  it("is true to time between its ends", () => {
    const { dots } = layOutRail(three, 8, 448);
    expect(dots[0]?.x).toBe(8);
    expect(dots[2]?.x).toBe(448);
    // A quarter of the time, on what the least gaps leave free.
    expect(dots[1]?.x).toBe(8 + 16 + (448 - 8 - 32) / 4);
  });
  it("keeps attempts of the same instant apart", () => {
    const { dots } = layOutRail([anAttempt({ id: "a" }), anAttempt({ id: "b" })], 8, 448);
    expect(dots[1]!.x - dots[0]!.x).toBeGreaterThanOrEqual(16);
  });
  it("leaves a wait out where its text has no room", () => {
    expect(layOutRail(three, 8, 60).waits).toEqual([]);
    expect(layOutRail(three, 8, 448).waits.map((w) => w.text)).toEqual(["10 s", "30 s"]);
  });
});

describe("what came after an attempt", () => {
  it("is the wait, with who set it where it was not the schedule", () => {
    expect(afterAttempt(three, 0, "dead")).toBe("then 10 s, Retry-After");
    expect(afterAttempt(three, 1, "dead")).toBe("then 30 s");
  });
  it("is the end of the last", () => {
    expect(afterAttempt(three, 2, "dead")).toBe("gave up");
    expect(afterAttempt(three, 2, "delivered")).toBe("confirmed");
  });
});

it("counts attempts of later rounds without calling them too many", () => {
  expect(attemptsMeta(three, 6)).toBe("3 of 6 in 40 s");
  expect(attemptsMeta(three, 2)).toBe("3 in 40 s");
  expect(attemptsMeta([], 6)).toBe("none yet");
});
