/**
 * The API's words for the panel, over the generated description. Times are RFC 3339 UTC with milliseconds, durations
 * milliseconds, shares and rates 0..1.
 */
import type { components } from "./schema";

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
>;
export type BatchOutcome = Whole<Schemas["AttemptBatch"]>;
export type BatchRecord = Whole<Schemas["BatchRecord"]>;
export type TraceStep = Whole<Schemas["TraceStep"]>;
export type Revision = With<Whole<Schemas["Revision"]>, MaybeBinary>;
export type DeliveryDetail = With<Whole<Schemas["DeliveryDetail"]>, { attempts: Attempt[]; revisions: Revision[] }>;
export type WaitsFor = Whole<Schemas["WaitsFor"]>;
/** One accepted input; `Event` is the browser's word. */
export type StoredEvent = WithHeaders<Whole<Schemas["Event"]>>;
/** The place of an event among those that its request was split into. */
export type Split = Whole<Schemas["Split"]>;
export type LineageStep = Whole<Schemas["LineageStep"]>;

/** Bytes that are no text come as base64 instead. */
interface MaybeBinary {
  body_base64?: string;
}

export type FailureGroup = Whole<Schemas["FailureGroup"]>;
export type Skipped = Whole<Schemas["Skipped"]>;
export type ReplayRequest = Schemas["ReplayBody"];
/** A field by its JSON Pointer, or `method`, `path`, `body`, `header:name`; a side without it is null. */
export type FieldChange = With<Whole<Schemas["FieldChange"]>, { from: unknown; to: unknown }>;
export type CurrentRecord = With<Whole<Schemas["CurrentRecord"]>, { diff: FieldChange[] }>;
export type SampleRequest = With<
  WithHeaders<Whole<Schemas["SampleRequest"]>>,
  MaybeBinary & { current: CurrentRecord | null; changes: FieldChange[] }
>;
/** One RFC 6902 operation. A value stays JSON text, so that its digits go as they were written. */
export interface PatchOperation {
  op: "add" | "remove" | "replace" | "move";
  path: string;
  from?: string;
  value?: string;
}
export type PatchFit = Whole<Schemas["PatchCheck"]>;
export type ReplayPlan = With<Whole<Schemas["ReplayPlan"]>, { sample_requests: SampleRequest[] }>;
export type Replay = Whole<Schemas["Replay"]>;
export type ReplayItem = Whole<Schemas["ReplayItem"]>;
export type Discarded = Whole<Schemas["Discarded"]>;

export type System = Whole<Schemas["System"]>;
export type SystemDestination = Whole<Schemas["SystemDestination"]>;
export type Gate = Whole<Schemas["SystemGate"]>;
export type Breaker = Whole<Schemas["BreakerFigure"]>;
export type BreakerState = Schemas["BreakerWord"];
/** What a person may ask of a breaker; `auto` gives it back to its own counting. */
export type BreakerOrder = Schemas["HoldBreaker"]["state"];
export type Limits = Whole<Schemas["LimitsFigure"]>;
export type Quota = Whole<Schemas["QuotaFigure"]>;
export type Endpoint = Whole<Schemas["Endpoint"]>;
export type Concurrency = Whole<Schemas["ConcurrencyFigure"]>;
export type Doctor = Whole<Schemas["Doctor"]>;
export type Finding = Whole<Schemas["DoctorFinding"]>;
export type RejectedRequest = WithHeaders<Whole<Schemas["RejectedRequest"]>>;

export type FileText = Whole<Schemas["WorkspaceFile"]>;
export type IntegrationFiles = Whole<Schemas["IntegrationFiles"]>;
export type PreviewOutcome = "changed" | "new-failure" | "mended" | "now-filtered" | "now-sent";
export type PreviewExample = With<Whole<Schemas["PreviewExample"]>, { diff: FieldChange[]; outcome: PreviewOutcome }>;
export type Preview = With<Whole<Schemas["Preview"]>, { examples: PreviewExample[] }>;

export type TriedDelivery = With<Whole<Schemas["TriedDelivery"]>, { request: AttemptRequest | null }>;
export type TriedEvent = With<Whole<Schemas["TriedEvent"]>, { destinations: TriedDelivery[] }>;
export type TestDryRun = With<Whole<Schemas["TestDryRun"]>, { events: TriedEvent[] }>;
export type TestAccepted = Whole<Schemas["TestAccepted"]>;

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> };
/** A system answers with the dials that it has, and no others. */
export type Faults = Present<Schemas["Faults"]>;
export type FaultsChange = Present<Schemas["FaultsPatch"]>;
export type ReceivedRequest = Whole<Schemas["ReceivedItem"]>;
export type Received = Whole<Schemas["Received"]>;

export type ProblemDocument = Schemas["ProblemDocument"];
