import { expect, it } from "vitest";
import { bucketFilter, bucketIndex, bucketStart, bucketText, type Grid } from "./chart";

const grid: Grid = { startMs: Date.parse("2026-11-21T13:09:30Z"), bucketMs: 30_000, n: 120 };

it("keeps an instant in its bucket while the grid moves on", () => {
  const hovered = bucketStart(grid, 111);
  const later = { ...grid, startMs: grid.startMs + 20 * grid.bucketMs };
  expect(bucketText(later, bucketIndex(later, hovered)!, "utc")).toBe(bucketText(grid, 111, "utc"));
  expect(bucketText(grid, 111, "utc")).toBe("14:05:00 to 14:05:30");
});

it("lets go of an instant that has left the grid", () => {
  expect(bucketIndex(grid, grid.startMs - 1)).toBeNull();
  expect(bucketIndex(grid, bucketStart(grid, 120))).toBeNull();
  expect(bucketIndex(grid, null)).toBeNull();
});

it("picks the deliveries of one bucket", () => {
  expect(bucketFilter(grid, 0)).toBe("since:2026-11-21T13:09:30Z until:2026-11-21T13:10:00Z");
});
