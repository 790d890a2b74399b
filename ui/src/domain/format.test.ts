import { describe, expect, it } from "vitest";
import { ago, axisCount, between, bytes, clock, percent, plural, rate, shortId, span, took, until } from "./format";

describe("percent", () => {
  it("never says 100 % while something failed", () => {
    expect(percent(0.99999)).toBe("99.9%");
    expect(percent(1)).toBe("100%");
  });
  it("says that there is no share rather than 0 %", () => {
    expect(percent(null)).toBe("—");
  });
});

describe("durations", () => {
  it("keeps one unit below a minute and two above", () => {
    expect([took(0.4), took(180), took(1240), took(77_000)]).toEqual(["<1 ms", "180 ms", "1.2 s", "1 m 17 s"]);
    expect([span(60_000), span(188_000), span(7_500_000), span(86_400_000)]).toEqual([
      "1 m",
      "3 m 08 s",
      "2 h 05 m",
      "1 d",
    ]);
  });
  it("does not turn 9.96 s into 10.0 s", () => {
    expect(took(9960)).toBe("10 s");
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T14:10:00.000Z");
  it("shows an instant in the zone that was chosen", () => {
    expect(clock("2026-11-21T14:03:18.604Z", "utc", true)).toBe("14:03:18.604");
  });
  it("says how long ago in one unit", () => {
    expect(ago("2026-11-21T14:09:59.500Z", now)).toBe("now");
    expect(ago("2026-11-21T14:05:00.000Z", now)).toBe("5 m");
    expect(ago("2026-11-19T14:05:00.000Z", now)).toBe("2 d");
  });
  it("never says that something was in the future", () => {
    expect(ago("2026-11-21T14:10:30.000Z", now)).toBe("now");
  });
  it("counts down to what is due", () => {
    expect(until("2026-11-21T14:10:21.000Z", now)).toBe("0:21");
    expect(until("2026-11-21T14:09:00.000Z", now)).toBe("now");
  });
  it("joins two times of the same minute", () => {
    expect(between("2026-11-21T14:03:01Z", "2026-11-21T14:03:59Z", now, "utc")).toBe("14:03");
    expect(between("2026-11-20T14:03:01Z", "2026-11-21T14:06:00Z", now, "utc")).toBe("20 Nov 14:03 to 14:06");
  });
});

it("names a number of things in the singular and the plural", () => {
  expect([plural(1, "delivery", "deliveries"), plural(1284, "delivery", "deliveries")]).toEqual([
    "1 delivery",
    "1,284 deliveries",
  ]);
});

it("chooses the unit that keeps a rate readable", () => {
  expect([rate(0), rate(0.07), rate(0.4), rate(2), rate(37.4)]).toEqual(["0/s", "4.2/min", "24/min", "2.0/s", "37/s"]);
});

it("writes sizes as file managers do", () => {
  expect([bytes(1), bytes(198), bytes(1_400_000), bytes(38_000_000)]).toEqual([
    "1 byte",
    "198 bytes",
    "1.4 MB",
    "38 MB",
  ]);
});

it("keeps the end of an id, which tells two apart", () => {
  expect(shortId("dlv_01m803jk82fqd8djgasw8kzcwq")).toBe("dlv_…8kzcwq");
});

it("shortens axis labels", () => {
  expect([axisCount(40), axisCount(2000), axisCount(2500)]).toEqual(["40", "2k", "2.5k"]);
});
