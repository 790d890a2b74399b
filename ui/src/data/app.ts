/** Everything a screen may ask, made once and handed down by context. */
import { createContext } from "svelte";
import type { Host } from "../host";
import { plural } from "../domain/format";
import { replayReport } from "../domain/replays";
import { Checklist } from "./checklist.svelte";
import { Client } from "./client";
import { Clock } from "./clock.svelte";
import { Directory } from "./directory.svelte";
import { type Api, endpoints } from "./endpoints";
import { KeyDesk } from "./keys.svelte";
import { LiveFeed } from "./live.svelte";
import { Prefs } from "./prefs.svelte";
import { QueryCache } from "./query.svelte";
import { ReplayDesk } from "./replays.svelte";
import { Router } from "./router.svelte";
import { SessionStore } from "./session.svelte";
import { Toasts } from "./toasts.svelte";

export interface App {
  api: Api;
  cache: QueryCache;
  checklist: Checklist;
  clock: Clock;
  directory: Directory;
  keys: KeyDesk;
  live: LiveFeed;
  prefs: Prefs;
  replays: ReplayDesk;
  router: Router;
  session: SessionStore;
  toasts: Toasts;
  /** Opens the feeds; returns the way to close them. */
  start(): () => void;
}

export function createApp(host: Host): App {
  const api = endpoints(new Client(host));
  const live = new LiveFeed(api);
  const prefs = new Prefs();
  const cache = new QueryCache();
  const directory = new Directory(api);
  const replays = new ReplayDesk(api);
  const toasts = new Toasts();
  const checklist = new Checklist();
  const router = new Router();
  const session = new SessionStore(api, () => {
    cache.clear();
    directory.clear();
    replays.clear();
    live.restart();
    void directory.refresh();
    router.go("overview");
  });
  /** What a replay's start said, by its id: its way back ends with it. */
  const offers = new Map<string, number>();
  replays.watch.onEnd = (replay) => {
    const offer = offers.get(replay.id);
    if (offer !== undefined) toasts.dismiss(offer);
    offers.delete(replay.id);
    toasts.say(replayReport(replay));
    if (replay.delivered > 0) checklist.tick("replay");
  };
  replays.onStart = (replay) => {
    const to = replays.systemOf(replay.id);
    const what = `Replaying ${plural(replay.total, "delivery", "deliveries")}${to ? ` to ${directory.short(to)}` : ""}.`;
    if (!replays.canUndo(replay)) return;
    offers.set(replay.id, toasts.say(what, { label: "Undo", run: () => void replays.undo(replay.id) }));
  };
  replays.onRefusal = (problem) => toasts.fail(problem.message);
  const keys = new KeyDesk(() => prefs.singleKeys);
  const clock = new Clock(() => live.skewMs);
  return {
    api,
    cache,
    checklist,
    clock,
    directory,
    keys,
    live,
    prefs,
    replays,
    router,
    session,
    toasts,
    start() {
      checklist.load();
      void session.load();
      // An engine that comes back is asked again what it is.
      const anew = live.on(null, () => void (session.data ?? session.load()));
      const stops = [anew, router.start(), clock.start(), directory.start(live), replays.watch.start(live)];
      live.start();
      return () => {
        live.stop();
        for (const stop of stops) stop();
      };
    },
  };
}

export const [useApp, provideApp] = createContext<App>();
