/** An engine of an earlier version leaves newer fields out; screens always find them. */
import type { DeliveryDetail, RejectedRequest, ReplayPlan, System } from "../api/types";

type Partly<T, K extends keyof T> = Omit<T, K> & Partial<Pick<T, K>>;

export type PartSystem = Omit<Partly<System, "breaker" | "limits" | "quotas" | "endpoints">, "destinations"> & {
  destinations: Partly<System["destinations"][number], "concurrency" | "paused" | "gate">[];
};

export function wholeSystem(s: PartSystem): System {
  return {
    ...s,
    breaker: s.breaker ?? {
      state: "off",
      reason: null,
      since: null,
      next_probe_at: null,
      waiting: 0,
      calls: 0,
      failures: 0,
      window_ms: 0,
      ratio: 0,
      minimum: 0,
    },
    limits: s.limits ?? null,
    quotas: s.quotas ?? [],
    endpoints: s.endpoints ?? [],
    destinations: s.destinations.map((d) => ({
      ...d,
      concurrency: d.concurrency ?? { now: 0, min: 0, max: 0 },
      paused: d.paused ?? false,
      gate: d.gate ?? s.gate,
    })),
  };
}

export function wholeDetail(d: Partly<DeliveryDetail, "waits_for" | "lineage">): DeliveryDetail {
  return { ...d, waits_for: d.waits_for ?? null, lineage: d.lineage ?? [] };
}

export function wholeRejected(r: Partly<RejectedRequest, "doctor">): RejectedRequest {
  return { ...r, doctor: r.doctor ?? null };
}

type PartPlan = Omit<Partly<ReplayPlan, "patch">, "sample_requests"> & {
  sample_requests: Partly<ReplayPlan["sample_requests"][number], "current" | "changes">[];
};

export function wholePlan(p: PartPlan): ReplayPlan {
  const samples = p.sample_requests.map((s) => ({ ...s, current: s.current ?? null, changes: s.changes ?? [] }));
  return { ...p, patch: p.patch ?? null, sample_requests: samples };
}
