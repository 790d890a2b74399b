/** What the engine says and its generated description does not yet. Each goes once `make gen` knows it. */
export type BreakerState = "closed" | "open" | "half-open" | "held-open" | "forced-closed" | "off";
/** What a person may ask of a breaker; `auto` gives it back to its own counting. */
export type BreakerOrder = "open" | "closed" | "auto";

export interface Breaker {
  state: BreakerState;
  reason: string | null;
  since: string | null;
  next_probe_at: string | null;
  waiting: number;
  calls: number;
  failures: number;
  window_ms: number;
  ratio: number;
  minimum: number;
}

export interface Limits {
  per_second: number | null;
  burst: number | null;
  concurrent: number | null;
  in_flight: number;
  waiting: number;
}

export interface Quota {
  name: string;
  /** The header that said it. */
  source: string;
  limit: number | null;
  remaining: number;
  window_ms: number | null;
  resets_at: string | null;
  per_minute: number;
  runs_out_at: string | null;
  /** Kept back from replays for live traffic. */
  reserve: number | null;
  at: string;
}

export interface Endpoint {
  url: string;
  active: boolean;
  state: "ok" | "failed";
  failed_at: string | null;
  next_try_at: string | null;
}

export interface Concurrency {
  now: number;
  min: number;
  max: number;
}

export interface WaitsFor {
  reason: string;
  until: string | null;
  ahead: number | null;
}

export interface BatchRecord {
  delivery: string;
  status: "delivered" | "retrying" | "dead";
  message: string | null;
}

export interface BatchOutcome {
  key: string;
  size: number;
  delivered: number;
  failed: number;
  records: BatchRecord[];
}

export interface LineageStep {
  at: string;
  what: "accepted" | "retried" | "replayed" | "edited" | "remapped" | "superseded" | "discarded" | "restored";
  id: string | null;
  text: string;
}

export interface Finding {
  change: "other-secret" | "clock" | "body" | "url" | "scheme" | "header" | "prefix";
  text: string;
  fix: string;
  sure: boolean;
}

export interface Doctor {
  summary: string;
  findings: Finding[];
}

/** One RFC 6902 operation. A value stays JSON text, so that its digits go as they were written. */
export interface PatchOperation {
  op: "add" | "remove" | "replace" | "move";
  path: string;
  from?: string;
  value?: string;
}

export interface PatchFit {
  fits: number;
  misfits: number;
  checked: number;
  examples: { delivery: string; reason: string }[];
}

/** A field by its JSON Pointer; a side without the field is null. */
export interface FieldChange {
  path: string;
  from: unknown;
  to: unknown;
}

export interface CurrentRecord {
  status: number | null;
  readable: boolean;
  reason: string | null;
  diff: FieldChange[];
}

export interface ReplayItem {
  delivery: string;
  state: string;
  message: string | null;
}

export interface FileText {
  path: string;
  text: string;
}

export interface IntegrationFiles {
  version: string;
  files: FileText[];
}

export interface FileProblem {
  file: string;
  line: number;
  column: number;
  message: string;
}

export interface PreviewExample {
  event: string;
  destination: string;
  outcome: "changed" | "new-failure" | "mended" | "now-filtered" | "now-sent";
  before: string | null;
  after: string | null;
  error: string | null;
  diff: FieldChange[];
}

export interface Preview {
  version: string;
  checked: number;
  same: number;
  changed: number;
  new_failures: number;
  mended: number;
  filtered: number;
  problems: FileProblem[];
  examples: PreviewExample[];
  seconds: number;
}
