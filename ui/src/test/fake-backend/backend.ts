/** The API's routes over the fake world, for tests and for `npm run dev:fake`. Never part of the bundle. */
import type {
  BreakerOrder,
  DeliveryDetail,
  IntegrationState,
  LiveSnapshot,
  ReplayRequest,
  Session,
} from "../../domain/types";
import { aDetail, anEvent, aSession, BODY } from "./factories";
import { groupsOf, overviewOf } from "./figures";
import { matching } from "./filters";
import { FakeFiles } from "./mapping";
import { fitOf, samplesOf } from "./plans";
import { systemsOf } from "./systems";
import { type TestBody, triedOf } from "./test-events";
import { type FakeRow, World } from "./world";

export interface Answer {
  status: number;
  body: unknown;
}

interface FilesBody {
  files: Record<string, string>;
  last?: number;
  version?: string;
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const problem = (status: number, code: string, detail: string, suggestion: string | null = null): Answer => ({
  status,
  body: { type: `https://signalbox.test/errors/${code}`, title: code, status, code, detail, suggestion },
});

export class FakeBackend {
  readonly world: World;
  session: Session;
  plans = new Map<string, string[]>();
  files = new FakeFiles();
  requests: { method: string; path: string; body: unknown }[] = [];

  constructor(now: number, options: { sandbox?: boolean } = {}) {
    this.world = new World(now);
    this.session = options.sandbox
      ? aSession()
      : aSession({ name: "signalbox", sandbox: false, empty: true }, { first_run: true, can_start_sandbox: true });
  }

