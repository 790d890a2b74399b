/** The sandbox's dials: what each is called, what a person will see, and how it is set. */
import type { Faults } from "./types";

export type FaultName = keyof Faults;

export interface Dial {
  name: FaultName;
  title: string;
  /** What will be seen once it is on. */
  sees: string;
}

const DIALS: readonly Dial[] = [
  { name: "latency_ms", title: "Latency", sees: "Answers wait; p95 rises." },
  { name: "rate_429", title: "429 Too Many Requests", sees: "They wait for Retry-After." },
  { name: "error_500", title: "500 Server Error", sees: "Retried on the schedule, then dead." },
  { name: "partial", title: "Some records fail", sees: "Of a batch, only these are sent again." },
  { name: "miscount", title: "Wrong counts", sees: "A batch's answer does not fit what was sent." },
  { name: "outage", title: "Outage", sees: "Connections break; network failures." },
  { name: "renamed_field", title: "Renamed field", sees: "A field changes its name and is refused." },
  { name: "bad_signature", title: "Bad signature", sees: "Refused at the door with 401, and kept." },
  { name: "paused", title: "Stop sending", sees: "No new events arrive." },
  { name: "per_second", title: "Events per second", sees: "How fast contacts change." },
];

/** Only the dials that this system answered with. */
export function dialsOf(faults: Faults): Dial[] {
  return DIALS.filter((d) => faults[d.name] !== undefined);
}

export function isOn(faults: Faults, name: FaultName): boolean {
  switch (name) {
    case "latency_ms":
      return (faults.latency_ms ?? 0) > 0;
    case "rate_429":
      return (faults.rate_429?.share ?? 0) > 0;
    case "error_500":
      return (faults.error_500?.share ?? 0) > 0;
    case "bad_signature":
      return (faults.bad_signature?.share ?? 0) > 0;
    case "partial":
    case "miscount":
      return (faults[name]?.share ?? 0) > 0;
    case "outage":
    case "renamed_field":
    case "paused":
      return faults[name] === true;
    case "per_second":
      return false;
  }
}

export function countOn(faults: Faults): number {
  return dialsOf(faults).filter((d) => isOn(faults, d.name)).length;
}

/** The change that a switch makes: on at a value that shows at once, off at nothing. */
export function switched(faults: Faults, name: FaultName, on: boolean): Faults {
  switch (name) {
    case "latency_ms":
      return { latency_ms: on ? 2000 : 0 };
    case "rate_429":
      return { rate_429: { share: on ? 1 : 0, retry_after_s: faults.rate_429?.retry_after_s ?? 1 } };
    case "error_500":
      return { error_500: { share: on ? 1 : 0 } };
    case "bad_signature":
      return { bad_signature: { share: on ? 0.5 : 0 } };
    case "partial":
    case "miscount":
      return { [name]: { share: on ? 0.5 : 0 } };
    case "outage":
    case "renamed_field":
    case "paused":
      return { [name]: on };
    case "per_second":
      return {};
  }
}

export function allOff(faults: Faults): Faults {
  return Object.assign({}, ...dialsOf(faults).map((d) => switched(faults, d.name, false))) as Faults;
}
