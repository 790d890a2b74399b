import { expect, it } from "vitest";
import { deliveriesAt, formatRoute, parseRoute } from "./route";

it("carries any filter through the address and back", () => {
  const filter = 'state:dead body.email:"a b&c=d#?%"';
  expect(parseRoute(deliveriesAt(filter)).params.filter).toBe(filter);
});

it("carries names with slashes and spaces", () => {
  expect(parseRoute(formatRoute("systems", "a/b c"))).toMatchObject({ screen: "systems", name: "a/b c" });
});

it("leads to the overview from anywhere unknown", () => {
  expect(parseRoute("#/alerts").screen).toBe("overview");
  expect(parseRoute("").screen).toBe("overview");
  expect(parseRoute("#/systems/%E0%A4%A").name).toBe("%E0%A4%A");
});

it("leaves empty parameters out", () => {
  expect(formatRoute("deliveries", null, { filter: "", delivery: null })).toBe("#/deliveries");
});
