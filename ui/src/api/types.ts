/**
 * What the API says, as the panel reads it. Times are RFC 3339 UTC with milliseconds, durations milliseconds,
 * shares and rates 0..1.
 */

export type DeliveryState =
  | "queued"
  | "sending"
  | "retrying"
  | "held"
  | "delivered"
  | "dead"
  | "discarded"
  | "filtered"
  | "collected"
  | "superseded";

export type FailureKind = "rejected" | "rate" | "auth" | "mapping" | "server" | "network" | "unknown";

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Session {
  version: string;
  workspace: { name: string; path: string; sandbox: boolean; empty: boolean };
  first_run: boolean;
  can_start_sandbox: boolean;
  ingress: string;
  api: string;
}

export type OverviewWindow = "15m" | "1h" | "6h" | "24h";
export type IntegrationState = "healthy" | "failing" | "slow" | "paused" | "idle" | "broken";

export interface IntegrationRow {
  name: string;
  title: string;
  source: string;
  destinations: string[];
  state: IntegrationState;
  delivered: number;
  ended: number;
  rate: number | null;
  p95_ms: number | null;
  queue: number;
  dead: number;
  accepted: number[];
  failed: number[];
}

export interface Integration extends IntegrationRow {
  path: string | null;
  verify: string | null;
  version: number;
  problems: WorkspaceProblem[];
  steps: string[];
}

export interface WorkspaceProblem {
  file: string;
  line: number | null;
  column: number | null;
  message: string;
  suggestion?: string | null;
}

export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface Series {
  start: string;
  bucket_seconds: number;
  accepted: number[];
  attempts: number[];
  delivered: number[];
  dead: number[];
  failures: Record<FailureKind, number[]>;
  latency_ms: { p50: (number | null)[]; p95: (number | null)[]; p99: (number | null)[] };
  queue_depth: (number | null)[];
  oldest_age_ms: (number | null)[];
}

export interface Activity {
  at: string;
  kind: string;
  text: string;
  filter: string | null;
}

export interface Overview {
  at: string;
  from: string;
  to: string;
  bucket_seconds: number;
  delivered: { count: number; ended: number; rate: number | null; previous_rate: number | null };
  failing: {
    integrations: number;
    of: number;
    attempts: number;
    top_kind: FailureKind | null;
    top_status: number | null;
  };
  queue: { depth: number; oldest_age_ms: number | null; held_by: Record<string, number> };
  dead_letters: { count: number; groups: number; new_in_window: number };
  last_failure_at: string | null;
  series: Series;
  latency_ms: Percentiles;
  integrations: IntegrationRow[];
  activity: Activity[];
  rates: Rates;
  process: { cpu_percent: number; rss_bytes: number; uptime_ms: number; ledger_bytes: number };
}

export interface Rates {
  in_per_s: number;
  out_per_s: number;
}

export type LiveTag = "deliveries" | "dead-letters" | "overview" | "systems" | "rejected" | "integrations" | "replays";
export type GateState = "clear" | "closed" | "paused";

export interface LiveGate {
  system: string;
  destination: string | null;
  state: GateState;
  reason: string | null;
  until: string | null;
}

export interface LiveSnapshot {
  rates: Rates;
  queue: { depth: number; oldest_age_ms: number | null };
  dead_letters: number;
  rejected: number;
  gates: LiveGate[];
  replays: Replay[];
  problems: number;
}

export interface LiveBatch {
  cursor: string;
  at: string;
  resync: boolean;
  tags: LiveTag[];
  accepted: number;
  failed: number;
  snapshot: LiveSnapshot;
}

export interface Delivery {
  id: string;
  event: string;
  integration: string;
  destination: string;
  system: string;
  state: DeliveryState;
  reason: string | null;
  kind: FailureKind | null;
  stage: string | null;
  status: number | null;
  attempts: number;
  max_attempts: number;
  key: string | null;
  type: string | null;
  message: string | null;
  accepted_at: string;
  due_at: string | null;
  ended_at: string | null;
  latency_ms: number | null;
  revision: number;
  group: string | null;
  conflict_of: string | null;
  replay: string | null;
}

export interface DeliveryPage extends Page<Delivery> {
  total: number;
  total_exact: boolean;
}

export type Header = [name: string, value: string];

