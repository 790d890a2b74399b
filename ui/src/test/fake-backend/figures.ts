/** The overview as counted from the rows of the fake world. */
import { KINDS } from "../../domain/kinds";
import type { Activity, FailureGroup, IntegrationRow, Overview, Percentiles, Series } from "../../domain/types";
import { aRow } from "./factories";
import type { FakeRow, World } from "./world";

const WINDOWS: Record<string, number> = { "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400 };

export function overviewOf(world: World, window: string): Overview {
  const seconds = WINDOWS[window] ?? 3600;
  const bucket = seconds / 120;
  const startMs = (Math.floor(world.now / 1000 / bucket) + 1) * bucket * 1000 - seconds * 1000;
  const at = (iso: string) => Math.floor((Date.parse(iso) - startMs) / (bucket * 1000));
  const inWindow = world.rows.filter((r) => Date.parse(r.accepted_at) >= startMs);
  const ended = inWindow.filter((r) => r.state === "delivered" || r.state === "dead");
  const delivered = ended.filter((r) => r.state === "delivered");
  const dead = world.rows.filter((r) => r.state === "dead");
  const waiting = world.rows.filter((r) => ["queued", "retrying", "held", "sending"].includes(r.state));
  const failures = inWindow.flatMap((r) => r.log).filter((a) => a.kind !== null);
  const top = mostCommon(failures.map((a) => a.kind));
  const oldest = waiting.length > 0 ? world.now - Math.min(...waiting.map((r) => Date.parse(r.accepted_at))) : null;
  const rows = world.flows().map((f) => rowOf(f.name, f.title, inWindow, dead, waiting));
  return {
    at: new Date(world.now).toISOString(),
    ledger: { state: "ok", text: null },
    from: new Date(startMs).toISOString(),
    to: new Date(world.now).toISOString(),
    bucket_seconds: bucket,
    delivered: {
      count: delivered.length,
      ended: ended.length,
      rate: ended.length ? delivered.length / ended.length : null,
      previous_rate: 0.998,
    },
    failing: {
      integrations: rows.filter((r) => r.state === "failing").length,
      of: rows.length,
      attempts: failures.length,
      top_kind: top,
      top_status: mostCommon(failures.map((a) => a.status)),
    },
    queue: { depth: waiting.length, oldest_age_ms: oldest, held_by: {} },
    dead_letters: {
      count: dead.length,
      groups: new Set(dead.map((r) => r.group)).size,
      new_in_window: dead.filter((r) => Date.parse(r.ended_at ?? "") >= startMs).length,
    },
    last_failure_at: failures[0]?.ended_at ?? null,
    series: seriesOf(world, inWindow, startMs, bucket, at),
    latency_ms: percentiles(delivered.map((r) => r.latency_ms ?? 0)),
    integrations: rows,
    activity: activityOf(world, dead),
    rates: { in_per_s: 1, out_per_s: 2 },
    process: { cpu_percent: 0.8, rss_bytes: 44_000_000, uptime_ms: 3_600_000, ledger_bytes: 38_000_000 },
  };
}

function seriesOf(world: World, rows: FakeRow[], startMs: number, bucket: number, at: (iso: string) => number): Series {
  const n = 120;
  const zeros = () => Array.from({ length: n }, () => 0);
  const s = { accepted: zeros(), attempts: zeros(), delivered: zeros(), dead: zeros(), depth: zeros() };
  const failures = Object.fromEntries(KINDS.map((k) => [k, zeros()])) as Series["failures"];
  const latency: number[][] = Array.from({ length: n }, () => []);
  const bump = (list: number[], i: number) => i >= 0 && i < n && (list[i] = (list[i] ?? 0) + 1);
  const events = new Set<string>();
  const age: (number | null)[] = Array.from({ length: n }, () => null);
  for (const row of rows) {
    if (!events.has(row.event)) bump(s.accepted, at(row.accepted_at));
    events.add(row.event);
    for (const a of row.log) {
      bump(s.attempts, at(a.started_at));
      if (a.kind) bump(failures[a.kind], at(a.started_at));
    }
    if (row.ended_at) bump(row.state === "dead" ? s.dead : s.delivered, at(row.ended_at));
    if (row.state === "delivered" && row.ended_at) latency[at(row.ended_at)]?.push(row.latency_ms ?? 0);
    if (row.log.length > 1 || !row.ended_at) {
      const until = row.ended_at ? at(row.ended_at) : n - 1;
      for (let i = Math.max(0, at(row.accepted_at)); i <= until && i < n; i++) {
        s.depth[i] = (s.depth[i] ?? 0) + 1;
        const waited = startMs + (i + 1) * bucket * 1000 - Date.parse(row.accepted_at);
        age[i] = Math.max(age[i] ?? 0, Math.min(waited, (row.latency_ms ?? world.now) || 0));
      }
    }
  }
  const p = latency.map(percentiles);
  return {
    start: new Date(startMs).toISOString(),
    bucket_seconds: bucket,
    accepted: s.accepted,
    attempts: s.attempts,
    delivered: s.delivered,
    dead: s.dead,
    failures,
    latency_ms: { p50: p.map((x) => x.p50), p95: p.map((x) => x.p95), p99: p.map((x) => x.p99) },
    queue_depth: s.depth,
    oldest_age_ms: age,
  };
}

function rowOf(name: string, title: string, rows: FakeRow[], dead: FakeRow[], waiting: FakeRow[]): IntegrationRow {
  const mine = rows.filter((r) => r.integration === name);
  const ended = mine.filter((r) => r.state === "delivered" || r.state === "dead");
  const delivered = ended.filter((r) => r.state === "delivered");
  const n = 24;
  const split = (of: FakeRow[]) => {
    const first = Date.parse(mine.at(-1)?.accepted_at ?? new Date(0).toISOString());
    const span = Math.max(1, Date.parse(mine[0]?.accepted_at ?? "") - first + 1);
    const counts = Array.from({ length: n }, () => 0);
    for (const r of of) {
      const i = Math.floor(((Date.parse(r.accepted_at) - first) / span) * n);
      counts[i] = (counts[i] ?? 0) + 1;
    }
    return counts;
  };
  const died = dead.filter((r) => r.integration === name);
  return aRow({
    name,
    title,
    source: "Salesforce",
    destinations: ["hubspot", "crm"],
    state: died.length > 0 ? "failing" : ended.length === 0 ? "idle" : "healthy",
    delivered: delivered.length,
    ended: ended.length,
    rate: ended.length ? delivered.length / ended.length : null,
    p95_ms: percentiles(delivered.map((r) => r.latency_ms ?? 0)).p95,
    queue: waiting.filter((r) => r.integration === name).length,
    dead: died.length,
    accepted: split(mine),
    failed: split(mine.filter((r) => r.state === "dead")),
  });
}

export function groupsOf(rows: FakeRow[]): FailureGroup[] {
  const byGroup = new Map<string, FakeRow[]>();
  for (const row of rows)
    if (row.state === "dead" && row.group) byGroup.set(row.group, [...(byGroup.get(row.group) ?? []), row]);
  return [...byGroup].map(([id, members]) => {
    const times = members.map((m) => Date.parse(m.ended_at ?? m.accepted_at)).sort((a, b) => a - b);
    const first = times[0] ?? 0;
    const last = times.at(-1) ?? 0;
    const series = Array.from({ length: 24 }, () => 0);
    for (const t of times) {
      const i = Math.min(23, Math.floor(((t - first) / Math.max(1, last - first)) * 24));
      series[i] = (series[i] ?? 0) + 1;
    }
    const row = members[0] as FakeRow;
    return {
      id,
      count: members.length,
      integration: row.integration,
      integration_title: "Contact sync",
      destination: row.destination,
      system: row.system,
      stage: row.stage ?? "request",
      kind: row.kind ?? "unknown",
      status: row.status,
      message: row.message ?? "",
      first_at: new Date(first).toISOString(),
      last_at: new Date(last).toISOString(),
      sample: row.id,
      key_count: new Set(members.map((m) => m.key)).size,
      series,
    };
  });
}

function activityOf(world: World, dead: FakeRow[]): Activity[] {
  const first = dead.at(-1);
  const replays = world.replays.map((r) => ({
    at: r.created_at,
    kind: "replay",
    text: `You replayed ${r.total}, ${r.delivered} confirmed`,
    filter: null,
  }));
  const died = first
    ? [
        {
          at: first.ended_at ?? first.accepted_at,
          kind: "dead",
          text: `First of ${dead.length} to HubSpot died`,
          filter: "state:dead",
        },
      ]
    : [];
  return [...replays, ...died].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, 20);
}

function percentiles(values: number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function mostCommon<T>(values: T[]): T | null {
  const counts = new Map<T, number>();
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}
