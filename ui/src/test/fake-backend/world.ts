/** A small world that behaves as the engine would look: contacts change, systems answer or fail, dead letters are replayed. */
import type {
  Attempt,
  BatchOutcome,
  BreakerOrder,
  Delivery,
  DeliveryState,
  FailureKind,
  Faults,
  RejectedRequest,
  Replay,
  ReplayItem,
} from "../../domain/types";
import { statusPhrase } from "../../domain/kinds";
import { FakeBreaker } from "./breaker";
import { aDelivery, anAttempt } from "./factories";

export interface FakeRow extends Delivery {
  log: Attempt[];
  email: string;
}

interface Target {
  destination: string;
  system: string;
  baseMs: number;
}

const FLOWS: { name: string; title: string; types: string[]; targets: Target[]; perSecond: number }[] = [
  {
    name: "crm-sync",
    title: "Contact sync",
    types: ["contact.changed", "contact.changed", "contact.created", "contact.deleted"],
    targets: [
      { destination: "hubspot", system: "hubspot", baseMs: 120 },
      { destination: "crm", system: "crm", baseMs: 70 },
    ],
    perSecond: 1,
  },
];

const PEOPLE = ["ana.torres", "j.meyer", "li.chen", "omar.haddad", "s.novak", "priya.nair", "k.larsen", "m.rossi"];
const WAITS = [1000, 2000];

