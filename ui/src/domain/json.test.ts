import { describe, expect, it } from "vitest";
import { layOut, prettyJson } from "./json";

describe("laying JSON out", () => {
  it("keeps every digit", () => {
    expect(prettyJson('{"a":9007199254740993,"b":1.10,"c":1e400}')).toBe(
      '{\n  "a": 9007199254740993,\n  "b": 1.10,\n  "c": 1e400\n}',
    );
  });
  it("leaves brackets and colons inside strings alone", () => {
    expect(prettyJson('{"a":"x{[:,]}\\"y"}')).toBe('{\n  "a": "x{[:,]}\\"y"\n}');
  });
  it("keeps empty things on one line", () => {
    expect(prettyJson('{"a":[],"b":{}}')).toBe('{\n  "a": [],\n  "b": {}\n}');
  });
  it("tells keys from strings", () => {
    const inks = layOut('{"a":"b"}')
      ?.flat()
      .filter((p) => p.ink !== "mark")
      .map((p) => p.ink);
    expect(inks).toEqual(["key", "string"]);
  });
  it("gives back what is not JSON as it is", () => {
    for (const text of ["<html>", "hello", '{"a":', "}{", ""]) expect(prettyJson(text)).toBe(text);
  });
  it("reads a megabyte without a deep stack", () => {
    const text = `[${"[".repeat(5000)}${"]".repeat(5000)}]`;
    expect(layOut(text)?.length).toBeGreaterThan(9000);
  });
});
