/**
 * The filter language as the panel shows it: one chip a term. Which keys and values exist is the engine's to say (it answers
 * 400 with a suggestion); here a text is only cut into terms and put together again, so that text, chips and URL are one.
 */

export interface Term {
  /** The term as written, with its quotes. */
  raw: string;
  negated: boolean;
  key: string;
  value: string;
}

/** Cuts at spaces outside double quotes. A word without a colon keeps an empty key, and the engine refuses it. */
export function parseTerms(text: string): Term[] {
  return splitTerms(text).map((raw) => {
    const negated = raw.startsWith("-");
    const bare = negated ? raw.slice(1) : raw;
    const colon = bare.indexOf(":");
    return colon < 0
      ? { raw, negated, key: "", value: bare }
      : { raw, negated, key: bare.slice(0, colon), value: bare.slice(colon + 1) };
  });
}

export function joinTerms(terms: Term[]): string {
  return terms.map((t) => t.raw).join(" ");
}

export function withoutTerm(text: string, index: number): string {
  return joinTerms(parseTerms(text).filter((_, i) => i !== index));
}

/** Sets a key to a value, as the language writes it: the first term of that key is replaced, further ones of it go. */
export function withTerm(text: string, key: string, value: string): string {
  const next = parseTerms(`${key}:${value}`);
  const terms = parseTerms(text);
  const at = terms.findIndex((t) => t.key === key && !t.negated);
  const rest = terms.filter((t) => t.key !== key || t.negated);
  rest.splice(at < 0 ? rest.length : Math.min(at, rest.length), 0, ...next);
  return joinTerms(rest);
}

/** The filter with the engine's suggestion in place of the word that its message quotes; null where that word is not in it. */
export function corrected(filter: string, message: string, suggestion: string | null): string | null {
  const wrong = /'([^']+)'/.exec(message)?.[1];
  if (!wrong || !suggestion) return null;
  const at = filter.toLowerCase().indexOf(wrong.toLowerCase());
  return at < 0 ? null : filter.slice(0, at) + suggestion + filter.slice(at + wrong.length);
}

/** Same terms in any order are the same filter. */
export function sameFilter(a: string, b: string): boolean {
  const norm = (text: string) =>
    parseTerms(text)
      .map((t) => t.raw)
      .sort()
      .join(" ");
  return norm(a) === norm(b);
}

/** A value as the language reads it whole: in quotes where it has a comma, a star, a quote or white space, or nothing at all. */
export function quoted(value: string): string {
  return /^$|[\s,*"]/.test(value) ? `"${value.replaceAll(/["*\\]/g, "\\$&")}"` : value;
}

export interface SavedTab {
  name: string;
  filter: string;
}

export const SAVED_TABS: readonly SavedTab[] = [
  { name: "All", filter: "" },
  { name: "Failing now", filter: "state:retrying,dead since:1h" },
  { name: "Retrying", filter: "state:retrying" },
  { name: "Held", filter: "state:held" },
  { name: "Dead", filter: "state:dead" },
];

/** Keys that the field offers while a term is typed, with what each asks for. */
export const FILTER_KEYS: readonly { key: string; hint: string }[] = [
  { key: "state", hint: "dead, retrying, held, queued, sending, delivered, discarded, filtered, superseded" },
  { key: "system", hint: "a system's name" },
  { key: "integration", hint: "an integration's name" },
  { key: "destination", hint: "a destination's name" },
  { key: "kind", hint: "rejected, rate, auth, mapping, server, network, unknown" },
  { key: "http", hint: "429 or 5xx" },
  { key: "stage", hint: "validate, filter, map, request" },
  { key: "reason", hint: "order, breaker, pause, rate, quota, credential" },
  { key: "group", hint: "grp_…" },
  { key: "event", hint: "evt_…" },
  { key: "id", hint: "dlv_…" },
  { key: "key", hint: "the record's key" },
  { key: "type", hint: "contact.changed" },
  { key: "since", hint: "2h, or a time" },
  { key: "until", hint: "10m, or a time" },
  { key: "latency", hint: ">2s" },
  { key: "attempts", hint: ">3" },
];

export interface Offer {
  /** What goes into the filter. */
  insert: string;
  hint: string;
}

/** Offers for the word being typed; nothing once its key is complete and unknown values are the engine's business. */
export function offers(word: string): Offer[] {
  const negated = word.startsWith("-") ? "-" : "";
  const bare = word.slice(negated.length);
  const colon = bare.indexOf(":");
  if (colon < 0) {
    if (bare === "") return [];
    return FILTER_KEYS.filter((k) => k.key.startsWith(bare)).map((k) => ({
      insert: `${negated}${k.key}:`,
      hint: k.hint,
    }));
  }
  const key = bare.slice(0, colon);
  const values = VALUES[key];
  if (!values) return [];
  const typed = bare.slice(colon + 1);
  const done = typed.slice(0, typed.lastIndexOf(",") + 1);
  const last = typed.slice(done.length);
  return values
    .filter((v) => v.startsWith(last) && v !== last)
    .map((v) => ({ insert: `${negated}${key}:${done}${v}`, hint: "" }));
}

const VALUES: Record<string, readonly string[]> = {
  state: ["dead", "retrying", "held", "queued", "sending", "delivered", "discarded", "filtered", "superseded"],
  kind: ["rejected", "rate", "auth", "mapping", "server", "network", "unknown"],
  reason: ["order", "breaker", "pause", "rate", "quota", "credential"],
  stage: ["validate", "filter", "map", "request"],
};

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let term = "";
  let quote = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (c === "\\" && quote) {
      term += c + (text[++i] ?? "");
      continue;
    }
    if (c === '"') quote = !quote;
    if (!quote && /\s/.test(c)) {
      if (term) terms.push(term);
      term = "";
    } else term += c;
  }
  if (term) terms.push(term);
  return terms;
}
