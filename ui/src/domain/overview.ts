/** The overview in words. Only what was counted or stored is said; nothing is guessed from it. */
import { count, percent, plural, span } from "./format";
import { kindName, statusPhrase } from "./kinds";
import type { IntegrationRow, Overview, OverviewWindow } from "./types";

export const WINDOW_WORDS: Record<OverviewWindow, string> = {
  "15m": "15 minutes",
  "1h": "hour",
  "6h": "6 hours",
  "24h": "24 hours",
};

/** `1 h`, as a control shows it. */
export const WINDOW_SHORT: Record<OverviewWindow, string> = { "15m": "15 m", "1h": "1 h", "6h": "6 h", "24h": "24 h" };

/** Below this many an average says less than the count. */
const ENOUGH = 20;

export function deliveredLine(o: Overview, window: OverviewWindow): string {
  const { count: done, ended, rate, previous_rate: before } = o.delivered;
  if (ended === 0) return `nothing ended in the last ${WINDOW_WORDS[window]}`;
  if (done === ended) return healthLine(o);
  if (ended < ENOUGH || rate === null) return `${plural(ended - done, "delivery", "deliveries")} did not arrive`;
  return `${percent(rate)}${trend(rate, before, window)}`;
}

function trend(rate: number, before: number | null, window: OverviewWindow): string {
  if (before === null) return "";
  const points = Math.round((rate - before) * 1000) / 10;
  if (Math.abs(points) < 0.1) return `, as the ${WINDOW_WORDS[window]} before`;
  return `, ${points < 0 ? "down" : "up"} ${Math.abs(points).toFixed(1)} points`;
}

/** The sentence that takes the place of trouble on a good day. */
export function healthLine(o: Overview): string {
  if (o.dead_letters.count > 0) return "All that ended in this time arrived.";
  const n = o.integrations.length;
  const bad = o.integrations.filter((i) => i.state === "failing" || i.state === "broken").length;
  const who = n === 1 ? "The integration is healthy" : `All ${n} integrations healthy`;
  if (bad > 0) return `${plural(bad, "integration")} failing`;
  if (!o.last_failure_at) return `${who}. No failure yet.`;
  return `${who}. Last failure ${span(Date.parse(o.at) - Date.parse(o.last_failure_at))} ago.`;
}

export function failingLine(o: Overview): string {
  const { attempts, top_kind: kind, top_status: status } = o.failing;
  if (attempts === 0) return "";
  if (status !== null) return `${plural(attempts, "attempt")} failed, most answered ${status}`;
  return kind
    ? `${plural(attempts, "attempt")} failed, most ${kindName(kind).toLowerCase()}`
    : `${plural(attempts, "attempt")} failed`;
}

const HELD_BY: Record<string, string> = {
  order: "held by order",
  rate: "held by Retry-After",
  pause: "paused",
  credential: "held by a credential",
  breaker: "held by a breaker",
  quota: "held by a quota",
};

/** Who holds the queue back, the largest first; empty where nobody does. */
export function heldBy(o: Overview): string {
  const top = Object.entries(o.queue.held_by)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1])[0];
  return top ? `${count(top[1])} ${HELD_BY[top[0]] ?? `wait: ${top[0]}`}` : "";
}

export interface Trouble {
  title: string;
  detail: string;
  /** Something fails now, as opposed to something that failed and still holds others up. */
  now: boolean;
}

/** The strip over the overview: the worst integration and what it costs. Null on a good day. */
export function trouble(o: Overview): Trouble | null {
  const worst = o.integrations.filter((i) => i.state === "failing" || i.state === "broken");
  const first = worst[0];
  if (!first) return leftover(o);
  const title = worst.length === 1 ? `${first.title} is ${first.state}` : `${worst.length} integrations are failing`;
  const facts = [troubleCause(o), troubleCost(worst)].filter(Boolean);
  return { title, detail: facts.join(" "), now: true };
}

/** Dead letters park their keys: what comes after them waits although all is well again. */
function leftover(o: Overview): Trouble | null {
  const dead = o.dead_letters.count;
  const behind = o.queue.held_by.order ?? 0;
  if (dead === 0 || behind === 0) return null;
  return {
    title: `${plural(dead, "dead letter")} to replay or discard`,
    detail: `${plural(behind, "delivery waits", "deliveries wait")} for an earlier one of the same key. Nothing is lost.`,
    now: false,
  };
}

function troubleCause(o: Overview): string {
  const { top_status: status, top_kind: kind, attempts } = o.failing;
  if (attempts === 0) return "";
  if (status !== null) return `Mostly answered ${statusPhrase(status)}.`;
  return kind ? `Mostly ${kindName(kind).toLowerCase()} failures.` : "";
}

function troubleCost(rows: IntegrationRow[]): string {
  const dead = rows.reduce((n, r) => n + r.dead, 0);
  const queue = rows.reduce((n, r) => n + r.queue, 0);
  const parts = [];
  if (dead > 0) parts.push(`${count(dead)} dead`);
  if (queue > 0) parts.push(`${count(queue)} waiting`);
  return parts.length > 0 ? `${parts.join(", ")}. Nothing is lost.` : "";
}

/** What a chart of failures says to someone who does not see it. */
export function failuresSummary(total: number, top: string | null, window: OverviewWindow): string {
  if (total === 0) return `No failed attempts in the last ${WINDOW_WORDS[window]}`;
  return `${plural(total, "failed attempt")} in the last ${WINDOW_WORDS[window]}${top ? `, most of the kind ${top.toLowerCase()}` : ""}`;
}
