/** Arithmetic of the charts. Geometry only: no DOM, so that it can be tested by numbers. */

const STEPS = [1, 2, 4, 5, 10];

/** The top of an axis: the least of 1, 2, 4, 5 × 10ⁿ that holds the value, so that its half is a round number too. */
export function niceTop(max: number, least = 4): number {
  const want = Math.max(max, least);
  const unit = 10 ** Math.floor(Math.log10(want));
  for (const step of STEPS) if (step * unit >= want) return step * unit;
  return 10 * unit;
}

/** The same for milliseconds, on steps a clock has. */
export function niceAge(maxMs: number): number {
  const steps = [10, 20, 30, 60, 120, 240, 600, 1200, 3600, 7200, 14_400, 43_200, 86_400, 172_800, 604_800];
  for (const s of steps) if (s * 1000 >= maxMs) return s * 1000;
  return niceTop(maxMs);
}

/**
 * An axis that grows at once and shrinks only after the data has stayed below half of it for five buckets: a chart that
 * rescales on every tick cannot be read.
 */
export class StickyTop {
  #top = 0;
  #lowSince: number | null = null;

  constructor(private readonly nice: (max: number) => number = niceTop) {}

  next(max: number, bucket: number): number {
    const want = this.nice(max);
    if (want >= this.#top) {
      this.#top = want;
      this.#lowSince = null;
    } else if (max < this.#top / 2) {
      this.#lowSince ??= bucket;
      if (bucket - this.#lowSince >= 5) {
        this.#top = want;
        this.#lowSince = null;
      }
    } else this.#lowSince = null;
    return this.#top;
  }
}

export interface Slot {
  x: number;
  width: number;
}

/** Bars on whole pixels with one pixel between them; bars of one chart differ by at most a pixel. */
export function slots(n: number, left: number, width: number): Slot[] {
  const whole = Math.floor(width / n);
  // A whole pitch looks calmer; it is taken where it leaves less than a twelfth of the plot empty.
  if (whole >= 2 && whole * n > width * 0.92) {
    const from = left + (width - whole * n);
    return Array.from({ length: n }, (_, i) => ({ x: from + i * whole, width: whole - 1 }));
  }
  return Array.from({ length: n }, (_, i) => {
    const x = Math.round((i * width) / n);
    const end = Math.round(((i + 1) * width) / n);
    return { x: left + x, width: Math.max(1, end - x - (end - x > 2 ? 1 : 0)) };
  });
}

export interface SparkColumns {
  /** Distance from one column to the next, of which one pixel stays empty. */
  pitch: number;
  values: number[];
}

/** A row's values as columns that fit a width: narrower ones first, then as many values a column as it takes, evenly. */
export function sparkColumns(values: readonly number[], width: number, join: "sum" | "max"): SparkColumns {
  const pitch = [4, 3].find((p) => values.length * p <= width + 1);
  if (pitch) return { pitch, values: [...values] };
  const size = Math.ceil(values.length / Math.floor((width + 1) / 4));
  const joined: number[] = [];
  // From the end, so that the newest column is whole.
  for (let end = values.length; end > 0; end -= size) {
    const part = values.slice(Math.max(0, end - size), end);
    joined.unshift(join === "sum" ? sum(part) : Math.max(...part));
  }
  return { pitch: 4, values: joined };
}

/** Height on a log axis from `low` to `high` ms, 0..1. */
export function logShare(ms: number, low: number, high: number): number {
  const clamped = Math.min(Math.max(ms, low), high);
  return Math.log(clamped / low) / Math.log(high / low);
}

/** A path through the points; a missing value is a gap, and a value alone between gaps a short dash. */
export function linePath(xs: number[], ys: (number | null)[]): string {
  let path = "";
  let pen = false;
  ys.forEach((y, i) => {
    const x = xs[i];
    if (y === null || x === undefined) {
      pen = false;
      return;
    }
    const next = ys[i + 1];
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (!pen && (next === null || next === undefined)) path += `h2`;
    pen = true;
  });
  return path;
}

/** The same path closed down to the base line, one area a run. */
export function areaPath(xs: number[], ys: (number | null)[], base: number): string {
  let path = "";
  let run: [number, number][] = [];
  const close = () => {
    const first = run[0];
    const last = run.at(-1);
    if (first && last) {
      path += `M${first[0].toFixed(1)} ${base}${run.map(([x, y]) => `L${x.toFixed(1)} ${y.toFixed(1)}`).join("")}L${last[0].toFixed(1)} ${base}Z`;
    }
    run = [];
  };
  ys.forEach((y, i) => {
    const x = xs[i];
    if (y === null || x === undefined) close();
    else run.push([x, y]);
  });
  close();
  return path;
}

/** Indices of the buckets that carry a time label, and the label's instant: round minutes, four to six of them. */
export function timeTicks(startMs: number, bucketMs: number, n: number): { index: number; at: number }[] {
  const total = n * bucketMs;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360].map((m) => m * 60_000);
  const step = steps.find((s) => total / s <= 5) ?? 480 * 60_000;
  const ticks: { index: number; at: number }[] = [];
  for (let at = Math.ceil(startMs / step) * step; at < startMs + total; at += step) {
    ticks.push({ index: (at - startMs) / bucketMs, at });
  }
  return ticks;
}

export function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

export function maxOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((a, b) => Math.max(a, b ?? 0), 0);
}
