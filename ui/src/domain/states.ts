/** A state is always shape, word and colour together; this is the one table that pairs them. */
import type { BreakerState, DeliveryState, GateState, IntegrationState } from "./types";

export type Shape =
  | "delivered"
  | "queued"
  | "sending"
  | "retrying"
  | "held"
  | "dead"
  | "discarded"
  | "filtered"
  | "collected"
  | "superseded"
  | "warn"
  | "paused"
  | "idle"
  | "breaker-closed"
  | "breaker-half"
  | "breaker-open"
  | "breaker-held"
  | "breaker-forced"
  | "breaker-off";

/** Colour means that a person should look: quiet states keep the colour of text. */
export type Tone = "quiet" | "ok" | "warn" | "error" | "info" | "dead";

export interface StateLook {
  word: string;
  shape: Shape;
  tone: Tone;
}

const DELIVERY: Record<DeliveryState, StateLook> = {
  queued: { word: "Queued", shape: "queued", tone: "quiet" },
  sending: { word: "Sending", shape: "sending", tone: "quiet" },
  retrying: { word: "Retrying", shape: "retrying", tone: "warn" },
  held: { word: "Held", shape: "held", tone: "info" },
  delivered: { word: "Delivered", shape: "delivered", tone: "ok" },
  dead: { word: "Dead", shape: "dead", tone: "dead" },
  discarded: { word: "Discarded", shape: "discarded", tone: "quiet" },
  filtered: { word: "Filtered", shape: "filtered", tone: "quiet" },
  collected: { word: "Collected", shape: "collected", tone: "quiet" },
  superseded: { word: "Superseded", shape: "superseded", tone: "quiet" },
};

const INTEGRATION: Record<IntegrationState, StateLook> = {
  healthy: { word: "Healthy", shape: "delivered", tone: "ok" },
  failing: { word: "Failing", shape: "warn", tone: "error" },
  broken: { word: "Broken", shape: "warn", tone: "error" },
  slow: { word: "Slow", shape: "warn", tone: "warn" },
  paused: { word: "Paused", shape: "held", tone: "info" },
  idle: { word: "Idle", shape: "idle", tone: "quiet" },
};

export function deliveryLook(state: DeliveryState): StateLook {
  return DELIVERY[state];
}

/** What has become of one delivery within a replay. */
const ITEM: Record<string, StateLook> = {
  pending: { word: "Not sent yet", shape: "queued", tone: "quiet" },
  sent: DELIVERY.sending,
  delivered: DELIVERY.delivered,
  dead: { ...DELIVERY.dead, word: "Died again" },
  skipped: { word: "Skipped", shape: "superseded", tone: "quiet" },
};

export function itemLook(state: string): StateLook {
  return ITEM[state] ?? { word: state, shape: "idle", tone: "quiet" };
}

export function integrationLook(state: IntegrationState): StateLook {
  return INTEGRATION[state];
}

/** The signal arm beside a system: upright lets through, level stops. */
export type Arm = "clear" | "half" | "stop" | "idle";

export function gateArm(state: GateState, breaker: BreakerState = "closed"): Arm {
  if (state === "paused") return "idle";
  if (breaker === "half-open") return "half";
  return state === "clear" ? "clear" : "stop";
}

const GATE_REASONS: Record<string, string> = {
  rate: "rate limit",
  "retry-after": "Retry-After",
  pause: "paused",
  credential: "credential",
  breaker: "breaker open",
  quota: "quota used up",
};

/** Two words beside a gate that does not let through; nothing beside a clear one. */
export function gateWord(state: GateState, reason: string | null, breaker: BreakerState = "closed"): string {
  if (state === "paused") return "paused";
  if (breaker === "half-open") return "half-open";
  if (breaker === "held-open") return "held open";
  if (state === "clear") return "";
  return (reason && GATE_REASONS[reason]) ?? reason ?? "stopped";
}

/** Waiting for a time that the system named is a matter of patience; a breaker or a credential needs a person. */
export function gateTone(state: GateState, reason: string | null, breaker: BreakerState = "closed"): Tone {
  if (state === "paused") return "info";
  if (breaker === "half-open") return "warn";
  return reason !== null && ["rate", "retry-after", "quota"].includes(reason) ? "warn" : "error";
}

/** An HTTP status has the colour of its outcome, not of its class. */
export function statusTone(state: DeliveryState): Tone {
  if (state === "dead") return "dead";
  return state === "retrying" ? "warn" : "quiet";
}

export function isSettled(state: DeliveryState): boolean {
  return !["queued", "sending", "retrying", "held", "dead"].includes(state);
}
