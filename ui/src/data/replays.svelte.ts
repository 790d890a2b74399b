/**
 * From "replay these" to its start, and orders to what is under way: a plan is asked for first and frozen by the engine, then
 * confirmed, then followed. Nothing is called sent or delivered before the engine says so.
 */
import type { PatchOperation, Replay, ReplayMode, ReplayPlan } from "../api/types";
import { isRunning } from "../domain/replays";
import type { Api, Scope } from "./endpoints";
import { asProblem, type Problem } from "./problem";
import { ReplayWatch } from "./replay-watch.svelte";

export interface ReplayAsk {
  scope: Scope;
  /** What it goes to, where that is one system. */
  to: string | null;
}

export interface ReplayOptions {
  mode: ReplayMode;
  rate: number;
  canary: boolean;
  newer: "skip" | "send";
}

const DEFAULTS: ReplayOptions = { mode: "remap", rate: 5, canary: true, newer: "skip" };

export class ReplayDesk {
  ask = $state.raw<ReplayAsk | null>(null);
  plan = $state.raw<ReplayPlan | null>(null);
  options = $state.raw<ReplayOptions>(DEFAULTS);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  /** Those under way and how they ended. */
  readonly watch: ReplayWatch;
  onStart: (replay: Replay) => void = () => {};
  /** What an order to a running replay was refused for. */
  onRefusal: (problem: Problem) => void = () => {};
  #to = new Map<string, string>();

  constructor(
    private readonly api: Pick<
      Api,
      | "planReplay"
      | "planPatch"
      | "replay"
      | "replayPatched"
      | "replayEdited"
      | "replayOf"
      | "steerReplay"
      | "undoReplay"
    >,
  ) {
    this.watch = new ReplayWatch(api);
  }

  async open(ask: ReplayAsk): Promise<void> {
    this.ask = ask;
    this.plan = null;
    this.options = DEFAULTS;
    await this.replan();
  }

  close(): void {
    this.ask = null;
    this.plan = null;
    this.problem = null;
  }

  /** A change of what is sent, or of who is skipped, is another set: the plan is made anew. */
  async choose(changes: Partial<ReplayOptions>): Promise<void> {
    this.options = { ...this.options, ...changes };
    await this.replan();
  }

  async replan(): Promise<void> {
    const ask = this.ask;
    if (!ask) return;
    await this.#try(async () => {
      const plan = await this.api.planReplay({ ...ask.scope, ...this.options });
      if (this.ask === ask) this.plan = plan;
    });
  }

  async confirm(): Promise<boolean> {
    const plan = this.plan;
    if (!plan || this.busy || plan.count === 0) return false;
    const { rate, canary, mode, newer } = this.options;
    const to = this.ask?.to ?? null;
    const started = await this.#started(() => this.api.replay({ plan: plan.plan, rate, canary, mode, newer }), to);
    if (started) this.close();
    return started;
  }

  /** One delivery with bytes that a person has changed. */
  sendEdited(id: string, body: string, to: string): Promise<boolean> {
    return this.#started(() => this.api.replayEdited(id, body), to);
  }

  /** A dry run of one edit for many: null where it was refused, and then `problem` says why. */
  async planPatch(filter: string, patch: readonly PatchOperation[]): Promise<ReplayPlan | null> {
    let plan: ReplayPlan | null = null;
    await this.#try(async () => void (plan = await this.api.planPatch(filter, patch)));
    return plan;
  }

  sendPatched(plan: string, patch: readonly PatchOperation[], canary: boolean, to: string): Promise<boolean> {
    return this.#started(() => this.api.replayPatched(plan, patch, DEFAULTS.rate, canary), to);
  }

  async steer(id: string, verb: "pause" | "resume" | "cancel"): Promise<void> {
    await this.#order(async () => this.watch.put(await this.api.steerReplay(id, verb)));
  }

  /** Something is left that can be as it was: what has not gone, and what died again. */
  canUndo(replay: Replay): boolean {
    return isRunning(replay) || replay.dead > 0;
  }

  async undo(id: string): Promise<void> {
    await this.#order(async () => {
      await this.api.undoReplay(id);
      this.watch.put(await this.api.replayOf(id));
    });
  }

  clear(): void {
    this.close();
    this.watch.clear();
  }

  /** The system that a replay started here goes to; the engine's replays know only their deliveries. */
  systemOf(id: string): string | null {
    return this.#to.get(id) ?? null;
  }

  #started(send: () => Promise<Replay>, to: string | null): Promise<boolean> {
    return this.#try(async () => {
      const { id } = await send();
      if (to) this.#to.set(id, to);
      const replay = await this.api.replayOf(id);
      this.watch.put(replay);
      this.onStart(replay);
    });
  }

  async #order(work: () => Promise<void>): Promise<void> {
    if (!(await this.#try(work)) && this.problem) this.onRefusal(this.problem);
  }

  async #try(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    try {
      await work();
      this.problem = null;
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
