/** The rail of a delivery's attempts: dots at their true times, with the waits between them. */
import { span, took } from "./format";
import type { Attempt, DeliveryState } from "./types";

export interface Dot {
  x: number;
  attempt: Attempt;
  last: boolean;
}

export interface Wait {
  x: number;
  text: string;
}

export interface Rail {
  dots: Dot[];
  waits: Wait[];
}

/** Dots keep at least `gap` px between them, so that quick retries stay apart; otherwise distance is time. */
export function layOutRail(attempts: readonly Attempt[], left: number, right: number, gap = 16): Rail {
  const times = attempts.map((a) => Date.parse(a.started_at));
  const first = times[0] ?? 0;
  const total = Math.max(1, (times.at(-1) ?? first) - first);
  const free = Math.max(0, right - left - gap * Math.max(0, attempts.length - 1));
  const dots = attempts.map((attempt, i) => ({
    x: attempts.length === 1 ? left : left + gap * i + (((times[i] ?? first) - first) / total) * free,
    attempt,
    last: i === attempts.length - 1,
  }));
  const waits: Wait[] = [];
  dots.slice(1).forEach((dot, i) => {
    const before = dots[i];
    const from = times[i];
    const to = times[i + 1];
    if (!before || from === undefined || to === undefined) return;
    const text = to - from < 1000 ? took(to - from) : span(to - from);
    if (dot.x - before.x >= text.length * 6 + 8) waits.push({ x: (dot.x + before.x) / 2, text });
  });
  return { dots, waits };
}

/** Who set a wait; the schedule is the usual one and not named. */
const WAITED: Record<string, string> = {
  "retry-after": ", Retry-After",
  replay: ", replay",
  restart: ", restart",
};

/** What came after an attempt: the wait and who set it, or how it ended. */
export function afterAttempt(attempts: readonly Attempt[], index: number, state: DeliveryState): string {
  const attempt = attempts[index];
  if (!attempt) return "";
  const next = attempts[index + 1];
  if (next) {
    const wait = Date.parse(next.started_at) - Date.parse(attempt.started_at);
    const by = (attempt.waited_for && WAITED[attempt.waited_for]) ?? "";
    return `then ${wait < 1000 ? took(wait) : span(wait)}${by}`;
  }
  switch (state) {
    case "dead":
      return "gave up";
    case "delivered":
      return "confirmed";
    case "retrying":
    case "held":
      return attempt.next_due_at ? "tried again when due" : "";
    case "sending":
      return attempt.ended_at ? "" : "under way";
    default:
      return "";
  }
}

/** `6 of 6 in 1 m 17 s`. */
export function attemptsMeta(attempts: readonly Attempt[], max: number | null): string {
  const first = attempts[0];
  const last = attempts.at(-1);
  if (!first || !last) return "none yet";
  const ended = Date.parse(last.ended_at ?? last.started_at);
  const over = ended - Date.parse(first.started_at);
  const n = max === null || attempts.length > max ? `${attempts.length}` : `${attempts.length} of ${max}`;
  return attempts.length === 1 ? `${n}, ${took(over)}` : `${n} in ${over < 1000 ? took(over) : span(over)}`;
}
