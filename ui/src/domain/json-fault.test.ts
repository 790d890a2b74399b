import { describe, expect, it } from "vitest";
import { jsonFault } from "./json-fault";

const at = (text: string) => {
  const fault = jsonFault(text);
  return fault && `${fault.line}:${text.slice(fault.at, fault.at + 1)} ${fault.message}`;
};

describe("where a text stops being JSON", () => {
  it("is nowhere where it is JSON", () => {
    for (const text of ["{}", " [ ] ", "1.10", '{"a":[1,-2e9,{"b":null}],"c":"\\u00e9\\n"}', '"a"'])
      expect(jsonFault(text), text).toBeNull();
  });

  it("is on the line of the slip, not at the beginning", () => {
    expect(at('{\n  "a": 1,\n  "b": [ x ]\n}')).toBe("3:x x is no value");
    expect(at('{\n  "a": 1\n  "b": 2\n}')).toBe('3:" a comma or } is missing before "');
    expect(at("{\n  a: 1\n}")).toBe("2:a a name in double quotes was expected, not a");
    expect(at('{\n  "a" 1\n}')).toBe("2:1 a colon is missing before 1");
  });

  it("is the comma that has nothing after it", () => {
    expect(at('{\n  "a": 1,\n}')).toBe("2:, a comma before the } is one too many");
    expect(at("[1,\n2,\n]")).toBe("2:, a comma before the ] is one too many");
  });

  it("is the quote that is never closed", () => {
    expect(at('{\n  "a": "x,\n  "b": 2\n}')).toBe('2:" a text has no closing quote');
  });

  it("is the end where something is still open or nothing is there", () => {
    expect(at('{"a": [1')).toBe("1: a ] is missing at the end");
    expect(at("")).toBe("1: a value is missing");
  });

  it("is what follows the end", () => {
    expect(at('{}\n{"a":1}')).toBe("2:{ nothing may follow, but here is {");
  });

  it("is a value or an escape that only looks like one", () => {
    expect(at("01")).toBe("1:0 01 is no value");
    expect(at("nulls")).toBe("1:n nulls is no value");
    expect(at("'a'")).toBe("1:' ' is no value");
    expect(at('"\\x"')).toBe("1:\\ \\x is no escape");
    expect(at('"a\tb"')).toMatch(/control character/);
  });

  it("is found in any text that is cut off or has one character changed", () => {
    const whole = '{"a":[1.5,true,{"b":"\\u00e9 \\" "}],"c":null}';
    for (let i = 0; i < whole.length; i++) {
      for (const text of [whole.slice(0, i), `${whole.slice(0, i)}~${whole.slice(i + 1)}`]) {
        const fault = jsonFault(text);
        if (fault) expect(fault.at, text).toBeLessThanOrEqual(text.length);
      }
    }
  });

  it("is found however deep the text is nested", () => {
    expect(jsonFault("[".repeat(100_000))?.message).toBe("a ] is missing at the end");
  });
});
