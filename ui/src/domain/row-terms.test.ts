import { expect, it } from "vitest";
import { aDelivery } from "../test/fake-backend/factories";
import { parseTerms } from "./filter";
import { termsOf } from "./row-terms";

const inserts = (changes: Parameters<typeof aDelivery>[0]) => termsOf(aDelivery(changes)).map((t) => t.insert);

it("offers each cell that has a value, and nothing for those that have none", () => {
  const found = inserts({ state: "dead", reason: null, system: "hubspot", kind: "server", status: 503, key: null });
  expect(found).toEqual(expect.arrayContaining(["state:dead", "system:hubspot", "kind:server", "http:503"]));
  expect(found.some((t) => /^(key|reason):/.test(t))).toBe(false);
});

it("offers why a row is held", () => {
  expect(inserts({ state: "held", reason: "breaker" })).toContain("reason:breaker");
});

it("keeps a key with commas, stars and quotes in one term", () => {
  const found = inserts({ key: 'a, "b"*' }).find((t) => t.startsWith("key:"));
  expect(found).toBe('key:"a, \\"b\\"\\*"');
  expect(parseTerms(found ?? "")).toHaveLength(1);
});