export interface AttemptRequest {
  method: string;
  url: string;
  headers: Header[];
  body: string | null;
  body_base64?: string | null;
  truncated?: boolean;
}

export interface AttemptResponse {
  headers: Header[];
  body: string | null;
  truncated: boolean;
  size: number;
}

export interface Attempt {
  id: string;
  number: number;
  revision: number;
  started_at: string;
  ended_at: string | null;
  status: number | null;
  kind: FailureKind | null;
  error: string | null;
  waited_for: "schedule" | "retry-after" | "replay" | "restart" | null;
  next_due_at: string | null;
  timing: { total_ms: number | null; wait_ms: number | null } | null;
  request: AttemptRequest | null;
  response: AttemptResponse | null;
}

export interface TraceStep {
  step: string;
  at: string | null;
  took_us: number | null;
  outcome: string;
  detail: string | null;
  input?: string | null;
  output?: string | null;
}

export interface Revision {
  number: number;
  origin: "mapped" | "remapped" | "edited";
  created_at: string;
  body: string | null;
}

export interface DeliveryDetail extends Omit<Delivery, "attempts"> {
  integration_title: string;
  system_title: string;
  explain: string;
  attempts: Attempt[];
  trace: TraceStep[];
  siblings: { id: string; destination: string; state: DeliveryState }[];
  revisions: Revision[];
}

export interface FailureGroup {
  id: string;
  count: number;
  integration: string;
  integration_title: string;
  destination: string;
  system: string;
  stage: string;
  kind: FailureKind;
  status: number | null;
  message: string;
  first_at: string;
  last_at: string;
  sample: string;
  key_count: number;
  series: number[];
}

export type ReplayMode = "remap" | "exact";

export interface ReplayRequest {
  filter?: string;
  ids?: string[];
  plan?: string;
  mode?: ReplayMode;
  edit?: string;
  rate?: number;
  canary?: boolean;
  newer?: "skip" | "send";
  reason?: string;
  dry_run?: boolean;
}

export interface ReplayPlan {
  plan: string;
  count: number;
  by_destination: Record<string, number>;
  skipped: Record<string, number>;
  with_key: number;
  gate: LiveGate[];
  seconds: number;
  sample_requests: AttemptRequest[];
}

export interface Replay {
  id: string;
  state: "planned" | "running" | "paused" | "done" | "cancelled" | "stopped";
  mode: ReplayMode | "edit";
  rate: number;
  canary: boolean;
  newer: "skip" | "send";
  reason: string | null;
  created_at: string;
  ended_at: string | null;
  total: number;
  sent: number;
  delivered: number;
  dead: number;
  skipped: Record<string, number>;
  canary_ok: boolean | null;
  destination: string | null;
  eta_seconds: number | null;
  stopped_because: string | null;
}

export interface System {
  name: string;
  title: string;
  base_url: string;
  auth: string;
  credential: { state: "ok" | "missing" | "none" | "refused"; secret: string | null };
  gate: { state: GateState; reason: string | null; until: string | null; explain: string | null };
  queue: number;
  oldest_age_ms: number | null;
  p95_ms: number | null;
  last_ok_at: string | null;
  in_flight: number;
  destinations: { integration: string; name: string }[];
  simulated: boolean;
}

export interface RejectedRequest {
  id: string;
  at: string;
  integration: string | null;
  path: string;
  status: number;
  code: string;
  reason: string;
  remote: string | null;
  headers: Header[];
  body_preview: string | null;
  size: number;
}

/** A system answers with the dials it knows, and no others. */
export interface Faults {
  latency_ms?: number;
  rate_429?: { share: number; retry_after_s: number };
  error_500?: { share: number };
  outage?: boolean;
  renamed_field?: boolean;
  bad_signature?: { share: number };
  paused?: boolean;
  per_second?: number;
}

export interface ReceivedRequest {
  at: string;
  method: string;
  path: string;
  status: number;
  idempotency_key: string | null;
  delivery: string | null;
  latency_ms: number | null;
  body: string | null;
}

export interface Received {
  items: ReceivedRequest[];
  total: number;
  records: number;
  records_hash: string;
}

/** RFC 9457. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string | null;
  instance?: string | null;
  suggestion?: string | null;
  problems?: WorkspaceProblem[] | null;
}
