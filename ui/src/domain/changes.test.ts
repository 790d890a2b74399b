import { expect, it } from "vitest";
import { changeKind, fieldName, operationLine, valueText } from "./changes";

it("tells added, removed and changed apart", () => {
  expect(changeKind({ path: "/a", from: null, to: 1 })).toBe("added");
  expect(changeKind({ path: "/a", from: 1, to: null })).toBe("removed");
  expect(changeKind({ path: "/a", from: 1, to: 2 })).toBe("changed");
});

it("reads a pointer as a path in the body", () => {
  expect(fieldName("/inputs/0/properties/zip")).toBe("inputs[0].properties.zip");
  expect(fieldName("/a~1b/c~0d")).toBe('"a/b"."c~d"');
  expect(fieldName("")).toBe("body");
  expect(fieldName("header:if-match")).toBe("header if-match");
});

it("keeps text and number apart", () => {
  expect(valueText("1")).toBe('"1"');
  expect(valueText(1)).toBe("1");
  expect(valueText(null)).toBe("");
  expect(valueText("x".repeat(300))).toHaveLength(201);
});

it("says a patch as a person would", () => {
  expect(operationLine({ op: "move", from: "/firstname", path: "/first_name" })).toEqual({
    verb: "Rename",
    field: "firstname",
    detail: "to first_name, each keeps its own value",
  });
  expect(operationLine({ op: "replace", path: "/zip", value: '"1010"' }).detail).toBe('to "1010"');
});
