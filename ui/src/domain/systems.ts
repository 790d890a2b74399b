import { plural } from "./format";
import type { System } from "./types";

/** What does not go as usual, in a few words each: `1 breaker open`, `1 paused`. */
export function troubles(systems: readonly System[]): string[] {
  const n = (has: (s: System) => boolean) => systems.filter(has).length;
  const open = n((s) => s.breaker.state === "open" || s.breaker.state === "held-open");
  const half = n((s) => s.breaker.state === "half-open");
  const paused = n((s) => s.paused);
  const rated = n((s) => s.gate.state === "closed" && (s.gate.reason === "rate" || s.gate.reason === "quota"));
  const refused = n((s) => s.credential.state === "missing" || s.credential.state === "refused");
  return [
    open > 0 ? `${plural(open, "breaker")} open` : "",
    half > 0 ? `${plural(half, "breaker")} half-open` : "",
    paused > 0 ? `${paused} paused` : "",
    rated > 0 ? `${rated} at ${rated === 1 ? "its" : "their"} limit` : "",
    refused > 0 ? plural(refused, "credential does not work", "credentials do not work") : "",
  ].filter(Boolean);
}
