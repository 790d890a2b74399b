/** What the four charts of the overview share: one grid of buckets, and one bucket under the pointer. */
import { clock, hourMinute, type Zone } from "./format";
import type { Overview } from "./types";

export interface Grid {
  startMs: number;
  bucketMs: number;
  n: number;
}

export interface Plot {
  left: number;
  right: number;
  top: number;
  base: number;
  width: number;
}

export function gridOf(o: Overview): Grid {
  return {
    startMs: Date.parse(o.series.start),
    bucketMs: o.series.bucket_seconds * 1000,
    n: o.series.accepted.length,
  };
}

/** 28 left of the plot for its axis, 27 right of it for labels at the lines' ends: 120 columns of 4 px at 1280. */
export function plotOf(width: number, height: number): Plot {
  return { left: 28, right: width - 27, top: 14, base: height - 20, width: Math.max(1, width - 55) };
}

/** The bucket that holds an instant, or null outside the grid. */
export function bucketIndex(grid: Grid, at: number | null): number | null {
  if (at === null) return null;
  const index = Math.floor((at - grid.startMs) / grid.bucketMs);
  return index >= 0 && index < grid.n ? index : null;
}

export function bucketStart(grid: Grid, index: number): number {
  return grid.startMs + index * grid.bucketMs;
}

/** `14:05:00 to 14:05:30`; without seconds where buckets are whole minutes. */
export function bucketText(grid: Grid, index: number, zone: Zone): string {
  const from = new Date(bucketStart(grid, index)).toISOString();
  const to = new Date(bucketStart(grid, index + 1)).toISOString();
  const say = grid.bucketMs % 60_000 === 0 ? hourMinute : clock;
  return `${say(from, zone)} to ${say(to, zone)}`;
}

/** `30 s`, `5 m`: a bucket's length in a heading. */
export function bucketWord(grid: Grid): string {
  const s = grid.bucketMs / 1000;
  return s < 60 ? `${s} s` : s === 60 ? "minute" : `${s / 60} m`;
}

/** Terms that pick the deliveries of one bucket. */
export function bucketFilter(grid: Grid, index: number): string {
  const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");
  return `since:${iso(bucketStart(grid, index))} until:${iso(bucketStart(grid, index + 1))}`;
}

/** An age on the axis, short enough for the margin: `30s`, `4m`, `2h`. */
export function ageTick(ms: number): string {
  const s = ms / 1000;
  if (s < 60) return `${Math.round(s * 10) / 10}s`;
  if (s < 3600) return `${Math.round(s / 6) / 10}m`;
  return `${Math.round(s / 360) / 10}h`;
}
