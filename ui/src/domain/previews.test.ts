import { expect, it } from "vitest";
import { previewLine, previewLook } from "./previews";
import { aProblem } from "../test/fake-backend/factories";
import type { Preview } from "./types";

const preview = (changes: Partial<Preview>): Preview => ({
  version: "1",
  events: 100,
  complete: true,
  checked: 100,
  same: 100,
  changed: 0,
  new_failures: 0,
  mended: 0,
  filtered: 0,
  problems: [],
  examples: [],
  seconds: 0.1,
  ...changes,
});

it("says first what would fail", () => {
  expect(previewLine(preview({ same: 60, changed: 37, new_failures: 3 }))).toBe(
    "Tried on the last 100 events: 3 would fail that did not before.",
  );
  expect(previewLine(preview({ same: 60, changed: 40 }))).toMatch(/none would fail/);
  expect(previewLine(preview({ complete: false }))).toMatch(/time ended before the others/);
  expect(previewLine(preview({}))).toMatch(/nothing would differ/);
  expect(previewLine(preview({ events: 0, checked: 0, same: 0 }))).toMatch(/No event is stored/);
  expect(previewLine(preview({ version: "", problems: [aProblem()] }))).toBe(
    "1 problem in the files; nothing was tried.",
  );
});

it("tells every outcome by a word and a shape of its own", () => {
  const looks = (["changed", "new-failure", "mended", "now-filtered", "now-sent"] as const).map(previewLook);
  expect(new Set(looks.map((l) => l.shape)).size).toBe(5);
  expect(new Set(looks.map((l) => l.word)).size).toBe(5);
});
