/** A system's breaker in words and shapes. "Open" and "closed" stand only where the column or the sentence says breaker. */
import { count, span, until } from "./format";
import type { StateLook } from "./states";
import type { Breaker, BreakerOrder, BreakerState } from "./types";

const LOOKS: Record<BreakerState, StateLook> = {
  closed: { word: "Closed", shape: "breaker-closed", tone: "ok" },
  "half-open": { word: "Half-open", shape: "breaker-half", tone: "warn" },
  open: { word: "Open", shape: "breaker-open", tone: "error" },
  "held-open": { word: "Held open", shape: "breaker-held", tone: "info" },
  "forced-closed": { word: "Forced closed", shape: "breaker-forced", tone: "warn" },
  off: { word: "Off", shape: "breaker-off", tone: "quiet" },
};

export function breakerLook(state: BreakerState): StateLook {
  return LOOKS[state];
}

/** `0:24` to the next probe, where one is due. */
export function breakerCountdown(b: Breaker, now: number): string {
  return b.state === "open" && b.next_probe_at ? until(b.next_probe_at, now) : "";
}

/** It lets nothing through, or one at a time. */
export function isBreakerStopping(state: BreakerState): boolean {
  return state === "open" || state === "held-open" || state === "half-open";
}

/** Why it stands as it does: the engine's own sentence, else what was counted. */
export function breakerReason(b: Breaker): string {
  if (b.reason) return b.reason;
  switch (b.state) {
    case "off":
      return "This system has no breaker: whatever it answers, deliveries go on to it.";
    case "closed":
      return b.calls === 0
        ? `Nothing was sent to it in the last ${span(b.window_ms)}.`
        : `${count(b.failures)} of ${count(b.calls)} failed in the last ${span(b.window_ms)}.`;
    default:
      return "";
  }
}

/** When it opens by itself. */
export function breakerRule(b: Breaker): string {
  if (b.state === "off") return "";
  return `Opens when ${Math.round(b.ratio * 100)}% of at least ${count(b.minimum)} fail within ${span(b.window_ms)}`;
}

export interface BreakerChoice {
  order: BreakerOrder;
  verb: string;
  /** The question of the dialog, for the system's title. */
  ask: (title: string) => string;
  /** What follows from it. */
  then: string;
}

const CHOICES: Record<BreakerOrder, BreakerChoice> = {
  open: {
    order: "open",
    verb: "Hold open",
    ask: (title) => `Hold ${title}'s breaker open?`,
    then: "Nothing is sent to it until you give it back. What arrives waits, and nothing is lost.",
  },
  closed: {
    order: "closed",
    verb: "Force close",
    ask: (title) => `Force ${title}'s breaker closed?`,
    then: "Deliveries go on however many fail, until you give it back. Those that use up their tries die.",
  },
  auto: {
    order: "auto",
    verb: "Automatic",
    ask: (title) => `Give ${title}'s breaker back?`,
    then: "It opens and closes by what it counts, as set in the system's file.",
  },
};

export function breakerChoice(order: BreakerOrder): BreakerChoice {
  return CHOICES[order];
}

/** The order that is in force. */
export function standingOrder(state: BreakerState): BreakerOrder {
  return state === "held-open" ? "open" : state === "forced-closed" ? "closed" : "auto";
}

/** What a person can change it to; nothing where there is no breaker. */
export function breakerChoices(state: BreakerState): BreakerChoice[] {
  if (state === "off") return [];
  const now = standingOrder(state);
  return (["open", "closed", "auto"] as const).filter((o) => o !== now).map((o) => CHOICES[o]);
}
