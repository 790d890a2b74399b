import { expect, it } from "vitest";
import { allOff, countOn, dialsOf, switched } from "./faults";

const hubspot = { latency_ms: 0, rate_429: { share: 0, retry_after_s: 2 }, error_500: { share: 0 }, outage: false };

it("shows the dials that a system has, and no others", () => {
  expect(dialsOf(hubspot).map((d) => d.name)).toEqual(["latency_ms", "rate_429", "error_500", "outage"]);
});

it("turns a dial on at a value that shows at once, and off again", () => {
  const on = { ...hubspot, ...switched(hubspot, "rate_429", true) };
  expect(on.rate_429).toEqual({ share: 1, retry_after_s: 2 });
  expect(countOn(on)).toBe(1);
  expect(countOn({ ...on, ...switched(on, "rate_429", false) })).toBe(0);
});

it("clears all dials and leaves the speed as it is", () => {
  const salesforce = { bad_signature: { share: 0.5 }, paused: true, per_second: 4 };
  expect(allOff(salesforce)).toEqual({ bad_signature: { share: 0 }, paused: false });
});
