/** Replays under way and those that ended since the page was opened, as the engine tells of them. */
import type { Replay } from "../api/types";
import { isRunning } from "../domain/replays";
import type { Api } from "./endpoints";
import type { LiveFeed } from "./live.svelte";

const KEPT = 5;

export class ReplayWatch {
  /** Newest first. */
  replays = $state.raw<readonly Replay[]>([]);
  onEnd: (replay: Replay) => void = () => {};
  #dismissed = new Set<string>();
  #fetching = new Set<string>();

  constructor(private readonly api: Pick<Api, "replayOf">) {}

  start(live: LiveFeed): () => void {
    return live.on(null, (batch) => this.#follow(batch.snapshot.replays));
  }

  /** The replay that the foot of a list shows. */
  get current(): Replay | null {
    return this.replays.find(isRunning) ?? this.replays[0] ?? null;
  }

  put(replay: Replay): void {
    if (this.#dismissed.has(replay.id)) return;
    const before = this.replays.find((r) => r.id === replay.id);
    if (before && !isRunning(before)) return;
    // What had ended before this page was opened is no news.
    if (!before && !isRunning(replay) && replay.state !== "done" && replay.state !== "stopped") return;
    const others = this.replays.filter((r) => r.id !== replay.id);
    this.replays = [replay, ...others].sort((a, b) => (a.created_at < b.created_at ? 1 : -1)).slice(0, KEPT);
    if (!isRunning(replay)) this.onEnd(replay);
  }

  dismiss(id: string): void {
    this.#dismissed.add(id);
    this.replays = this.replays.filter((r) => r.id !== id);
  }

  clear(): void {
    this.replays = [];
    this.#dismissed.clear();
  }

  #follow(running: readonly Replay[]): void {
    for (const replay of running) this.put(replay);
    const named = new Set(running.map((r) => r.id));
    for (const replay of this.replays) if (isRunning(replay) && !named.has(replay.id)) void this.#fetch(replay.id);
  }

  /** It is no longer named among those that run, so it has ended: how, it says itself. */
  async #fetch(id: string): Promise<void> {
    if (this.#fetching.has(id)) return;
    this.#fetching.add(id);
    try {
      this.put(await this.api.replayOf(id));
    } catch {
      // Asked again with the next batch.
    } finally {
      this.#fetching.delete(id);
    }
  }
}
