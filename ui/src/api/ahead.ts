/** What the engine says and its generated description does not yet. Each goes once `make gen` knows it. */
import type { FieldChange } from "./types";
/** What a person may ask of a breaker; `auto` gives it back to its own counting. */
export type BreakerOrder = "open" | "closed" | "auto";

export interface WaitsFor {
  reason: string;
  until: string | null;
  ahead: number | null;
}

export interface LineageStep {
  at: string;
  what: "accepted" | "retried" | "replayed" | "edited" | "remapped" | "superseded" | "discarded" | "restored";
  id: string | null;
  text: string;
}

/** One RFC 6902 operation. A value stays JSON text, so that its digits go as they were written. */
export interface PatchOperation {
  op: "add" | "remove" | "replace" | "move";
  path: string;
  from?: string;
  value?: string;
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
  /** Empty where the files have errors; nothing was run then. */
  version: string;
  /** Looked at. */
  events: number;
  /** False where the time ended first. */
  complete: boolean;
  /** Event × destination; the counts that follow add up to it. */
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
