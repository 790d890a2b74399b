/**
 * The API's words for the panel, over the generated description. Times are RFC 3339 UTC with milliseconds, durations
 * milliseconds, shares and rates 0..1.
 */
import type {
  BatchOutcome,
  Breaker,
  Concurrency,
  CurrentRecord,
  Doctor,
  Endpoint,
  FieldChange,
  Limits,
  LineageStep,
  PatchFit,
  Quota,
  WaitsFor,
} from "./ahead";
import type { components } from "./schema";

export type * from "./ahead";

type Schemas = components["schemas"];

/** The engine writes every field, null where there is nothing; the description calls the nullable ones optional. */
type Whole<T> = T extends (infer E)[]
  ? Whole<E>[]
  : T extends object
    ? { [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
    : T;
type With<T, Changes> = Omit<T, keyof Changes> & Changes;
type WithHeaders<T> = With<T, { headers: Header[] }>;

/** A list of two in the description, which has no pairs. */
export type Header = [name: string, value: string];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type DeliveryState = Schemas["DeliveryState"];
export type FailureKind = Schemas["FailureKind"];
export type IntegrationState = Schemas["IntegrationState"];
export type GateState = Schemas["GateWord"];
export type ReplayMode = Schemas["ReplayModeWord"];

export type Session = Whole<Schemas["Session"]>;
export type OverviewWindow = "15m" | "1h" | "6h" | "24h";
export type Overview = Whole<Schemas["Overview"]>;
export type Series = Whole<Schemas["Series"]>;
export type Percentiles = Whole<Schemas["Percentiles"]>;
export type Activity = Whole<Schemas["Activity"]>;
export type IntegrationRow = Whole<Schemas["IntegrationRow"]>;
export type Integration = Whole<Schemas["Integration"]>;
export type Integrations = Whole<Schemas["Integrations"]>;
export type WorkspaceProblem = Whole<Schemas["WorkspaceProblem"]>;

export type LiveTag = "deliveries" | "dead-letters" | "overview" | "systems" | "rejected" | "integrations" | "replays";
export type LiveGate = Whole<Schemas["Gate"]>;
export type LiveSnapshot = Whole<Schemas["Snapshot"]>;
export type LiveBatch = With<Whole<Schemas["LiveBatch"]>, { tags: LiveTag[] }>;

export type Delivery = Whole<Schemas["Delivery"]>;
export type DeliveryPage = Whole<Schemas["DeliveryPage"]>;
export type AttemptRequest = With<WithHeaders<Whole<Schemas["SentRequest"]>>, MaybeBinary>;
export type AttemptResponse = With<WithHeaders<Whole<Schemas["ReceivedResponse"]>>, MaybeBinary>;
export type Attempt = With<
  Whole<Schemas["Attempt"]>,
  { request: AttemptRequest | null; response: AttemptResponse | null }
> & { batch: BatchOutcome | null; endpoint: string | null };
export type TraceStep = Whole<Schemas["TraceStep"]>;
export type Revision = With<Whole<Schemas["Revision"]>, MaybeBinary>;
export type DeliveryDetail = With<Whole<Schemas["DeliveryDetail"]>, { attempts: Attempt[]; revisions: Revision[] }> & {
  waits_for: WaitsFor | null;
  lineage: LineageStep[];
};

/** Bytes that are no text come as base64 instead. */
interface MaybeBinary {
  body_base64?: string;
}

export type FailureGroup = Whole<Schemas["FailureGroup"]>;
export type Skipped = Whole<Schemas["Skipped"]> & { patch?: number; parked?: number };
export type ReplayRequest = Schemas["ReplayBody"];
export type SampleRequest = With<WithHeaders<Whole<Schemas["SampleRequest"]>>, MaybeBinary> & {
  current: CurrentRecord | null;
  changes: FieldChange[];
};
export type ReplayPlan = With<Whole<Schemas["ReplayPlan"]>, { sample_requests: SampleRequest[] }> & {
  patch: PatchFit | null;
};
export type Replay = Whole<Schemas["Replay"]> & { undone?: number };
export type Discarded = Whole<Schemas["Discarded"]>;

export type Gate = Whole<Schemas["SystemGate"]>;
export type SystemDestination = Whole<Schemas["SystemDestination"]> & {
  concurrency: Concurrency;
  paused: boolean;
  gate: Gate;
};
export type System = With<Whole<Schemas["System"]>, { destinations: SystemDestination[] }> & {
  breaker: Breaker;
  limits: Limits | null;
  quotas: Quota[];
  endpoints: Endpoint[];
};
export type RejectedRequest = WithHeaders<Whole<Schemas["RejectedRequest"]>> & { doctor: Doctor | null };

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };
/** A system answers with the dials that it has, and no others. */
export type Faults = Present<Schemas["Faults"]>;
export type FaultsChange = Present<Schemas["FaultsPatch"]>;
export type ReceivedRequest = Whole<Schemas["ReceivedItem"]>;
export type Received = Whole<Schemas["Received"]>;

export type ProblemDocument = Schemas["ProblemDocument"];
