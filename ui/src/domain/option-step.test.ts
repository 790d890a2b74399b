import { describe, expect, it } from "vitest";
import { optionStep } from "./option-step";

describe("the arrows in a list of options", () => {
  it("go to the next and the one before", () => {
    expect(optionStep("ArrowDown", 0, 3)).toBe(1);
    expect(optionStep("ArrowUp", 2, 3)).toBe(1);
  });
  it("go on at the other end", () => {
    expect(optionStep("ArrowDown", 2, 3)).toBe(0);
    expect(optionStep("ArrowUp", 0, 3)).toBe(2);
  });
  it("lead nowhere in an empty list, and neither does another key", () => {
    expect(optionStep("ArrowDown", 0, 0)).toBeNull();
    expect(optionStep("Home", 1, 3)).toBeNull();
  });
});
