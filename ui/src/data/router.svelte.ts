import { formatRoute, parseRoute, type Route, type Screen } from "../domain/route";

/** The address bar as state. */
export class Router {
  route = $state.raw<Route>(parseRoute(""));

  start(): () => void {
    const read = () => (this.route = parseRoute(location.hash));
    read();
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }

  go(screen: Screen, name?: string | null, params: Record<string, string | null> = {}): void {
    this.to(formatRoute(screen, name, params));
  }

  to(hash: string): void {
    if (location.hash === hash) return;
    location.hash = hash;
    // The event comes later; the next key must already find the new place.
    this.route = parseRoute(hash);
  }

  /** Changes parameters of this screen without a new entry in the history: what is selected is not a place to go back to. */
  set(changes: Record<string, string | null>): void {
    const { screen, name, params } = this.route;
    const hash = formatRoute(screen, name, { ...params, ...changes });
    history.replaceState(null, "", hash);
    this.route = parseRoute(hash);
  }
}
