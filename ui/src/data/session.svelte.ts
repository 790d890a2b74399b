import type { Session } from "../api/types";
import type { Api } from "./endpoints";
import { asProblem, type Problem } from "./problem";

/** Which workspace is open, and the sandbox's comings and goings. */
export class SessionStore {
  data = $state.raw<Session | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** The sandbox is being started, left or deleted. */
  busy = $state(false);

  constructor(
    private readonly api: Api,
    /** Called once another workspace is open: nothing shown until then is true any more. */
    private readonly changed: () => void,
  ) {}

  async load(): Promise<void> {
    await this.#try(async () => (this.data = await this.api.session()));
  }

  async startSandbox(): Promise<void> {
    await this.#switch(() => this.api.startSandbox());
  }

  async leaveSandbox(): Promise<void> {
    await this.#switch(() => this.api.leaveSandbox());
  }

  async deleteSandbox(): Promise<void> {
    await this.#switch(async () => {
      await this.api.deleteSandbox();
      return this.api.session();
    });
  }

  async #switch(work: () => Promise<Session>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    await this.#try(async () => {
      this.data = await work();
      this.changed();
    });
    this.busy = false;
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}
