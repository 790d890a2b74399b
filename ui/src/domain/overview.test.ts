import { describe, expect, it } from "vitest";
import { anOverview, aRow } from "../test/fake-backend/factories";
import { deliveredLine, healthLine, heldBy, trouble } from "./overview";

const failing = anOverview({
  delivered: { count: 2431, ended: 2471, rate: 2431 / 2471, previous_rate: 0.996 },
  failing: { integrations: 1, of: 6, attempts: 250, top_kind: "rate", top_status: 429 },
  integrations: [aRow({ state: "failing", dead: 40, queue: 61 })],
});

describe("the overview's sentences", () => {
  it("give the share and its change where enough has ended", () => {
    expect(deliveredLine(failing, "1h")).toBe("98.3%, down 1.2 points");
  });
  it("give the count instead of a share of a few", () => {
    const few = anOverview({ delivered: { count: 3, ended: 5, rate: 0.6, previous_rate: null } });
    expect(deliveredLine(few, "1h")).toBe("2 deliveries did not arrive");
  });
  it("say how long all has been well", () => {
    expect(healthLine(anOverview({ last_failure_at: "2026-11-21T11:03:18.000Z" }))).toBe(
      "The integration is healthy. Last failure 3 h ago.",
    );
  });
  it("name what is wrong, and that nothing is lost", () => {
    expect(trouble(failing)).toEqual({
      title: "Contact sync is failing",
      detail: "Mostly answered 429 Too Many Requests. 40 dead, 61 waiting. Nothing is lost.",
      now: true,
    });
  });
  it("name dead letters that hold others up when nothing fails any more", () => {
    const over = anOverview({
      dead_letters: { count: 30, groups: 1, new_in_window: 0 },
      queue: { depth: 12, oldest_age_ms: 1, held_by: { order: 12 } },
    });
    expect(trouble(over)).toEqual({
      title: "30 dead letters to replay or discard",
      detail: "12 deliveries wait for an earlier one of the same key. Nothing is lost.",
      now: false,
    });
  });
  it("fall silent on a good day", () => {
    expect(trouble(anOverview())).toBeNull();
  });
  it("name the largest holder of the queue", () => {
    expect(heldBy(anOverview({ queue: { depth: 9, oldest_age_ms: 1, held_by: { rate: 2, order: 7 } } }))).toBe(
      "7 held by order",
    );
  });
});
