/** The systems of the fake world as the API tells them. */
import type { Gate, System } from "../../domain/types";
import { aDestination, aQuota, aSystem } from "./factories";
import type { World } from "./world";

const CLEAR: Gate = { state: "clear", reason: null, until: null, explain: null };

export function systemsOf(w: World): System[] {
  return [
    aSystem({
      name: "salesforce",
      title: "Simulated Salesforce",
      auth: "none",
      credential: { state: "none", secret: null },
      p95_ms: null,
      destinations: [],
      base_url: "http://127.0.0.1:49211",
      last_ok_at: null,
    }),
    aSystem({ name: "hubspot", quotas: quotas(w), ...counted(w, "hubspot") }),
    aSystem({
      name: "crm",
      title: "Simulated custom CRM",
      auth: "api-key",
      base_url: "http://127.0.0.1:49215",
      p95_ms: 98,
      limits: { per_second: 20, burst: 40, concurrent: 8, in_flight: 1, waiting: 0 },
      endpoints: [
        { url: "http://127.0.0.1:49215", active: true, state: "ok", failed_at: null, next_try_at: null },
        { url: "http://127.0.0.1:49216", active: false, state: "ok", failed_at: null, next_try_at: null },
      ],
      ...counted(w, "crm"),
    }),
  ];
}

function counted(w: World, name: string): Partial<System> {
  const waiting = w.rows.filter((r) => r.system === name && ["queued", "retrying", "held"].includes(r.state));
  const good = w.rows.find((r) => r.system === name && r.state === "delivered");
  const oldest = waiting.at(-1);
  const gate = gateOf(w, name);
  const paused = w.paused.has(`crm-sync/${name}`);
  const range = name === "crm" ? { now: 6, min: 1, max: 32 } : { now: 8, min: 8, max: 8 };
  return {
    queue: waiting.length,
    oldest_age_ms: oldest ? w.now - Date.parse(oldest.accepted_at) : null,
    last_ok_at: good?.ended_at ?? null,
    gate,
    paused: w.paused.has(`system ${name}`),
    breaker: w.breaker(name).shown(w.now, waiting.length),
    destinations: [
      aDestination({
        name,
        concurrency: range,
        paused,
        gate: paused ? { ...CLEAR, state: "paused", reason: "pause", explain: "This destination is paused." } : gate,
      }),
    ],
  };
}

function gateOf(w: World, name: string): Gate {
  const breaker = w.breaker(name);
  const title = breaker.title;
  if (w.paused.has(`system ${name}`))
    return { ...CLEAR, state: "paused", reason: "pause", explain: `${title} is paused; its deliveries wait.` };
  if (!breaker.passes) {
    const until = breaker.shown(w.now, 0).next_probe_at;
    const how = breaker.state === "held-open" ? "held open by a person" : "open";
    return { state: "closed", reason: "breaker", until, explain: `${title}'s breaker is ${how}; its deliveries wait.` };
  }
  if ((w.faults[name]?.rate_429?.share ?? 0) > 0)
    return {
      state: "closed",
      reason: "rate",
      until: new Date(w.now + 1000).toISOString(),
      explain: `${title} asked to wait with Retry-After; its deliveries go on after that.`,
    };
  return CLEAR;
}

function quotas(w: World) {
  const used = (w.faults.hubspot?.rate_429?.share ?? 0) > 0 ? 100 : 24;
  const at = new Date(w.now).toISOString();
  const later = (ms: number) => new Date(w.now + ms).toISOString();
  return [
    aQuota({ remaining: 100 - used, at, resets_at: later(6000) }),
    aQuota({
      name: "daily",
      source: "x-hubspot-ratelimit-daily-remaining",
      limit: 250_000,
      remaining: 31_400,
      window_ms: 86_400_000,
      reserve: 25_000,
      at,
      resets_at: later(4 * 3_600_000),
      runs_out_at: later(2.5 * 3_600_000),
    }),
  ];
}
