import { type Offer, quoted } from "./filter";
import type { Delivery } from "./types";

/** What a row's cells say, as terms to filter by: those that lead to rows like it first. */
export function termsOf(row: Delivery): Offer[] {
  const cells: [key: string, value: string | number | null, hint: string][] = [
    ["state", row.state, "in this state"],
    ["reason", row.state === "held" ? row.reason : null, "held for the same reason"],
    ["system", row.system, "to this system"],
    ["integration", row.integration, "of this integration"],
    ["destination", row.destination, "to this destination"],
    ["type", row.type, "of this type"],
    ["key", row.key, "of this record"],
    ["kind", row.kind, "failed in this way"],
    ["http", row.status, "answered like this"],
    ["event", row.event, "of this event"],
  ];
  return cells.flatMap(([key, value, hint]) =>
    value === null ? [] : [{ insert: `${key}:${quoted(String(value))}`, hint }],
  );
}
