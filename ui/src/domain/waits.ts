/** Why a delivery is not on its way, in words short enough for a row. */
import { count, plural } from "./format";
import type { Delivery, DeliveryState, System, WaitsFor } from "./types";

const WORDS: Record<string, string> = {
  order: "order",
  breaker: "breaker",
  rate: "rate",
  quota: "quota",
  pause: "paused",
  credential: "credential",
  "retry-after": "Retry-After",
};

const PHRASES: Record<string, string> = {
  order: "an earlier one of the same key",
  breaker: "the breaker to let it through",
  rate: "the system's rate limit",
  quota: "the system's quota",
  pause: "somebody to let it go on",
  credential: "a credential that works",
};

/** After "waits for". */
export function waitPhrase(reason: string): string {
  return PHRASES[reason] ?? reason;
}

export function isWaiting(state: DeliveryState): boolean {
  return state === "queued" || state === "held" || state === "retrying";
}

/** A word or two, for a row. */
export function waitWord(reason: string | null): string {
  return reason === null ? "" : (WORDS[reason] ?? reason);
}

/** The gate that stands before a row, where it is the gate that it waits for. */
function gateOf(row: Delivery, systems: readonly System[]) {
  if (row.state !== "held" || row.reason === null || row.reason === "order") return null;
  const system = systems.find((s) => s.name === row.system);
  const own = system?.destinations.find((d) => d.integration === row.integration && d.name === row.destination);
  return [own?.gate, system?.gate].find((g) => g && g.state !== "clear") ?? null;
}

/** The row's own line: for a waiting one why it waits, for a dead one what it died of. */
export function whyOf(row: Delivery, systems: readonly System[]): string {
  const gate = gateOf(row, systems);
  if (gate?.explain) return gate.explain;
  if (row.state === "held" && row.reason === "order") return "An earlier one of the same key has not ended.";
  return isWaiting(row.state) || row.state === "dead" ? (row.message ?? "") : "";
}

/** When it goes on at the earliest, as far as the row and its gate tell. */
export function goesOnAt(row: Delivery, systems: readonly System[]): string | null {
  if (row.state === "retrying") return row.due_at;
  return gateOf(row, systems)?.until ?? null;
}

/** What stands before it: `3 deliveries go before it`. Empty where that is not known. */
export function aheadText(w: WaitsFor): string {
  if (w.ahead === null || w.ahead === 0) return "";
  return w.ahead === 1 ? "1 delivery goes before it" : `${plural(w.ahead, "delivery", "deliveries")} go before it`;
}

/** A batch's way as one line: `Went with 36 others; 2 failed`. */
export function batchLine(size: number, failed: number): string {
  const others = size - 1;
  const with_ =
    others <= 0 ? "Went alone in its batch" : `Went with ${others === 1 ? "1 other" : `${count(others)} others`}`;
  return `${with_}; ${failed === 0 ? "all were confirmed" : `${count(failed)} failed`}`;
}
