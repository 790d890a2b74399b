import { describe, expect, it } from "vitest";
import { ChordReader, isSingleKey, pressText, shownKey } from "./keymap";

const press = (key: string, mods: Partial<Record<"ctrlKey" | "metaKey" | "shiftKey" | "altKey", boolean>> = {}) =>
  pressText({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...mods });

it("writes a press as its binding does", () => {
  expect(press("R")).toBe("r");
  expect(press("X", { shiftKey: true })).toBe("shift+x");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("k", { metaKey: true })).toBe("mod+k");
  expect(press("ArrowDown", { shiftKey: true })).toBe("shift+down");
  expect(press("Shift")).toBeNull();
});

it("calls only keys that type a character single", () => {
  expect(["r", "shift+x", ".", "g d"].every(isSingleKey)).toBe(true);
  expect(["down", "enter", "esc", "mod+k", "shift+down"].some(isSingleKey)).toBe(false);
});

it("shows keys as they stand on the keyboard", () => {
  expect(shownKey("mod+k", false)).toBe("Ctrl K");
  expect(shownKey("mod+k", true)).toBe("⌘K");
  expect(shownKey("g d", false)).toBe("G then D");
});

describe("chords", () => {
  const known = (combo: string) => ["g d", "d"].includes(combo);
  const begins = (first: string) => first === "g";
  it("take the second key for the pair", () => {
    const reader = new ChordReader();
    expect(reader.read("g", 0, known, begins).kind).toBe("wait");
    expect(reader.read("d", 900, known, begins)).toEqual({ kind: "hit", combo: "g d" });
  });
  it("are forgotten after a second", () => {
    const reader = new ChordReader();
    reader.read("g", 0, known, begins);
    expect(reader.read("d", 1001, known, begins)).toEqual({ kind: "hit", combo: "d" });
  });
});
