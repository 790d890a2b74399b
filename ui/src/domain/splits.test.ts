import { expect, it } from "vitest";
import { placeInRequest } from "./splits";

it("says which of the request's events it is, and finds all of them", () => {
  const place = placeInRequest({ index: 2, of: 3, events: ["evt_a", "evt_b", "evt_c"] }, "evt_b");
  expect(place).toEqual({
    text: "2 of 3 in one request",
    all: "event:evt_a,evt_b,evt_c",
    before: "evt_a",
    after: "evt_c",
  });
});

it("offers the neighbours alone where a filter cannot hold all", () => {
  const events = Array.from({ length: 100 }, (_, i) => `evt_${String(i).padStart(26, "0")}`);
  const place = placeInRequest({ index: 100, of: 100, events }, events[99] ?? "");
  expect(place).toMatchObject({ all: null, before: events[98], after: null });
});

it("stands alone where the others of its request had come before", () => {
  const place = placeInRequest({ index: 3, of: 3, events: ["evt_c"] }, "evt_c");
  expect(place).toEqual({ text: "3 of 3 in one request", all: null, before: null, after: null });
});
