import { count } from "./format";
import type { Split } from "./types";

/** Bytes of a filter that the engine reads, at most (`TEXT_MAX` of its filter language). */
const FILTER_MAX = 2048;

export interface PlaceInRequest {
  /** `3 of 25 in one request`. */
  text: string;
  /** A filter that finds the deliveries of all the request's events; null where it would be too long. */
  all: string | null;
  /** The events beside it, for a request of more than a filter holds. */
  before: string | null;
  after: string | null;
}

/** Where an event stands among those that its request was split into. Events that were no news are not among them. */
export function placeInRequest(split: Split, event: string): PlaceInRequest {
  const at = split.events.indexOf(event);
  const all = `event:${split.events.join(",")}`;
  return {
    text: `${count(split.index)} of ${count(split.of)} in one request`,
    all: split.events.length > 1 && all.length <= FILTER_MAX ? all : null,
    before: at > 0 ? (split.events[at - 1] ?? null) : null,
    after: at >= 0 ? (split.events[at + 1] ?? null) : null,
  };
}
