import { expect, it } from "vitest";
import { patchBetween, patchText } from "./json-patch";

const patch = (before: string, after: string) => patchText(patchBetween(before, after) ?? []);

it("takes a renamed field for a move, so that every body keeps its own value", () => {
  const before = '{"inputs":[{"properties":{"firstname":"Ana","email":"a@x"}}]}';
  const after = '{"inputs":[{"properties":{"first_name":"Ana","email":"a@x"}}]}';
  expect(patch(before, after)).toBe(
    '[{"op":"move","path":"/inputs/0/properties/first_name","from":"/inputs/0/properties/firstname"}]',
  );
});

it("sets a changed value", () => {
  expect(patch('{"zip":null,"n":1}', '{"n":1,"zip":"1010"}')).toBe('[{"op":"replace","path":"/zip","value":"1010"}]');
});

it("keeps every digit of a number", () => {
  expect(patch('{"score":1}', '{"score":9007199254740993.10}')).toBe(
    '[{"op":"replace","path":"/score","value":9007199254740993.10}]',
  );
});

it("removes items from the end, so that no index moves under the next", () => {
  expect(patch("[1,2,3,4]", "[1]")).toBe(
    '[{"op":"remove","path":"/3"},{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}]',
  );
});

it("changes one item of a list and leaves the others", () => {
  expect(patch('[{"a":1},{"a":2},{"a":3}]', '[{"a":1},{"a":9},{"a":3}]')).toBe(
    '[{"op":"replace","path":"/1/a","value":9}]',
  );
});

it("escapes names as RFC 6901 wants it", () => {
  expect(patch('{"a/b":1,"c~d":2}', '{"a/b":2,"c~d":3}')).toBe(
    '[{"op":"replace","path":"/a~1b","value":2},{"op":"replace","path":"/c~0d","value":3}]',
  );
});

it("finds nothing where only white space and order differ", () => {
  expect(patchBetween('{"a":1,"b":{}}', '{ "b": {}, "a": 1 }')).toEqual([]);
});

it("does not patch what is not JSON, nor a name given twice", () => {
  expect(patchBetween("a=1", "{}")).toBeNull();
  expect(patchBetween('{"a":1,"a":2}', "{}")).toBeNull();
});

it("replaces the whole body where its kind changes", () => {
  expect(patch("[]", "{}")).toBe('[{"op":"replace","path":"","value":{}}]');
});
