/** One thing fetched and kept fresh: shown at once from the cache, then fetched again whenever its tags change. */
import { untrack } from "svelte";
import type { LiveTag } from "../api/types";
import type { LiveFeed } from "./live.svelte";
import { asProblem, isAbort, type Problem } from "./problem";

/** Last answers by key, so that going back to a screen does not begin with nothing. */
export class QueryCache {
  readonly #entries = new Map<string, unknown>();

  constructor(private readonly capacity = 60) {}

  get(key: string): unknown {
    return this.#entries.get(key);
  }

  set(key: string, value: unknown): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.capacity && !oldest.done) this.#entries.delete(oldest.value);
  }

  clear(): void {
    this.#entries.clear();
  }
}

export class Query<T> {
  data = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | undefined>(undefined);
  loading = $state(false);
  #refetch: () => void = () => {};

  /** Fetches now, whatever the live feed says; after an action of the person. */
  refresh(): void {
    this.#refetch();
  }

  /** Runs until the returned function is called. */
  follow(source: QuerySource, key: string, fetcher: (signal: AbortSignal) => Promise<T>, options: QueryOptions) {
    const abort = new AbortController();
    this.data = source.cache.get(key) as T | undefined;
    this.problem = undefined;
    let running = false;
    let dirty = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let lastEnd = 0;

    const run = async () => {
      clearTimeout(timer);
      timer = undefined;
      if (running) return void (dirty = true);
      running = true;
      this.loading = this.data === undefined;
      try {
        const value = await fetcher(abort.signal);
        if (abort.signal.aborted) return;
        source.cache.set(key, value);
        this.data = value;
        this.problem = undefined;
      } catch (error) {
        if (abort.signal.aborted || isAbort(error)) return;
        this.problem = asProblem(error);
      } finally {
        running = false;
        if (!abort.signal.aborted) this.loading = false;
      }
      lastEnd = Date.now();
      if (dirty) soon();
    };
    const soon = () => {
      dirty = false;
      if (running) return void (dirty = true);
      timer ??= setTimeout(run, Math.max(0, lastEnd + (options.everyMs ?? 1000) - Date.now()));
    };

    this.#refetch = () => void run();
    const off = options.tags.length > 0 ? source.live.on(options.tags, soon) : () => {};
    void run();
    return () => {
      off();
      clearTimeout(timer);
      abort.abort();
    };
  }
}

export interface QuerySource {
  live: LiveFeed;
  cache: QueryCache;
}

export interface QueryOptions {
  tags: readonly LiveTag[];
  /** The least time between two fetches. */
  everyMs?: number;
}

/** For a component's set-up: follows while it is mounted, anew whenever the key changes; a null key fetches nothing. */
export function useQuery<T>(
  source: QuerySource,
  key: () => string | null,
  fetcher: (signal: AbortSignal) => Promise<T>,
  options: QueryOptions,
): Query<T> {
  const query = new Query<T>();
  $effect(() => {
    const current = key();
    if (current === null) {
      query.data = undefined;
      return;
    }
    // What the first run reads must not start it again.
    return untrack(() => query.follow(source, current, fetcher, options));
  });
  return query;
}
