/** What a system allows and how much of it is left, in words. */
import { count, hourMinute, span, until, type Zone } from "./format";
import type { Limits, Quota, System } from "./types";

/** The quota that is nearest to its end, by share; those without a limit come last. */
export function tightest(quotas: readonly Quota[]): Quota | null {
  return [...quotas].sort((a, b) => (usedShare(b) ?? -1) - (usedShare(a) ?? -1))[0] ?? null;
}

/** 0..1; null where the limit is not known. */
export function usedShare(q: Quota): number | null {
  return q.limit ? Math.min(1, Math.max(0, (q.limit - q.remaining) / q.limit)) : null;
}

/** For a table's cell: `92/100 · 10 s` of a quota, `10/s` or `8 at once` of our own limits; empty where there is neither. */
export function rateText(s: Pick<System, "quotas" | "limits">): string {
  const q = tightest(s.quotas);
  if (q)
    return q.limit === null
      ? `${count(q.remaining)} left`
      : `${usedText(q)}${q.window_ms ? ` · ${span(q.window_ms)}` : ""}`;
  return s.limits ? (limitParts(s.limits)[0] ?? "") : "";
}

function usedText(q: Quota): string {
  return q.limit === null ? "" : `${short(Math.max(0, q.limit - q.remaining))}/${short(q.limit)}`;
}

/** For a table's cell: `219k`. */
function short(n: number): string {
  if (n < 10_000) return count(n);
  return n < 1_000_000 ? `${Math.round(n / 1000)}k` : `${(n / 1_000_000).toFixed(1)}M`;
}

/** `10/s · 8 at once`. */
export function limitsText(l: Limits): string {
  return limitParts(l).join(" · ");
}

function limitParts(l: Limits): string[] {
  const parts = [];
  if (l.per_second !== null) parts.push(`${count(l.per_second)}/s`);
  if (l.concurrent !== null) parts.push(`${count(l.concurrent)} at once`);
  return parts;
}

/** Used up, or down to what is kept for live traffic. */
export function isShort(q: Quota, now: number): boolean {
  if (q.resets_at !== null && Date.parse(q.resets_at) <= now) return false;
  return q.remaining <= (q.reserve ?? 0);
}

/** `92 of 100 used, 8 left`. */
export function quotaUsed(q: Quota): string {
  if (q.limit === null) return `${count(q.remaining)} left`;
  return `${count(Math.max(0, q.limit - q.remaining))} of ${count(q.limit)} used, ${count(q.remaining)} left`;
}

/** What happens next with it: only what its headers and our own rate say. */
export function quotaForecast(q: Quota, now: number, zone: Zone): string {
  const resets = q.resets_at && Date.parse(q.resets_at) > now ? q.resets_at : null;
  const when = (at: string) => (Date.parse(at) - now < 120_000 ? `in ${until(at, now)}` : `at ${hourMinute(at, zone)}`);
  const reset = resets ? `, resets ${when(resets)}` : "";
  if (resets === null && q.resets_at) return "The window has passed since; the next answer says anew.";
  if (q.remaining <= 0) return `Used up${reset}.`;
  const early = q.runs_out_at && (!resets || Date.parse(q.runs_out_at) < Date.parse(resets)) ? q.runs_out_at : null;
  if (early && Date.parse(early) > now) return `Runs out ${when(early)} at this rate${reset}.`;
  if (q.per_minute > 0) return `Lasts at this rate${reset}.`;
  return resets ? `Resets ${when(resets)}.` : "Not used at the moment.";
}
