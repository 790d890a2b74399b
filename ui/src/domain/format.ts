/** Numbers, durations and times as a person reads them. Every figure on a screen goes through here. */

export type Zone = "local" | "utc";

/** What is missing, as opposed to zero. */
export const NONE = "—";

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(n: number): string {
  return integer.format(n);
}

/** `1 delivery`, `40 deliveries`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A share of 1 as percent; never rounded up to 100 % when something failed. */
export function percent(share: number | null): string {
  if (share === null) return NONE;
  if (share === 1) return "100%";
  const floored = Math.floor(share * 1000) / 10;
  return `${floored.toFixed(1)}%`;
}

/** How long something took: `180 ms`, `1.2 s`, `1 m 17 s`. */
export function took(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 1) return "<1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  return span(ms);
}

/** A step's time, which is often below a millisecond. */
export function tookMicros(us: number | null): string {
  if (us === null) return NONE;
  return us < 1000 ? `${us} µs` : took(us / 1000);
}

/** A stretch of time in its two largest units: `42 s`, `3 m 08 s`, `2 h 05 m`, `3 d 4 h`. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 === 0 ? `${s / 60} m` : `${Math.floor(s / 60)} m ${pad(s % 60)} s`;
  const m = Math.floor(s / 60);
  if (m < 1440) return m % 60 === 0 ? `${m / 60} h` : `${Math.floor(m / 60)} h ${pad(m % 60)} m`;
  const h = Math.floor(m / 60);
  return h % 24 === 0 ? `${h / 24} d` : `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** A table's "when": one unit, `now` below a second. */
export function ago(at: string, now: number): string {
  const s = Math.floor((now - Date.parse(at)) / 1000);
  if (s < 1) return "now";
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

/** A countdown as `0:21`; `now` once it is due. */
export function until(at: string, now: number): string {
  const s = Math.ceil((Date.parse(at) - now) / 1000);
  if (s <= 0) return "now";
  if (s >= 3600) return span(s * 1000);
  return `${Math.floor(s / 60)}:${pad(s % 60)}`;
}

/** `14:03:18`; with milliseconds `14:03:18.604`. */
export function clock(at: string, zone: Zone, millis = false): string {
  const t = fields(new Date(at), zone);
  const text = `${pad(t.hour)}:${pad(t.minute)}:${pad(t.second)}`;
  return millis ? `${text}.${String(t.milli).padStart(3, "0")}` : text;
}

/** `14:03`, for axes and spans. */
export function hourMinute(at: string | number, zone: Zone): string {
  const t = fields(new Date(at), zone);
  return `${pad(t.hour)}:${pad(t.minute)}`;
}

/** The whole instant with its zone, for tooltips. */
export function instant(at: string, zone: Zone): string {
  const t = fields(new Date(at), zone);
  return `${t.year}-${pad(t.month)}-${pad(t.day)} ${clock(at, zone, true)} ${zone === "utc" ? "UTC" : "local time"}`;
}

/** The time alone today, the day as well before that. */
export function dayClock(at: string, now: number, zone: Zone): string {
  const then = fields(new Date(at), zone);
  const today = fields(new Date(now), zone);
  const same = then.year === today.year && then.month === today.month && then.day === today.day;
  return same ? hourMinute(at, zone) : `${pad(then.day)} ${MONTHS[then.month - 1] ?? ""} ${hourMinute(at, zone)}`;
}

/** `14:03 to 14:06`, or the one time when both are the same minute. */
export function between(first: string, last: string, now: number, zone: Zone): string {
  const from = dayClock(first, now, zone);
  const to = dayClock(last, now, zone);
  return from === to ? from : `${from} to ${to}`;
}

/** `1.4 GB`, powers of 1000 as file managers show them. */
export function bytes(n: number): string {
  if (n < 1000) return plural(n, "byte");
  const units = ["kB", "MB", "GB", "TB"];
  let value = n;
  let unit = "";
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** A rate in the unit that keeps it readable: `14/s`, `2.0/s`, `20/min`. */
export function rate(perSecond: number): string {
  if (perSecond >= 10) return `${count(perSecond)}/s`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`;
  const perMinute = perSecond * 60;
  return perMinute === 0 ? "0/s" : `${perMinute < 10 ? perMinute.toFixed(1) : Math.round(perMinute)}/min`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A text of the engine as a sentence. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? capital(text) : `${capital(text)}.`;
}

/** A system's title without the word that the SANDBOX strip says already. */
export function plainTitle(title: string): string {
  return capital(title.replace(/^Simulated /, ""));
}

/** The kind of an id and its end, which tells two of them apart: `dlv_…8kzcwq`. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 4)}…${id.slice(-6)}`;
}

/** An axis label: `40`, `2k`, `1.5M`. */
export function axisCount(n: number): string {
  if (n >= 1_000_000) return `${n / 1_000_000}M`;
  return n >= 1000 ? `${n / 1000}k` : String(n);
}

/** Counts up to ten as words inside a sentence. */
export function inWords(n: number): string {
  const words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
  return words[n] ?? count(n);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

function fields(d: Date, zone: Zone) {
  return zone === "utc"
    ? {
        year: d.getUTCFullYear(),
        month: d.getUTCMonth() + 1,
        day: d.getUTCDate(),
        hour: d.getUTCHours(),
        minute: d.getUTCMinutes(),
        second: d.getUTCSeconds(),
        milli: d.getUTCMilliseconds(),
      }
    : {
        year: d.getFullYear(),
        month: d.getMonth() + 1,
        day: d.getDate(),
        hour: d.getHours(),
        minute: d.getMinutes(),
        second: d.getSeconds(),
        milli: d.getMilliseconds(),
      };
}
