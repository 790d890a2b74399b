/** A replay in words: what its plan leaves out, how far it is, how it ended. */
import { count } from "./format";
import type { Replay, Skipped } from "./types";

/** Why a plan holds fewer than were asked for; empty where it holds all. */
export function skippedLine(skipped: Skipped): string {
  const { newer, state, patch, parked } = skipped;
  const parts = [];
  if (newer > 0) parts.push(`${count(newer)} skipped for newer data of the same key`);
  if (patch > 0) parts.push(`${count(patch)} skipped, the edit does not fit`);
  if (parked > 0) parts.push(`${count(parked)} behind an earlier dead letter of the same key`);
  if (state > 0) parts.push(`${count(state)} ${state === 1 ? "is" : "are"} not dead`);
  return parts.join(", ");
}

/** The end of a replay, in one line. */
export function replayReport(r: Replay): string {
  const parts = [`${count(r.sent)} replayed`, `${count(r.delivered)} confirmed`];
  if (r.dead > 0) parts.push(`${count(r.dead)} died again`);
  const skipped = skippedLine(r.skipped);
  if (skipped) parts.push(skipped);
  if (r.undone > 0) parts.push(`${count(r.undone)} taken back, dead as before`);
  else if (r.state === "cancelled") parts.push(`${count(Math.max(0, r.total - r.sent))} not sent`);
  return `${parts.join(", ")}.`;
}

export function replayTitle(r: Replay, system: string | null): string {
  const to = system ? ` to ${system}` : "";
  switch (r.state) {
    case "paused":
      return `Paused, ${count(r.total)}${to}`;
    case "done":
      return `Replayed ${count(r.total)}${to}`;
    case "cancelled":
      return `Cancelled, ${count(r.total)}${to}`;
    case "stopped":
      return `Stopped, ${count(r.total)}${to}`;
    default:
      return `Replaying ${count(r.total)}${to}`;
  }
}

export function isRunning(r: Replay): boolean {
  return r.state === "planned" || r.state === "running" || r.state === "paused";
}