  handle(method: string, url: string, body: unknown): Answer {
    this.requests.push({ method, path: url, body });
    const { pathname, searchParams: q } = new URL(url, "http://localhost");
    const path = pathname.replace(/^\/api\/v1\//, "");
    const [head = "", name = "", verb = "", last = "", more = ""] = path.split("/").map(decodeURIComponent);
    const w = this.world;
    switch (`${method} ${head}`) {
      case "GET session":
        return ok(this.session);
      case "POST sandbox":
        this.session =
          name === "start"
            ? aSession()
            : aSession({ sandbox: false, empty: true }, { first_run: true, can_start_sandbox: true });
        return ok(this.session);
      case "DELETE sandbox":
        this.session = aSession({ sandbox: false, empty: true }, { first_run: true, can_start_sandbox: true });
        return ok(null, 204);
      case "GET live":
        return ok(this.live(q.get("cursor")));
      case "GET overview":
        return ok(overviewOf(w, q.get("window") ?? "1h"));
      case "GET integrations":
        if (verb === "files") return ok({ version: this.files.version, files: this.files.files });
        return name ? ok(this.integrations()[0]) : ok({ items: this.integrations(), next: null, problems: [] });
      case "POST integrations":
        if (verb === "preview" || verb === "files") return this.tryFiles(verb, body as FilesBody);
        if (verb === "test") return triedOf(body as TestBody);
        w.pause(verb === "destinations" ? `${name}/${last}` : name, (more || verb) === "pause");
        return ok({});
      case "POST systems":
        if (verb === "breaker") w.command(name, (body as { state: BreakerOrder; reason: string | null }).state);
        else w.pause(`system ${name}`, verb === "pause");
        return ok(systemsOf(w).find((s) => s.name === name));
      case "GET deliveries":
        return name ? this.delivery(name) : this.deliveries(q);
      case "GET events":
        return ok(verb === "body" ? JSON.parse(BODY) : anEvent({ id: name }));
      case "GET dead-letters":
        return ok({ items: groupsOf(w.rows), next: null });
      case "GET systems":
        return ok({ items: systemsOf(this.world), next: null });
      case "GET rejected":
        return ok({ items: w.rejected, next: null });
      case "GET sandbox":
        return last === "faults" ? ok(w.faults[verb]) : this.received(verb);
      case "PUT sandbox":
        w.faults[verb] = { ...w.faults[verb], ...(body as object) };
        return ok(w.faults[verb]);
      case "POST replays":
        return name ? this.steer(name, verb) : this.replay(body as ReplayRequest);
      case "GET replays":
        if (verb === "items") return ok({ items: w.replayItems(name), next: null });
        return this.found(w.replays.find((r) => r.id === name));
      case "POST discards":
        return verb === "undo" ? this.undo(name) : this.discard(body as { ids?: string[]; filter?: string });
      default:
        return problem(404, "not-found", `There is no ${path}.`);
    }
  }

  live(cursor: string | null) {
    const w = this.world;
    const dead = w.rows.filter((r) => r.state === "dead").length;
    const waiting = w.rows.filter((r) => ["queued", "retrying", "held"].includes(r.state));
    const oldest = waiting.at(-1);
    const snapshot: LiveSnapshot = {
      rates: { in_per_s: 1, out_per_s: 2 },
      queue: { depth: waiting.length, oldest_age_ms: oldest ? w.now - Date.parse(oldest.accepted_at) : null },
      dead_letters: dead,
      rejected: w.rejected.length,
      gates: systemsOf(this.world).map((s) => ({ system: s.name, destination: null, ...s.gate })),
      replays: w.replays.filter((r) => r.state === "running" || r.state === "paused"),
      problems: 0,
      ledger: { state: "ok", text: null },
    };
    return {
      cursor: String(w.version),
      at: new Date(w.now).toISOString(),
      resync: cursor === null,
      tags: ["deliveries", "dead-letters", "overview", "systems", "rejected", "integrations", "replays"],
      accepted: 1,
      failed: 0,
      snapshot,
    };
  }

  private integrations() {
    const row = overviewOf(this.world, "1h").integrations[0];
    const paused = this.world.paused.has("crm-sync");
    const state: IntegrationState | undefined = paused ? "paused" : row?.state;
    return [
      {
        ...row,
        state,
        path: "/hooks/salesforce",
        verify: "standard-webhooks",
        version: "1f3a9c",
        problems: [],
        steps: ["validate", "map"],
      },
    ];
  }

  private deliveries(q: URLSearchParams): Answer {
    const found = matching(this.world.rows, q.get("filter") ?? "", this.world.now);
    if (!Array.isArray(found)) return problem(400, "filter", found.detail, found.suggestion);
    const limit = Number(q.get("limit") ?? 50);
    const cursor = q.get("cursor");
    const from = cursor ? found.findIndex((r) => r.id === cursor) + 1 : 0;
    const items = found.slice(from, from + limit);
    const more = from + limit < found.length;
    return ok({
      items: items.map(bare),
      next: more ? (items.at(-1)?.id ?? null) : null,
      total: found.length,
      total_exact: true,
    });
  }

  private delivery(id: string): Answer {
    const row = this.world.rows.find((r) => r.id === id);
    return row ? ok(detailOf(row, this.world)) : problem(404, "not-found", `There is no delivery ${id}.`);
  }

  private received(system: string): Answer {
    const mine = this.world.rows.filter((r) => r.system === system && r.log.length > 0);
    const items = mine.slice(0, 50).flatMap((r) =>
      r.log.map((a) => ({
        at: a.started_at,
        method: "POST",
        path: system === "crm" ? `/contacts/${r.email}` : "/crm/v3/objects/contacts/batch/upsert",
        status: a.status ?? 0,
        idempotency_key: r.id,
        delivery: r.id,
        latency_ms: a.timing?.total_ms ?? null,
        body: BODY,
      })),
    );
    return ok({
      items: items.slice(0, 40),
      total: mine.length,
      records: system === "salesforce" ? 0 : 8,
      records_hash: "9f2c41d07be35a68",
    });
  }

  private replay(request: ReplayRequest): Answer {
    const w = this.world;
    const ids =
      request.ids ??
      (request.plan
        ? this.plans.get(request.plan)
        : (matching(w.rows, request.filter ?? "", w.now) as FakeRow[]).map((r) => r.id));
    if (!ids || ids.length === 0) return problem(400, "empty", "Nothing matches, so there is nothing to replay.");
    const dead = w.rows.filter((r) => ids.includes(r.id) && r.state === "dead");
    if (request.dry_run) {
      const plan = w.id("pln");
      this.plans.set(
        plan,
        dead.map((r) => r.id),
      );
      const gate = systemsOf(this.world)
        .filter((s) => s.gate.state !== "clear")
        .map((s) => ({ system: s.name, destination: null, ...s.gate }));
      const exact = request.mode === "exact";
      const by: Record<string, number> = {};
      for (const r of dead) by[r.destination] = (by[r.destination] ?? 0) + 1;
      return ok({
        plan,
        count: dead.length,
        by_destination: by,
        skipped: { newer: 0, state: ids.length - dead.length, patch: 0, parked: 0 },
        with_key: new Set(dead.map((r) => r.key)).size,
        gate,
        seconds: Math.ceil(dead.length / (request.rate ?? 5)),
        sample_requests: samplesOf(dead, exact),
        patch: "patch" in request ? fitOf(dead) : null,
      });
    }
    if ("edit" in request || "patch" in request) for (const r of dead) r.revision += 1;
    const replay = w.startReplay(
      dead.map((r) => r.id),
      { rate: request.rate ?? 5, canary: request.canary ?? false, mode: request.mode ?? "remap" },
    );
    return ok({ id: replay.id }, 202);
  }

  private steer(id: string, verb: string): Answer {
    const replay = this.world.replays.find((r) => r.id === id);
    if (verb === "undo") return replay ? ok(this.world.undoReplay(replay), 202) : this.found(replay);
    if (replay) replay.state = verb === "pause" ? "paused" : verb === "resume" ? "running" : "cancelled";
    return this.found(replay);
  }

  private tryFiles(verb: string, { files, last = 100, version }: FilesBody): Answer {
    if (verb === "preview") return ok(this.files.preview(files, last));
    if (version !== this.files.version)
      return problem(409, "files-changed", "The files have changed since you opened them.");
    this.files.save(files);
    return ok({ version: this.files.version, files: this.files.files });
  }

  private discard(request: { ids?: string[]; filter?: string }): Answer {
    const w = this.world;
    const found = request.ids
      ? w.rows.filter((r) => request.ids?.includes(r.id))
      : matching(w.rows, request.filter ?? "", w.now);
    if (!Array.isArray(found)) return problem(400, "filter", found.detail);
    const id = w.id("dsc");
    w.discards.set(
      id,
      found.map((r) => r.id),
    );
    for (const row of found) row.state = "discarded";
    return ok({ id, count: found.length });
  }

  private undo(id: string): Answer {
    const ids = this.world.discards.get(id) ?? [];
    for (const row of this.world.rows) if (ids.includes(row.id)) row.state = "dead";
    return ok({ id, restored: ids.length, superseded: 0 });
  }

  private found(thing: unknown): Answer {
    return thing ? ok(thing) : problem(404, "not-found", "It is not there.");
  }
}

function bare(row: FakeRow) {
  const { log: _log, email: _email, ...rest } = row;
  return rest;
}

function detailOf(row: FakeRow, world: World): DeliveryDetail {
  const { attempts: _count, ...rest } = bare(row);
  const system = row.system === "hubspot" ? "Simulated HubSpot" : "Simulated custom CRM";
  const last = row.log.at(-1);
  const explain =
    row.state === "dead"
      ? `${system} answered ${row.message} ${row.log.length} times, so this delivery stopped. A replay sends it again.`
      : row.state === "delivered"
        ? `${system} confirmed this delivery with ${row.status} after ${row.latency_ms} ms.`
        : row.state === "held"
          ? `${system}'s breaker lets nothing through until a probe is answered. Nothing is lost.`
          : `This delivery is ${row.state}.`;
  return aDetail({
    ...rest,
    integration_title: "Contact sync",
    system_title: system,
    explain,
    attempts: row.log,
    trace: [
      {
        step: "received",
        at: row.accepted_at,
        took_us: null,
        outcome: "ok",
        detail: "412 bytes from 127.0.0.1",
        input: null,
        output: null,
      },
      {
        step: "verified",
        at: row.accepted_at,
        took_us: 61,
        outcome: "ok",
        detail: "standard-webhooks",
        input: null,
        output: null,
      },
      {
        step: "validate",
        at: null,
        took_us: 140,
        outcome: "ok",
        detail: "schemas/contact.json",
        input: null,
        output: null,
      },
      {
        step: "map",
        at: null,
        took_us: 212,
        outcome: "ok",
        detail: "version 1",
        input: '{"data":{"Email":"Ana.Torres@example.com"}}',
        output: BODY,
      },
      {
        step: "request",
        at: last?.started_at ?? null,
        took_us: (last?.timing?.total_ms ?? 0) * 1000,
        outcome: last?.kind ? "failed" : "ok",
        detail: last?.status ? String(last.status) : "",
        input: null,
        output: null,
      },
    ],
    waits_for: ["held", "retrying", "queued"].includes(row.state)
      ? {
          reason: row.reason ?? "rate",
          until: row.due_at ?? world.breaker(row.system).shown(world.now, 0).next_probe_at,
          ahead: world.ahead(row),
        }
      : null,
    lineage: lineageOf(row),
    siblings: world.rows
      .filter((r) => r.event === row.event && r.id !== row.id)
      .map((r) => ({ id: r.id, destination: r.destination, state: r.state })),
    revisions: [{ number: row.revision, origin: "mapped", created_at: row.accepted_at, body: BODY, truncated: false }],
  });
}

function lineageOf(row: FakeRow): DeliveryDetail["lineage"] {
  const steps: DeliveryDetail["lineage"] = [
    { at: row.accepted_at, what: "accepted", id: null, text: "accepted from Simulated Salesforce" },
  ];
  const again = row.log.at(-1);
  if (row.log.length > 1 && again)
    steps.push({ at: again.started_at, what: "retried", id: null, text: `tried ${row.log.length} times` });
  if (row.replay && again)
    steps.push({ at: again.started_at, what: "replayed", id: row.replay, text: "mapped again and sent" });
  return steps;
}
