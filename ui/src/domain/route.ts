/** The hash is the address of everything that can be looked at: screen, thing, filter, drawer and its tab. */

export type Screen = "overview" | "integrations" | "deliveries" | "dead-letters" | "systems" | "rejected";

export interface Route {
  screen: Screen;
  /** The thing on its own page: an integration's or a system's name. */
  name: string | null;
  params: Record<string, string>;
}

const SCREENS: readonly Screen[] = ["overview", "integrations", "deliveries", "dead-letters", "systems", "rejected"];

/** Anything unknown leads to the overview rather than to an empty page. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [screen = "", name] = path.split("/", 2);
  if (!SCREENS.includes(screen as Screen)) return { screen: "overview", name: null, params: {} };
  return {
    screen: screen as Screen,
    name: name ? decode(name) : null,
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function formatRoute(screen: Screen, name?: string | null, params: Record<string, string | null> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value) query.set(key, value);
  const tail = query.size > 0 ? `?${query.toString()}` : "";
  return `#/${screen}${name ? `/${encodeURIComponent(name)}` : ""}${tail}`;
}

export function deliveriesAt(filter: string): string {
  return formatRoute("deliveries", null, { filter });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
