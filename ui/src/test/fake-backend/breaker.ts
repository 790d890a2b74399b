/** A breaker as the panel sees one: it counts what failed lately, opens, and lets a probe through after a while. */
import type { Breaker, BreakerOrder, BreakerState } from "../../domain/types";
import { clock } from "../../domain/format";
import { aBreaker } from "./factories";

const WINDOW_MS = 30_000;
const MINIMUM = 20;
const OPEN_MS = 30_000;

export class FakeBreaker {
  order: BreakerOrder = "auto";
  #state: "closed" | "open" | "half-open" = "closed";
  #since: number | null = null;
  #why: string | null = null;
  #calls: { at: number; failed: boolean }[] = [];

  constructor(readonly title: string) {}

  get state(): BreakerState {
    return this.order === "open" ? "held-open" : this.order === "closed" ? "forced-closed" : this.#state;
  }

  get passes(): boolean {
    return this.state === "closed" || this.state === "forced-closed";
  }

  command(order: BreakerOrder, now: number, reason: string | null): void {
    this.order = order;
    this.#since = now;
    this.#why =
      order === "auto"
        ? null
        : `A person ${order === "open" ? "holds" : "forces"} it ${order}${reason ? `: ${reason}` : ""}.`;
    if (order === "auto") this.#close(now);
  }

  record(now: number, failed: boolean): void {
    this.#calls.push({ at: now, failed });
    this.#calls = this.#calls.filter((c) => c.at > now - WINDOW_MS);
    if (this.#state === "half-open") return failed ? this.#open(now, "the probe failed") : this.#close(now);
    const bad = this.#calls.filter((c) => c.failed).length;
    if (this.#state === "closed" && this.#calls.length >= MINIMUM && bad >= this.#calls.length / 2)
      this.#open(now, `${bad} of ${this.#calls.length} failed`);
  }

  /** True once a probe may go. */
  tick(now: number): boolean {
    if (this.#state !== "open" || now < (this.#since ?? now) + OPEN_MS) return false;
    this.#state = "half-open";
    this.#since = now;
    return true;
  }

  shown(now: number, waiting: number): Breaker {
    const calls = this.#calls.filter((c) => c.at > now - WINDOW_MS);
    return aBreaker({
      state: this.state,
      reason: this.#why,
      since: this.#since === null ? null : new Date(this.#since).toISOString(),
      next_probe_at: this.state === "open" ? new Date((this.#since ?? now) + OPEN_MS).toISOString() : null,
      waiting: this.passes ? 0 : waiting,
      calls: calls.length,
      failures: calls.filter((c) => c.failed).length,
    });
  }

  #open(now: number, why: string): void {
    this.#state = "open";
    this.#since = now;
    this.#why = `It opened at ${clock(new Date(now).toISOString(), "local")} after ${why}.`;
  }

  #close(now: number): void {
    this.#state = "closed";
    this.#since = now;
    this.#why = null;
    this.#calls = [];
  }
}
