import { describe, expect, it } from "vitest";
import { areaPath, linePath, logShare, niceTop, slots, sparkColumns, StickyTop, timeTicks } from "./scale";

it("ends an axis at 1, 2, 4, 5 or 10 of a power of ten", () => {
  expect([0, 3, 5, 31, 44, 60, 980].map((n) => niceTop(n))).toEqual([4, 4, 5, 40, 50, 100, 1000]);
});

describe("an axis while it lives", () => {
  it("grows at once and shrinks only after five low buckets", () => {
    const axis = new StickyTop();
    expect(axis.next(31, 0)).toBe(40);
    expect(axis.next(90, 1)).toBe(100);
    for (const bucket of [2, 3, 4, 5, 6]) expect(axis.next(4, bucket)).toBe(100);
    expect(axis.next(4, 7)).toBe(4);
  });
  it("stays where the data comes back in between", () => {
    const axis = new StickyTop();
    axis.next(90, 0);
    axis.next(4, 1);
    axis.next(60, 4);
    expect(axis.next(4, 6)).toBe(100);
  });
  it("does not count repaints of the same bucket", () => {
    const axis = new StickyTop();
    axis.next(90, 0);
    for (let i = 0; i < 50; i++) expect(axis.next(4, 1)).toBe(100);
  });
});

describe("bars", () => {
  it("stand on whole pixels inside the plot, a pixel apart", () => {
    for (const [n, width] of [
      [120, 480],
      [120, 793],
      [30, 480],
      [24, 95],
    ] as const) {
      const bars = slots(n, 28, width);
      expect(bars).toHaveLength(n);
      bars.forEach((bar, i) => {
        expect(Number.isInteger(bar.x) && Number.isInteger(bar.width) && bar.width >= 1).toBe(true);
        const next = bars[i + 1];
        if (next) expect(next.x).toBeGreaterThanOrEqual(bar.x + bar.width);
      });
      expect(bars.at(-1)!.x + bars.at(-1)!.width).toBeLessThanOrEqual(28 + width);
    }
  });
});

describe("lines", () => {
  it("break where data is missing instead of falling to zero", () => {
    expect(linePath([0, 10, 20, 30, 40], [1, 2, null, 4, 5])).toBe("M0.0 1.0L10.0 2.0M30.0 4.0L40.0 5.0");
  });
  it("show a value alone between gaps", () => {
    expect(linePath([0, 10, 20], [null, 3, null])).toBe("M10.0 3.0h2");
  });
  it("close an area for each run", () => {
    expect(areaPath([0, 10, 20], [1, null, 3], 9)).toBe("M0.0 9L0.0 1.0L0.0 9ZM20.0 9L20.0 3.0L20.0 9Z");
  });
});

it("clamps a log axis to its ends", () => {
  expect([logShare(1, 10, 1000), logShare(100, 10, 1000), logShare(9e9, 10, 1000)]).toEqual([0, 0.5, 1]);
});

it("labels round times, whatever the grid begins with", () => {
  const ticks = timeTicks(Date.parse("2026-11-21T13:09:30Z"), 30_000, 120);
  expect(ticks.map((t) => new Date(t.at).toISOString().slice(11, 16))).toEqual(["13:15", "13:30", "13:45", "14:00"]);
  expect(ticks[0]?.index).toBe(11);
});

describe("a small row of columns", () => {
  it("keeps every value apart as long as there is room", () => {
    const ones = Array.from({ length: 30 }, () => 1);
    expect(sparkColumns(ones, 96, "sum")).toEqual({ pitch: 3, values: ones });
  });
  it("joins the same number of values into each column, so that level data stays level", () => {
    const ones = Array.from({ length: 120 }, () => 1);
    expect(new Set(sparkColumns(ones, 96, "sum").values)).toEqual(new Set([5]));
    expect(new Set(sparkColumns(ones, 96, "max").values)).toEqual(new Set([1]));
  });
  it("has nothing to show for nothing", () => {
    expect(sparkColumns([], 96, "sum").values).toEqual([]);
  });
});
