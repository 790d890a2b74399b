/** The sandbox's way in: four things to do once. Each is ticked by a fact, not by a click on the list. */

export type StepId = "see" | "break" | "triage" | "replay";

export interface ChecklistStep {
  id: StepId;
  title: string;
  hint: string;
  href: string;
}

export const CHECKLIST: readonly ChecklistStep[] = [
  { id: "see", title: "See a delivery", hint: "Open any row", href: "#/deliveries" },
  { id: "break", title: "Break HubSpot", hint: "Turn a fault on", href: "#/systems/hubspot" },
  { id: "triage", title: "Find out why", hint: "Read a group", href: "#/dead-letters" },
  { id: "replay", title: "Mend and replay", hint: "Fault off, then R, Enter", href: "#/dead-letters" },
];

export function nextStep(done: ReadonlySet<StepId>): ChecklistStep | null {
  return CHECKLIST.find((s) => !done.has(s.id)) ?? null;
}
