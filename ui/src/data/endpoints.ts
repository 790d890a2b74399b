/** Every route that the panel calls, with its types. */
import type {
  BreakerOrder,
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  FailureGroup,
  Faults,
  FileText,
  Integration,
  IntegrationFiles,
  Integrations,
  LiveBatch,
  Overview,
  OverviewWindow,
  Page,
  PatchOperation,
  Preview,
  Received,
  RejectedRequest,
  Replay,
  ReplayItem,
  ReplayPlan,
  ReplayRequest,
  Session,
  StoredEvent,
  System,
  TestAccepted,
  TestDryRun,
} from "../api/types";
import { patchText } from "../domain/json-patch";
import { type Client, segment } from "./client";

export interface Discarded {
  id: string;
  count: number;
}

export type Scope = { filter: string } | { ids: string[] };

export function endpoints(client: Client) {
  return {
    session: () => client.get<Session>("session"),
    startSandbox: () => client.post<Session>("sandbox/start"),
    leaveSandbox: () => client.post<Session>("sandbox/leave"),
    deleteSandbox: () => client.delete("sandbox"),
    live: (cursor: string | null, waitSeconds: number, signal: AbortSignal) =>
      client.get<LiveBatch>("live", { cursor, wait: `${waitSeconds}s` }, signal),

    overview: (window: OverviewWindow, signal?: AbortSignal) => client.get<Overview>("overview", { window }, signal),
    integrations: (signal?: AbortSignal) => client.get<Integrations>("integrations", {}, signal),
    integration: (name: string, signal?: AbortSignal) =>
      client.get<Integration>(`integrations/${segment(name)}`, {}, signal),
    pauseIntegration: (name: string) => client.post<unknown>(`integrations/${segment(name)}/pause`),
    resumeIntegration: (name: string) => client.post<unknown>(`integrations/${segment(name)}/resume`),
    pauseDestination: (integration: string, name: string) =>
      client.post<unknown>(`integrations/${segment(integration)}/destinations/${segment(name)}/pause`),
    resumeDestination: (integration: string, name: string) =>
      client.post<unknown>(`integrations/${segment(integration)}/destinations/${segment(name)}/resume`),
    files: (name: string, signal?: AbortSignal) =>
      client.get<IntegrationFiles>(`integrations/${segment(name)}/files`, {}, signal),
    /** `version` is the one that was edited: another one there meanwhile is refused. */
    saveFiles: (name: string, files: readonly FileText[], version: string) =>
      client.post<IntegrationFiles>(`integrations/${segment(name)}/files`, { files: byPath(files), version }),
    preview: (name: string, files: readonly FileText[], last: number) =>
      client.post<Preview>(`integrations/${segment(name)}/preview`, { files: byPath(files), last, filter: null }),
    /** What would become of it; nothing is stored or sent. */
    tryEvent: (name: string, body: string, contentType: string) =>
      client.post<TestDryRun>(`integrations/${segment(name)}/test`, { body, content_type: contentType, dry_run: true }),
    sendTestEvent: (name: string, body: string, contentType: string) =>
      client.post<TestAccepted>(`integrations/${segment(name)}/test`, {
        body,
        content_type: contentType,
        dry_run: false,
      }),

    deliveries: (filter: string, cursor: string | null, limit: number, signal?: AbortSignal) =>
      client.get<DeliveryPage>("deliveries", { filter, cursor, limit }, signal),
    delivery: (id: string, signal?: AbortSignal) => client.get<DeliveryDetail>(`deliveries/${segment(id)}`, {}, signal),
    event: (id: string, signal?: AbortSignal) => client.get<StoredEvent>(`events/${segment(id)}`, {}, signal),
    /** Its bytes as they arrived; null where they are no text. */
    eventText: (id: string, signal?: AbortSignal) => client.text(`events/${segment(id)}/body`, signal),
    groups: (filter: string, signal?: AbortSignal) =>
      client.get<Page<FailureGroup>>("dead-letters/groups", { filter }, signal),
    rejected: (cursor: string | null, signal?: AbortSignal) =>
      client.get<Page<RejectedRequest>>("rejected", { cursor }, signal),

    planReplay: (request: ReplayRequest) => client.post<ReplayPlan>("replays", { ...request, dry_run: true }),
    replay: (request: ReplayRequest) => client.post<Replay>("replays", request),
    /** One delivery with a body that a person wrote; `body` is JSON text. */
    replayEdited: (id: string, body: string) =>
      client.postJson<Replay>("replays", `{"ids":[${JSON.stringify(id)}],"edit":${body}}`),
    /** Dead letters with one edit for all, as RFC 6902 operations. */
    planPatch: (filter: string, patch: readonly PatchOperation[]) =>
      client.postJson<ReplayPlan>(
        "replays",
        `{"filter":${JSON.stringify(filter)},"patch":${patchText(patch)},"mode":"exact","dry_run":true}`,
      ),
    /** The plan freezes the set; what is done to the bodies is said again. */
    replayPatched: (plan: string, patch: readonly PatchOperation[], rate: number, canary: boolean) =>
      client.postJson<Replay>(
        "replays",
        `{"plan":${JSON.stringify(plan)},"patch":${patchText(patch)},"mode":"exact","rate":${rate},"canary":${canary}}`,
      ),
    replayOf: (id: string) => client.get<Replay>(`replays/${segment(id)}`),
    steerReplay: (id: string, verb: "pause" | "resume" | "cancel") =>
      client.post<Replay>(`replays/${segment(id)}/${verb}`),
    undoReplay: (id: string) => client.post<Replay>(`replays/${segment(id)}/undo`),
    replayItems: (id: string, cursor: string | null, signal?: AbortSignal) =>
      client.get<Page<ReplayItem>>(`replays/${segment(id)}/items`, { cursor, limit: 100 }, signal),
    discard: (scope: Scope, reason: string) => client.post<Discarded>("discards", { ...scope, reason }),
    undoDiscard: (id: string) =>
      client.post<{ id: string; restored: number; superseded: number }>(`discards/${segment(id)}/undo`),

    systems: (signal?: AbortSignal) => client.get<Page<System>>("systems", {}, signal),
    pauseSystem: (name: string) => client.post<unknown>(`systems/${segment(name)}/pause`),
    resumeSystem: (name: string) => client.post<unknown>(`systems/${segment(name)}/resume`),
    setBreaker: (name: string, state: BreakerOrder, reason: string | null) =>
      client.post<System>(`systems/${segment(name)}/breaker`, { state, reason }),
    faults: (system: string, signal?: AbortSignal) =>
      client.get<Faults>(`sandbox/systems/${segment(system)}/faults`, {}, signal),
    setFaults: (system: string, change: Faults) =>
      client.put<Faults>(`sandbox/systems/${segment(system)}/faults`, change),
    received: (system: string, signal?: AbortSignal) =>
      client.get<Received>(`sandbox/systems/${segment(system)}/received`, {}, signal),
  };
}

function byPath(files: readonly FileText[]): Record<string, string> {
  return Object.fromEntries(files.map((f) => [f.path, f.text]));
}

export type Api = ReturnType<typeof endpoints>;
export type { Delivery };
