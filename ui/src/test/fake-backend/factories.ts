/** Things of the API as tests want them: plausible, and changed where the test cares. */
import type {
  Attempt,
  Breaker,
  Delivery,
  DeliveryDetail,
  FailureGroup,
  IntegrationRow,
  LiveBatch,
  LiveSnapshot,
  Overview,
  Quota,
  Replay,
  ReplayPlan,
  Session,
  StoredEvent,
  System,
  SystemDestination,
  WorkspaceProblem,
} from "../../domain/types";

export const T0 = "2026-11-21T14:03:18.000Z";

export function after(ms: number, from = T0): string {
  return new Date(Date.parse(from) + ms).toISOString();
}

export function aDelivery(changes: Partial<Delivery> = {}): Delivery {
  return {
    id: "dlv_01kajq8x4mv2",
    event: "evt_01kajq8x4mv0",
    integration: "crm-sync",
    destination: "hubspot",
    system: "hubspot",
    state: "delivered",
    reason: null,
    kind: null,
    stage: null,
    status: 200,
    attempts: 1,
    max_attempts: 6,
    key: "003Qy0001",
    type: "contact.changed",
    message: null,
    accepted_at: T0,
    due_at: null,
    ended_at: after(184),
    latency_ms: 184,
    revision: 1,
    group: null,
    conflict_of: null,
    replay: null,
    ...changes,
  };
}

export function anAttempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    id: "att_01kajq8x4mv3",
    number: 1,
    revision: 1,
    started_at: T0,
    ended_at: after(180),
    status: 429,
    kind: "rate",
    error: null,
    waited_for: null,
    next_due_at: null,
    timing: { total_ms: 180, wait_ms: 171 },
    request: {
      method: "POST",
      url: "http://127.0.0.1:49213/crm/v3/objects/contacts/batch/upsert",
      headers: [
        ["authorization", "Bearer ••••••••"],
        ["content-type", "application/json"],
        ["idempotency-key", "dlv_01kajq8x4mv2"],
      ],
      body: BODY,
      truncated: false,
    },
    response: {
      headers: [
        ["content-type", "application/json"],
        ["retry-after", "1"],
        ["x-hubspot-ratelimit-remaining", "0"],
      ],
      body: '{"status":"error","errorType":"RATE_LIMIT","message":"You have reached your ten_secondly_rolling limit.","policyName":"TEN_SECONDLY_ROLLING"}',
      truncated: false,
      size: 139,
    },
    batch: null,
    endpoint: null,
    ...changes,
  };
}

export const BODY =
  '{"inputs":[{"id":"ana.torres@example.com","idProperty":"email","properties":{"email":"ana.torres@example.com","firstname":"Ana","lastname":"Torres","score":9007199254740993}}]}';

export function aDetail(changes: Partial<DeliveryDetail> = {}): DeliveryDetail {
  const { attempts: _count, ...row } = aDelivery();
  return {
    ...row,
    integration_title: "Salesforce contacts to HubSpot and the custom CRM",
    system_title: "Simulated HubSpot",
    explain: "Simulated HubSpot confirmed this delivery with 200 after 184 ms.",
    attempts: [anAttempt({ status: 200, kind: null })],
    trace: [],
    siblings: [],
    revisions: [{ number: 1, origin: "mapped", created_at: T0, body: BODY, truncated: false }],
    waits_for: null,
    lineage: [],
    split: null,
    ...changes,
  };
}

export function anEvent(changes: Partial<StoredEvent> = {}): StoredEvent {
  return {
    id: "evt_01kajq",
    integration: "crm-sync",
    version: "117da0d",
    received_at: T0,
    source_id: "msg_1",
    type: "contact.changed",
    key: "0035g000000003xAAA",
    method: "POST",
    path: "/hooks/salesforce",
    query: null,
    headers: [["content-type", "application/json"]],
    content_type: "application/json",
    size: BODY.length,
    notes: [],
    conflict_of: null,
    split: null,
    deliveries: [],
    ...changes,
  };
}

