/**
 * The live feed: one long poll after another, resumed by cursor. Whoever shows something subscribes to tags and fetches it
 * again when one of them comes. At most ten batches a second reach the screen.
 */
import type { LiveBatch, LiveSnapshot, LiveTag } from "../api/types";
import type { Api } from "./endpoints";
import { isAbort } from "./problem";

export type LiveStatus = "connecting" | "live" | "paused" | "lost";
export type Listener = (batch: LiveBatch) => void;

const WAIT_SECONDS = 25;
const LEAST_GAP_MS = 100;
const RETRY_MS = [500, 1000, 2000, 5000];

export class LiveFeed {
  status = $state<LiveStatus>("connecting");
  snapshot = $state.raw<LiveSnapshot | null>(null);
  /** The engine's clock less this page's, so that "12 s ago" holds on a machine whose clock is off. */
  skewMs = $state(0);

  #cursor: string | null = null;
  #listeners = new Map<Listener, ReadonlySet<LiveTag> | null>();
  #abort: AbortController | null = null;

  constructor(
    private readonly api: Pick<Api, "live">,
    private readonly now: () => number = Date.now,
  ) {}

  /** `tags` null hears every batch. Returns the way to stop. */
  on(tags: readonly LiveTag[] | null, listener: Listener): () => void {
    this.#listeners.set(listener, tags && new Set(tags));
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    void this.#loop(abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** After a change of workspace nothing that was held is true any more. */
  restart(): void {
    this.stop();
    this.#cursor = null;
    this.snapshot = null;
    this.status = "connecting";
    this.start();
  }

  toggle(): void {
    if (this.status === "paused") this.start();
    else {
      this.stop();
      this.status = "paused";
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const batch = await this.api.live(this.#cursor, WAIT_SECONDS, signal);
        if (signal.aborted) return;
        const back = failures > 0 || this.#cursor === null;
        failures = 0;
        this.#take(back ? { ...batch, resync: true } : batch);
        await pause(LEAST_GAP_MS, signal);
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        this.status = "lost";
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000, signal);
        failures++;
      }
    }
  }

  #take(batch: LiveBatch): void {
    this.#cursor = batch.cursor;
    this.status = "live";
    this.snapshot = batch.snapshot;
    this.skewMs = Date.parse(batch.at) - this.now();
    for (const [listener, tags] of [...this.#listeners]) {
      if (batch.resync || tags === null || batch.tags.some((t) => tags.has(t))) listener(batch);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
