/** What a changed mapping would have done, in words. */
import { count, plural } from "./format";
import type { StateLook } from "./states";
import type { Preview, PreviewExample } from "./types";

const LOOKS: Record<PreviewExample["outcome"], StateLook> = {
  changed: { word: "Changed", shape: "retrying", tone: "quiet" },
  "new-failure": { word: "Fails now", shape: "dead", tone: "dead" },
  mended: { word: "Mended", shape: "delivered", tone: "ok" },
  "now-filtered": { word: "Filtered now", shape: "filtered", tone: "info" },
  "now-sent": { word: "Sent now", shape: "sending", tone: "info" },
};

export function previewLook(outcome: PreviewExample["outcome"]): StateLook {
  return LOOKS[outcome];
}

export interface PreviewCount {
  label: string;
  n: number;
  /** Only what needs a person has a colour. */
  tone: "" | "dead" | "ok" | "info";
}

export function previewCounts(p: Preview): PreviewCount[] {
  return [
    { label: "Same", n: p.same, tone: "" },
    { label: "Changed", n: p.changed, tone: "" },
    { label: "New failures", n: p.new_failures, tone: "dead" },
    { label: "Mended", n: p.mended, tone: "ok" },
    { label: "Filtered", n: p.filtered, tone: "info" },
  ];
}

export function previewLine(p: Preview): string {
  if (p.version === "") return `${plural(p.problems.length, "problem")} in the files; nothing was tried.`;
  if (p.events === 0) return "No event is stored yet, so there is nothing to try it on.";
  const tried = `Tried on the last ${p.events === 1 ? "event" : `${count(p.events)} events`}`;
  const end = p.complete ? "" : " The time ended before the others were looked at.";
  if (p.new_failures > 0) return `${tried}: ${count(p.new_failures)} would fail that did not before.${end}`;
  if (p.same === p.checked) return `${tried}: nothing would differ.${end}`;
  return `${tried}: none would fail that did not before.${end}`;
}
