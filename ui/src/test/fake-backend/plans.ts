/** What a replay would send, for some of its set. */
import type { PatchFit, SampleRequest } from "../../domain/types";
import { anAttempt, BODY } from "./factories";
import type { FakeRow } from "./world";

export function samplesOf(rows: readonly FakeRow[], exact: boolean): SampleRequest[] {
  return rows.slice(0, 3).map((row) => {
    const sent = anAttempt().request;
    const body = exact ? BODY : BODY.replace('"Ana"', '"Ana María"');
    return {
      method: "POST",
      url: sent?.url ?? "",
      headers: sent?.headers ?? [],
      body,
      truncated: false,
      delivery: row.id,
      fails: null,
      changes: exact ? [] : [{ path: "/inputs/0/properties/firstname", from: "Ana", to: "Ana María" }],
      current:
        row.system === "hubspot"
          ? {
              status: 200,
              readable: true,
              reason: null,
              diff: [
                { path: "/properties/firstname", from: "Anna", to: exact ? "Ana" : "Ana María" },
                { path: "/properties/score", from: null, to: 9007 },
              ],
            }
          : { status: null, readable: false, reason: "The system has no request for reading a record.", diff: [] },
    };
  });
}

/** Every tenth body lacks what the patch is about. */
export function fitOf(rows: readonly FakeRow[]): PatchFit {
  const off = rows.filter((_, i) => i % 10 === 9);
  return {
    fits: rows.length - off.length,
    misfits: off.length,
    checked: rows.length,
    examples: off.slice(0, 3).map((r) => ({ delivery: r.id, reason: "/inputs/0/properties/firstname is not there" })),
  };
}
