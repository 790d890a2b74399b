/** Enough of the filter language to drive the panel: the engine has the real one. */
import { parseTerms } from "../../domain/filter";
import type { FakeRow } from "./world";

const STATES = ["queued", "sending", "retrying", "held", "delivered", "dead", "discarded", "filtered"];

export interface FilterProblem {
  detail: string;
  suggestion: string | null;
}

export function matching(rows: FakeRow[], filter: string, now: number): FakeRow[] | FilterProblem {
  let found = rows;
  for (const term of parseTerms(filter)) {
    const values = term.value.split(",");
    const wrong = term.key === "state" ? values.find((v) => !STATES.includes(v)) : undefined;
    if (wrong) {
      const near = STATES.find((s) => s.startsWith(wrong.slice(0, 2)));
      return { detail: `"${wrong}" is not a state.`, suggestion: near ? `Did you mean state:${near}?` : null };
    }
    const test = tests(now)[term.key];
    if (!test) return { detail: `"${term.key}" is not a filter key.`, suggestion: "Did you mean state:?" };
    found = found.filter((row) => values.some((v) => test(row, v)) !== term.negated);
  }
  return found;
}

function tests(now: number): Record<string, (row: FakeRow, value: string) => boolean> {
  const time = (v: string) => {
    const m = /^(\d+)([smhd])$/.exec(v);
    if (!m) return Date.parse(v);
    return now - Number(m[1]) * ({ s: 1, m: 60, h: 3600, d: 86_400 }[m[2] ?? "s"] ?? 1) * 1000;
  };
  return {
    state: (r, v) => r.state === v,
    system: (r, v) => r.system === v,
    destination: (r, v) => r.destination === v,
    integration: (r, v) => r.integration === v,
    kind: (r, v) => r.kind === v,
    group: (r, v) => r.group === v,
    event: (r, v) => r.event === v,
    id: (r, v) => r.id === v,
    key: (r, v) => r.key === v,
    type: (r, v) => r.type === v,
    http: (r, v) => (v.endsWith("xx") ? String(r.status)[0] === v[0] : String(r.status) === v),
    since: (r, v) => Date.parse(r.accepted_at) >= time(v),
    until: (r, v) => Date.parse(r.accepted_at) < time(v),
  };
}