export function aGroup(changes: Partial<FailureGroup> = {}): FailureGroup {
  return {
    id: "grp_01kajq",
    count: 40,
    integration: "crm-sync",
    integration_title: "Contact sync",
    destination: "hubspot",
    system: "hubspot",
    stage: "request",
    kind: "rate",
    status: 429,
    message: "429 Too Many Requests",
    first_at: T0,
    last_at: after(180_000),
    sample: "dlv_01kajq8x4mv2",
    key_count: 38,
    series: [0, 0, 3, 8, 12, 9, 5, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...changes,
  };
}

export function aPlan(changes: Partial<ReplayPlan> = {}): ReplayPlan {
  return {
    plan: "pln_01kajq",
    count: 40,
    by_destination: { hubspot: 40 },
    skipped: { newer: 0, state: 0, patch: 0, parked: 0 },
    with_key: 40,
    gate: [],
    seconds: 8,
    sample_requests: [],
    patch: null,
    ...changes,
  };
}

export function aReplay(changes: Partial<Replay> = {}): Replay {
  return {
    id: "rpl_01kajq",
    state: "running",
    mode: "remap",
    rate: 5,
    canary: true,
    newer: "skip",
    reason: null,
    created_at: T0,
    ended_at: null,
    total: 40,
    sent: 27,
    delivered: 26,
    dead: 1,
    skipped: { newer: 0, state: 0, patch: 0, parked: 0 },
    canary_ok: true,
    eta_seconds: 3,
    stopped_because: null,
    undone: 0,
    ...changes,
  };
}

export function aSession(changes: Partial<Session["workspace"]> = {}, rest: Partial<Session> = {}): Session {
  return {
    version: "0.1.0",
    workspace: {
      name: "sandbox",
      path: "/home/me/.local/share/signalbox/sandbox",
      sandbox: true,
      empty: false,
      ...changes,
    },
    first_run: false,
    can_start_sandbox: false,
    ingress: "http://127.0.0.1:7421",
    api: "http://127.0.0.1:7420",
    ...rest,
  };
}

export function aBreaker(changes: Partial<Breaker> = {}): Breaker {
  return {
    state: "closed",
    reason: null,
    since: null,
    next_probe_at: null,
    waiting: 0,
    calls: 24,
    failures: 0,
    window_ms: 30_000,
    ratio: 0.5,
    minimum: 20,
    ...changes,
  };
}

export function aQuota(changes: Partial<Quota> = {}): Quota {
  return {
    name: "ten-secondly",
    source: "x-hubspot-ratelimit-remaining",
    limit: 100,
    remaining: 88,
    window_ms: 10_000,
    resets_at: after(8000),
    per_minute: 60,
    runs_out_at: null,
    reserve: 10,
    at: T0,
    ...changes,
  };
}

export function aDestination(changes: Partial<SystemDestination> = {}): SystemDestination {
  return {
    integration: "crm-sync",
    name: "hubspot",
    concurrency: { now: 8, min: 8, max: 8 },
    paused: false,
    gate: { state: "clear", reason: null, until: null, explain: null },
    ...changes,
  };
}

export function aSystem(changes: Partial<System> = {}): System {
  return {
    name: "hubspot",
    title: "Simulated HubSpot",
    base_url: "http://127.0.0.1:49213",
    auth: "bearer",
    credential: { state: "ok", secret: "hubspot-token" },
    gate: { state: "clear", reason: null, until: null, explain: null },
    queue: 0,
    oldest_age_ms: null,
    p95_ms: 171,
    last_ok_at: T0,
    in_flight: 0,
    destinations: [aDestination()],
    simulated: true,
    paused: false,
    problems: [],
    breaker: aBreaker(),
    waits: [],
    limits: null,
    quotas: [],
    endpoints: [{ url: "http://127.0.0.1:49213", active: true, state: "ok", failed_at: null, next_try_at: null }],
    ...changes,
  };
}

export function aProblem(changes: Partial<WorkspaceProblem> = {}): WorkspaceProblem {
  return {
    code: "jq",
    severity: "error",
    file: "integrations/crm-sync.toml",
    line: 1,
    column: 1,
    message: "unexpected token `!`",
    suggestion: null,
    ...changes,
  };
}

export function aRow(changes: Partial<IntegrationRow> = {}): IntegrationRow {
  return {
    name: "crm-sync",
    title: "Contact sync",
    source: "webhook",
    destinations: ["hubspot", "crm"],
    state: "healthy",
    delivered: 438,
    ended: 438,
    rate: 1,
    p95_ms: 240,
    queue: 0,
    dead: 0,
    accepted: [4, 5, 6],
    failed: [0, 0, 0],
    ...changes,
  };
}

export function anOverview(changes: Partial<Overview> = {}): Overview {
  const n = 120;
  const zeros = () => Array.from({ length: n }, () => 0);
  const nulls = () => Array.from({ length: n }, () => null);
  return {
    at: T0,
    from: after(-3_600_000),
    to: T0,
    bucket_seconds: 30,
    delivered: { count: 2471, ended: 2471, rate: 1, previous_rate: 1 },
    failing: { integrations: 0, of: 1, attempts: 0, top_kind: null, top_status: null },
    queue: { depth: 0, oldest_age_ms: null, held_by: {} },
    dead_letters: { count: 0, groups: 0, new_in_window: 0 },
    last_failure_at: null,
    series: {
      start: after(-3_600_000),
      bucket_seconds: 30,
      accepted: zeros(),
      attempts: zeros(),
      delivered: zeros(),
      dead: zeros(),
      failures: {
        rejected: zeros(),
        rate: zeros(),
        auth: zeros(),
        mapping: zeros(),
        server: zeros(),
        network: zeros(),
        unknown: zeros(),
      },
      latency_ms: { p50: nulls(), p95: nulls(), p99: nulls() },
      queue_depth: zeros(),
      oldest_age_ms: nulls(),
    },
    latency_ms: { p50: 80, p95: 240, p99: 410 },
    integrations: [aRow()],
    activity: [],
    ledger: { state: "ok", text: null },
    rates: { in_per_s: 2, out_per_s: 4 },
    process: { cpu_percent: 1, rss_bytes: 40_000_000, uptime_ms: 60_000, ledger_bytes: 1_400_000 },
    ...changes,
  };
}

export function aSnapshot(changes: Partial<LiveSnapshot> = {}): LiveSnapshot {
  return {
    rates: { in_per_s: 2, out_per_s: 4 },
    queue: { depth: 0, oldest_age_ms: null },
    dead_letters: 0,
    rejected: 0,
    gates: [],
    replays: [],
    problems: 0,
    ledger: { state: "ok", text: null },
    ...changes,
  };
}

export function aBatch(changes: Partial<LiveBatch> = {}): LiveBatch {
  return {
    cursor: "c1",
    at: T0,
    resync: false,
    tags: [],
    accepted: 0,
    failed: 0,
    snapshot: aSnapshot(),
    ...changes,
  };
}
