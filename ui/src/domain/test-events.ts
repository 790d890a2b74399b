/** What a test event would do, or did, in words. */
import { count, plural } from "./format";
import type { StateLook } from "./states";
import type { TestAccepted, TestDryRun, TriedDelivery } from "./types";

const LOOKS: Record<TriedDelivery["outcome"], StateLook> = {
  sent: { word: "Would be sent", shape: "sending", tone: "info" },
  filtered: { word: "Filtered", shape: "filtered", tone: "quiet" },
  dead: { word: "Would be dead", shape: "dead", tone: "dead" },
};

export function triedLook(outcome: TriedDelivery["outcome"]): StateLook {
  return LOOKS[outcome];
}

/** Why, for what is not sent; what it waits for, for what is. */
export function triedWhy({ outcome, message, stage, waits }: TriedDelivery): string {
  if (outcome === "filtered") return `${message ?? "a step"} says no`;
  if (outcome === "dead") return `at ${stage ?? "accept"}: ${message ?? "no reason is given"}`;
  return waits ?? "";
}

/** What would be dead comes first, since it is what has to be mended; the rest stays in the order of the file. */
export function deadFirst(destinations: readonly TriedDelivery[]): TriedDelivery[] {
  const isDead = (to: TriedDelivery) => to.outcome === "dead";
  return [...destinations.filter(isDead), ...destinations.filter((to) => !isDead(to))];
}

export function dryRunLine(run: TestDryRun): string {
  if (run.count === 0) return "The source makes no event of this.";
  const all = run.events.flatMap((e) => e.destinations);
  const sent = all.filter((d) => d.outcome === "sent").length;
  const dead = all.filter((d) => d.outcome === "dead").length;
  const first = run.events.length < run.count ? ` Shown: the first ${count(run.events.length)}.` : "";
  const died = dead > 0 ? `, ${count(dead)} would be dead` : "";
  return `${plural(run.count, "event")}: ${plural(sent, "request")} would go out${died}.${first}`;
}

export function acceptedLine({ events }: TestAccepted): string {
  const fresh = events.filter((e) => !e.duplicate).length;
  if (events.length === 0) return "The source makes no event of this, so nothing was sent.";
  if (fresh === 0) return "The same event is in the ledger already, so nothing was sent again.";
  return `${fresh === 1 ? "The event is" : `${count(fresh)} events are`} in the ledger and on the way.`;
}
