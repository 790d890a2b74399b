/** A failure group in words. */
import { capital, plural } from "./format";
import { kindName } from "./kinds";
import type { DeliveryDetail, FailureGroup } from "./types";

/** What a group has in common, as its page's title. */
export function groupTitle(g: FailureGroup, system: string): string {
  const n = plural(g.count, "delivery", "deliveries");
  if (g.status !== null) return `${system} answered ${g.status} to ${n}`;
  if (g.kind === "mapping") return `${capital(g.stage)} failed for ${n}`;
  if (g.kind === "unknown") return `${system} gave no whole answer to ${n}`;
  return `${n} did not reach ${system}`;
}

/** A group's message without the system's name, which stands beside it. */
export function groupMessage(g: FailureGroup, systemTitle: string): string {
  return capital(g.message.replace(`${systemTitle} answered `, ""));
}

export function groupKind(g: FailureGroup): string {
  if (g.status !== null) return `${kindName(g.kind)}, HTTP ${g.status}`;
  return g.kind === "mapping" ? `Mapping, step ${g.stage}` : kindName(g.kind);
}

const NEXT: Record<FailureGroup["kind"], string> = {
  rejected: "A retry sends the same and gets the same answer: change the mapping or the record, then replay.",
  rate: "The limit was still in force at the last try. A replay goes at its own rate.",
  auth: "The credential was not accepted. Set a new secret, then replay.",
  mapping: "The steps could not make a request of these events. Mend the mapping, then replay.",
  server: "The system failed on its side. Replay once it is well again.",
  network: "The request did not get through. Replay once the system can be reached.",
  unknown: "The system may have processed these. A replay carries the same idempotency key.",
};

export function groupAdvice(g: FailureGroup): string {
  return NEXT[g.kind];
}

/** How many dead letters of a group there are beside this delivery, which may have left it, or be back in it. */
export function othersIn(group: string, dead: number, delivery: Pick<DeliveryDetail, "state" | "group">): number {
  const itself = delivery.state === "dead" && delivery.group === group ? 1 : 0;
  return Math.max(0, dead - itself);
}
