import { describe, expect, it } from "vitest";
import { aGroup } from "../test/fake-backend/factories";
import { groupMessage, groupTitle, othersIn } from "./groups";

describe("a group", () => {
  it("is named by what the system answered", () => {
    expect(groupTitle(aGroup(), "HubSpot")).toBe("HubSpot answered 429 to 40 deliveries");
  });
  it("never says that an unknown one failed", () => {
    const group = aGroup({ kind: "unknown", status: null, count: 2 });
    expect(groupTitle(group, "Warehouse")).toBe("Warehouse gave no whole answer to 2 deliveries");
  });
  it("does not repeat the system in its message", () => {
    const group = aGroup({ message: "Simulated HubSpot answered 500 Internal Server Error" });
    expect(groupMessage(group, "Simulated HubSpot")).toBe("500 Internal Server Error");
  });
  it("has as many others as are dead beside the one that is edited", () => {
    expect(othersIn("grp_1", 5, { state: "dead", group: "grp_1" })).toBe(4);
  });
  it("has only others while that one is on its way, and again one fewer once it has died again", () => {
    expect(othersIn("grp_1", 4, { state: "sending", group: null })).toBe(4);
    expect(othersIn("grp_1", 5, { state: "dead", group: "grp_1" })).toBe(4);
    expect(othersIn("grp_1", 4, { state: "dead", group: "grp_2" })).toBe(4);
  });
});
