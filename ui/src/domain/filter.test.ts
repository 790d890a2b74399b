import { describe, expect, it } from "vitest";
import { corrected, offers, parseTerms, quoted, sameFilter, withoutTerm, withTerm } from "./filter";

describe("terms", () => {
  it("cuts at spaces, but not inside quotes", () => {
    expect(parseTerms('state:dead body.name:"Ana \\"T\\" x" -kind:rate').map((t) => t.raw)).toEqual([
      "state:dead",
      'body.name:"Ana \\"T\\" x"',
      "-kind:rate",
    ]);
  });
  it("knows a negated term, its key and its value", () => {
    expect(parseTerms("-system:hubspot")[0]).toMatchObject({ negated: true, key: "system", value: "hubspot" });
  });
  it("keeps the colons of a time in the value", () => {
    expect(parseTerms("until:2026-11-21T14:00Z")[0]).toMatchObject({ key: "until", value: "2026-11-21T14:00Z" });
  });
  it("leaves a word without a colon to the engine", () => {
    expect(parseTerms("dead")[0]).toMatchObject({ key: "", value: "dead" });
  });
});

it("removes the term that was meant and no other", () => {
  expect(withoutTerm("state:dead state:held", 1)).toBe("state:dead");
});

it("replaces a key's value in its place", () => {
  expect(withTerm("state:dead since:1h", "state", "held")).toBe("state:held since:1h");
  expect(withTerm("since:1h", "key", quoted("a b"))).toBe('since:1h key:"a b"');
});

it("does not care for the order of terms", () => {
  expect(sameFilter("state:dead  since:1h", "since:1h state:dead")).toBe(true);
  expect(sameFilter("state:dead", "-state:dead")).toBe(false);
});

describe("corrections", () => {
  it("puts the suggestion where the quoted word stands", () => {
    expect(corrected("system:crm state:ded", "'ded' is not a state; there are queued", "dead")).toBe(
      "system:crm state:dead",
    );
  });
  it("offers none where the message quotes something else", () => {
    expect(corrected("state:ded", "'other' is wrong", "dead")).toBeNull();
    expect(corrected("state:ded", "it is wrong", "dead")).toBeNull();
  });
});

describe("offers", () => {
  it("completes keys, then the last of several values", () => {
    expect(offers("sy").map((o) => o.insert)).toEqual(["system:"]);
    expect(offers("-state:dead,re").map((o) => o.insert)).toEqual(["-state:dead,retrying"]);
  });
  it("is silent for an empty word and for a finished one", () => {
    expect(offers("")).toEqual([]);
    expect(offers("state:dead")).toEqual([]);
  });
});
