import { expect, it } from "vitest";
import { Selection } from "./selection.svelte";

const order = ["a", "b", "c", "d", "e"];

it("extends from the row chosen last, in both directions", () => {
  const selection = new Selection();
  selection.toggle("c");
  selection.extend("e", order);
  selection.extend("b", order);
  expect([...selection.ids].sort()).toEqual(["b", "c", "d", "e"]);
});

it("takes the loaded rows first and all that match when asked again", () => {
  const selection = new Selection();
  selection.all(order);
  expect([selection.ids.size, selection.allMatching]).toEqual([5, false]);
  selection.all(order);
  expect(selection.allMatching).toBe(true);
  expect(selection.has("never loaded")).toBe(true);
});

it("leaves all-that-match as soon as one row is changed", () => {
  const selection = new Selection();
  selection.all(order);
  selection.all(order);
  selection.toggle("a");
  expect(selection.allMatching).toBe(false);
  expect(selection.has("a")).toBe(false);
});

it("does not take everything of an empty list", () => {
  const selection = new Selection();
  selection.all([]);
  selection.all([]);
  expect(selection.allMatching).toBe(false);
});