export class World {
  rows: FakeRow[] = [];
  rejected: RejectedRequest[] = [];
  replays: Replay[] = [];
  replayQueues = new Map<string, string[]>();
  faults: Record<string, Faults> = {
    salesforce: { bad_signature: { share: 0 }, paused: false, per_second: 2 },
    hubspot: { latency_ms: 0, rate_429: { share: 0, retry_after_s: 1 }, error_500: { share: 0 }, outage: false },
    crm: { latency_ms: 0, error_500: { share: 0 }, outage: false, renamed_field: false },
  };
  discards = new Map<string, string[]>();
  paused = new Set<string>();
  version = 0;
  #breakers = new Map([
    ["hubspot", new FakeBreaker("Simulated HubSpot")],
    ["crm", new FakeBreaker("Simulated custom CRM")],
  ]);
  #replayed = new Map<string, string[]>();
  #ids = 0;
  #seed: number;

  constructor(
    public now: number,
    seed = 7,
  ) {
    this.#seed = seed;
  }

  flows() {
    return FLOWS;
  }

  random(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return this.#seed / 2_147_483_648;
  }

  id(prefix: string): string {
    this.#ids += 1;
    return `${prefix}_01kajq${this.#ids.toString(36).padStart(6, "0")}`;
  }

  breaker(system: string): FakeBreaker {
    return this.#breakers.get(system) ?? new FakeBreaker(system);
  }

  command(system: string, order: BreakerOrder): void {
    this.breaker(system).command(order, this.now, null);
    this.version += 1;
  }

  pause(what: string, on: boolean): void {
    if (on) this.paused.add(what);
    else this.paused.delete(what);
    this.version += 1;
  }

  /** How many of its system have waited longer. */
  ahead(row: FakeRow): number {
    return this.rows.filter((r) => r.system === row.system && r.state === "held" && r.accepted_at < row.accepted_at)
      .length;
  }

  /** Why nothing of this target goes now. */
  #stop(flow: string, target: Target): Delivery["reason"] {
    if ([flow, `${flow}/${target.destination}`, `system ${target.system}`].some((p) => this.paused.has(p)))
      return "pause";
    return this.breaker(target.system).passes ? null : "breaker";
  }

  /** What may go again goes, oldest first; an open breaker lets one through when its probe is due. */
  #release(): void {
    for (const flow of FLOWS)
      for (const target of flow.targets) {
        const held = this.rows.filter((r) => r.state === "held" && r.system === target.system).reverse();
        const probe = this.breaker(target.system).tick(this.now);
        if (probe && held[0]) this.#attempt(held[0]);
        if (this.#stop(flow.name, target) === null)
          for (const row of held) if (row.state === "held") this.#attempt(row);
      }
  }

  /** Lives through the time until `to`, in steps of a second. */
  advance(to: number): void {
    while (this.now + 1000 <= to) {
      this.now += 1000;
      this.#accept();
      this.#release();
      for (const row of this.rows)
        if (row.state === "retrying" && Date.parse(row.due_at ?? "") <= this.now) this.#attempt(row);
      this.#runReplays();
      this.version += 1;
    }
  }

  #accept(): void {
    if (this.faults.salesforce?.paused) return;
    if (this.random() < (this.faults.salesforce?.bad_signature?.share ?? 0)) this.#reject();
    for (const flow of FLOWS) {
      if (this.random() > flow.perSecond) continue;
      const person = PEOPLE[Math.floor(this.random() * PEOPLE.length)] ?? "ana.torres";
      const event = this.id("evt");
      const type = flow.types[Math.floor(this.random() * flow.types.length)] ?? "contact.changed";
      for (const target of flow.targets) {
        const row: FakeRow = {
          ...aDelivery({
            id: this.id("dlv"),
            event,
            integration: flow.name,
            destination: target.destination,
            system: target.system,
            state: this.#stop(flow.name, target) ? "held" : "queued",
            reason: this.#stop(flow.name, target),
            status: null,
            attempts: 0,
            max_attempts: WAITS.length + 1,
            key: `003Qy00${person.length}${person.charCodeAt(0)}`,
            type,
            accepted_at: new Date(this.now).toISOString(),
            ended_at: null,
            latency_ms: null,
          }),
          log: [],
          email: `${person}@example.com`,
        };
        this.rows.unshift(row);
        if (row.state === "queued") this.#attempt(row);
      }
    }
    this.rows.length = Math.min(this.rows.length, 12_000);
  }

  #outcome(row: FakeRow): { status: number | null; kind: FailureKind | null; error: string | null } {
    const f = this.faults[row.system] ?? {};
    if (f.outage) return { status: null, kind: "network", error: "The connection was refused." };
    if (this.random() < (f.rate_429?.share ?? 0)) return { status: 429, kind: "rate", error: null };
    if (this.random() < (f.error_500?.share ?? 0)) return { status: 500, kind: "server", error: null };
    if (f.renamed_field) return { status: 422, kind: "rejected", error: "/first_name is required" };
    return { status: row.system === "crm" && row.type === "contact.created" ? 201 : 200, kind: null, error: null };
  }

  #attempt(row: FakeRow): void {
    const { status, kind, error } = this.#outcome(row);
    const base = FLOWS.flatMap((f) => f.targets).find((t) => t.system === row.system)?.baseMs ?? 100;
    const spread = this.random();
    const ms = Math.round(
      base * (0.7 + spread * 0.7 + (spread > 0.97 ? 3 : 0)) + (this.faults[row.system]?.latency_ms ?? 0),
    );
    const number = row.log.length + 1;
    row.reason = null;
    this.#breakers.get(row.system)?.record(this.now, kind === "server" || kind === "network");
    row.log.push({
      ...anAttempt({
        id: this.id("att"),
        number,
        revision: row.revision,
        started_at: new Date(this.now).toISOString(),
        ended_at: new Date(this.now + ms).toISOString(),
        status,
        kind,
        error: error ?? (status !== null && kind !== null ? statusPhrase(status) : null),
        waited_for: kind === null ? null : kind === "rate" ? "retry-after" : "schedule",
        timing: { total_ms: ms, wait_ms: ms - 9 },
        batch: row.system === "hubspot" && kind === null ? this.#batch(row) : null,
      }),
      response: status === null ? null : this.#response(status),
    });
    row.attempts = row.log.length;
    row.status = status;
    row.kind = kind;
    if (kind === null) this.#end(row, "delivered", ms);
    else if (kind === "rejected" || row.log.length % (WAITS.length + 1) === 0) this.#end(row, "dead", ms);
    else {
      row.state = "retrying";
      row.due_at = new Date(this.now + (WAITS[(row.log.length - 1) % (WAITS.length + 1)] ?? 1000)).toISOString();
    }
  }

  /** Who went in the same request. */
  #batch(row: FakeRow): BatchOutcome | null {
    const others = this.rows.filter((r) => r.system === row.system && r.id !== row.id).slice(0, 6);
    if (others.length === 0) return null;
    const records = [row, ...others].map((r, i) => ({
      delivery: r.id,
      status: i === 2 ? ("retrying" as const) : ("delivered" as const),
      message: i === 2 ? "CONTACT_LOCKED: the record is being written by another request" : null,
    }));
    const failed = records.filter((r) => r.status !== "delivered").length;
    return { key: `bat_${row.id.slice(4)}`, size: records.length, delivered: records.length - failed, failed, records };
  }

  #response(status: number): Attempt["response"] {
    if (status === 429) return anAttempt().response;
    const body =
      status >= 500
        ? '{"status":"error","message":"internal error","correlationId":"aeb5f871-7f07-4993-9211-075dc63e7cbf"}'
        : status === 422
          ? '{"errors":[{"pointer":"/first_name","message":"is required"}]}'
          : '{"status":"COMPLETE","results":[{"id":"3051","new":false}],"numErrors":0}';
    return { headers: [["content-type", "application/json"]], body, truncated: false, size: body.length };
  }

  #end(row: FakeRow, state: DeliveryState, ms: number): void {
    row.state = state;
    row.due_at = null;
    row.ended_at = new Date(this.now + ms).toISOString();
    row.latency_ms = Date.parse(row.ended_at) - Date.parse(row.accepted_at);
    if (state === "dead") {
      row.stage = "request";
      row.group = `grp_${row.system}_${row.status ?? "none"}`;
      row.message = row.log.at(-1)?.error ?? "429 Too Many Requests";
    } else row.group = null;
    row.message = state === "dead" ? (row.log.at(-1)?.error ?? "") : null;
  }

  #reject(): void {
    this.rejected.unshift({
      id: this.id("rej"),
      at: new Date(this.now).toISOString(),
      integration: "crm-sync",
      path: "/hooks/salesforce",
      status: 401,
      code: "signature-mismatch",
      reason: "The signature did not match. Check the secret salesforce-signing.",
      remote: "127.0.0.1:50412",
      headers: [
        ["webhook-id", "msg_2fK8"],
        ["webhook-signature", "v1,••••••••"],
      ],
      body_preview: '{"type":"contact.changed","data":{"Id":"003Qy0001","Email":"ana.torres@example.com"}}',
      size: 412,
      doctor: {
        summary: "The request was signed with another secret than salesforce-signing.",
        findings: [
          {
            change: "other-secret",
            text: "The signature matches the secret hubspot-token.",
            fix: "Name hubspot-token in the source's verify, or set the sender's secret as salesforce-signing.",
            sure: true,
          },
          {
            change: "clock",
            text: "Its timestamp is 6 m 12 s behind this computer's clock; 5 m are allowed.",
            fix: "Set the sender's clock, or widen the source's tolerance.",
            sure: false,
          },
        ],
      },
    });
    this.rejected.length = Math.min(this.rejected.length, 100);
  }

  startReplay(ids: string[], changes: Partial<Replay>): Replay {
    const replay: Replay = {
      id: this.id("rpl"),
      state: "running",
      mode: "remap",
      rate: 5,
      canary: false,
      newer: "skip",
      reason: null,
      created_at: new Date(this.now).toISOString(),
      ended_at: null,
      total: ids.length,
      sent: 0,
      delivered: 0,
      dead: 0,
      skipped: { newer: 0, state: 0, patch: 0, parked: 0 },
      canary_ok: null,
      eta_seconds: ids.length / 5,
      stopped_because: null,
      undone: 0,
      ...changes,
    };
    this.replays.unshift(replay);
    this.replayQueues.set(replay.id, [...ids]);
    this.#replayed.set(replay.id, [...ids]);
    return replay;
  }

  replayItems(id: string): ReplayItem[] {
    const queue = this.replayQueues.get(id) ?? [];
    return (this.#replayed.get(id) ?? []).map((delivery) => {
      const row = this.rows.find((r) => r.id === delivery);
      return {
        delivery,
        state: queue.includes(delivery)
          ? "pending"
          : row?.state === "dead" || row?.state === "delivered"
            ? row.state
            : "sent",
        message: row?.message ?? null,
      };
    });
  }

  /** What it has not sent stays dead as it was. */
  undoReplay(replay: Replay): Replay {
    this.replayQueues.set(replay.id, []);
    Object.assign(replay, { state: "cancelled", ended_at: new Date(this.now).toISOString() });
    return replay;
  }

  #runReplays(): void {
    for (const replay of this.replays.filter((r) => r.state === "running")) {
      const queue = this.replayQueues.get(replay.id) ?? [];
      const n = replay.canary && replay.canary_ok === null ? 1 : replay.rate;
      for (const id of queue.splice(0, n)) {
        const row = this.rows.find((r) => r.id === id);
        if (!row) continue;
        row.replay = replay.id;
        row.group = null;
        this.#attempt(row);
        replay.sent += 1;
        const ok = row.state === "delivered";
        if (ok) replay.delivered += 1;
        else {
          replay.dead += 1;
          if (row.state === "retrying") this.#end(row, "dead", 1);
        }
        if (replay.canary && replay.canary_ok === null) replay.canary_ok = ok;
      }
      replay.eta_seconds = Math.ceil(queue.length / replay.rate);
      if (replay.canary_ok === false) {
        replay.state = "stopped";
        replay.stopped_because = "The canary was not confirmed; the rest was not sent.";
      } else if (queue.length === 0) replay.state = "done";
      if (replay.state !== "running") replay.ended_at = new Date(this.now).toISOString();
    }
  }
}
