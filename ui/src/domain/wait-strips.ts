/** When something had to wait for a system over the last hour, as blocks on a line for each reason. */
import { clock, hourMinute, span, type Zone } from "./format";
import type { System } from "./types";

type Wait = System["waits"][number];
export type StripReason = "breaker" | "rate" | "pause";

/** What the server looks back over. */
export const STRIP_MS = 3_600_000;
/** What it cuts begins where it began to look, a moment ago: when it really began is not known. */
const CUT_MS = 5000;

export interface StripBlock {
  reason: StripReason;
  /** Shares of the line. */
  left: number;
  width: number;
  /** `Open 14:06:12 – 14:08:40, 2 m 28 s`. */
  title: string;
}

export interface Strip {
  label: string;
  blocks: StripBlock[];
  /** The same for who cannot see it. */
  text: string;
}

const ROWS: { reason: StripReason; label: string; word: string }[] = [
  { reason: "breaker", label: "Breaker", word: "Open" },
  { reason: "rate", label: "Rate", word: "Told to wait" },
  { reason: "pause", label: "Pause", word: "Paused" },
];

/** A system without a breaker has no line for it. */
export function waitStrips(s: Pick<System, "waits" | "breaker">, now: number, zone: Zone): Strip[] {
  const rows = ROWS.filter(
    ({ reason }) => reason !== "breaker" || s.breaker.state !== "off" || s.waits.some(isBreakers),
  );
  return rows.map(({ reason, label, word }) => {
    const blocks = s.waits.filter((w) => w.reason === reason).flatMap((w) => block(w, reason, word, now, zone));
    const said = blocks.length > 0 ? blocks.map((b) => b.title).join("; ") : "nothing waited";
    return { label, blocks, text: `${label} over the last hour: ${said}` };
  });
}

const isBreakers = (w: Wait) => w.reason === "breaker";

function block(w: Wait, reason: StripReason, word: string, now: number, zone: Zone): StripBlock[] {
  const from = now - STRIP_MS;
  const [since, end] = [Date.parse(w.since), w.until === null ? Infinity : Date.parse(w.until)];
  if (end <= from || since >= now) return [];
  const [left, right] = [Math.max(since, from), Math.min(end, now)];
  const title = `${word} ${words(w, since <= from + CUT_MS, end > now, zone)}`;
  return [{ reason, left: (left - from) / STRIP_MS, width: (right - left) / STRIP_MS, title }];
}

function words(w: Wait, cut: boolean, open: boolean, zone: Zone): string {
  if (cut && open) return "for an hour or longer";
  if (open) return `since ${clock(w.since, zone)}`;
  const end = w.until ?? "";
  if (cut) return `until ${clock(end, zone)}`;
  return `${clock(w.since, zone)} – ${clock(end, zone)}, ${span(Date.parse(end) - Date.parse(w.since))}`;
}

/** Under the line: four times, a quarter of an hour from each other, and now. */
export function stripTimes(now: number, zone: Zone): string[] {
  const quarters = [4, 3, 2, 1].map((quarter) => hourMinute(now - (quarter * STRIP_MS) / 4, zone));
  return [...quarters, "now"];
}
