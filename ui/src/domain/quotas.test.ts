import { expect, it } from "vitest";
import { after, aQuota, T0 } from "../test/fake-backend/factories";
import { isShort, limitsText, quotaForecast, quotaUsed, rateText, tightest } from "./quotas";

const now = Date.parse(T0);

it("shows the quota that is nearest to its end", () => {
  const daily = aQuota({ name: "daily", limit: 250_000, remaining: 1000, window_ms: 86_400_000 });
  expect(tightest([aQuota(), daily])?.name).toBe("daily");
  expect(rateText({ quotas: [aQuota({ limit: 100, remaining: 8, window_ms: 10_000 })], limits: null })).toBe(
    "92/100 · 10 s",
  );
});

it("shows our own limits where the system says nothing", () => {
  const limits = { per_second: 10, burst: 20, concurrent: 8, in_flight: 3, waiting: 0 };
  expect(rateText({ quotas: [], limits })).toBe("10/s");
  expect(limitsText(limits)).toBe("10/s · 8 at once");
  expect(rateText({ quotas: [], limits: null })).toBe("");
});

it("foretells the end only where it comes before the reset", () => {
  const q = aQuota({ remaining: 8, per_minute: 6, resets_at: after(1_800_000), runs_out_at: after(600_000) });
  expect(quotaForecast(q, now, "utc")).toBe("Runs out at 14:13 at this rate, resets at 14:33.");
  expect(quotaForecast({ ...q, runs_out_at: after(3_600_000) }, now, "utc")).toBe(
    "Lasts at this rate, resets at 14:33.",
  );
  expect(quotaForecast({ ...q, runs_out_at: null, per_minute: 0 }, now, "utc")).toBe("Resets at 14:33.");
});

it("counts down where the reset is near", () => {
  expect(quotaForecast(aQuota({ remaining: 0, resets_at: after(8000) }), now, "utc")).toBe("Used up, resets in 0:08.");
});

it("does not warn of a window that has passed", () => {
  const q = aQuota({ remaining: 0, resets_at: after(-1000) });
  expect(isShort(q, now)).toBe(false);
  expect(quotaForecast(q, now, "utc")).toMatch(/has passed/);
});

it("is short once only the reserve is left", () => {
  expect(isShort(aQuota({ remaining: 10, reserve: 10, resets_at: after(8000) }), now)).toBe(true);
  expect(isShort(aQuota({ remaining: 11, reserve: 10, resets_at: after(8000) }), now)).toBe(false);
});

it("says a quota without a limit by what is left", () => {
  expect(quotaUsed(aQuota({ limit: null, remaining: 12 }))).toBe("12 left");
  expect(rateText({ quotas: [aQuota({ limit: null, remaining: 12 })], limits: null })).toBe("12 left");
});
