/** Titles of systems and integrations by name, for every row that carries only the name. */
import type { Integration, System } from "../api/types";
import { plainTitle } from "../domain/format";
import type { Api } from "./endpoints";
import type { LiveFeed } from "./live.svelte";

export class Directory {
  systems = $state.raw<readonly System[]>([]);
  integrations = $state.raw<readonly Integration[]>([]);
  #titles = $derived(new Map(this.systems.map((s) => [s.name, s.title])));
  #flows = $derived(new Map(this.integrations.map((i) => [i.name, i.title])));
  #busy = false;

  constructor(private readonly api: Pick<Api, "systems" | "integrations">) {}

  start(live: LiveFeed): () => void {
    void this.refresh();
    return live.on(["systems", "integrations"], () => void this.refresh());
  }

  async refresh(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const [systems, integrations] = await Promise.all([this.api.systems(), this.api.integrations()]);
      this.systems = systems.items;
      this.integrations = integrations.items;
    } catch {
      // Names stay as they are; the live feed says that the engine does not answer.
    } finally {
      this.#busy = false;
    }
  }

  system(name: string): string {
    return this.#titles.get(name) ?? name;
  }

  /** In rows under the SANDBOX strip, where the word would only push the name out. */
  short(name: string): string {
    return plainTitle(this.system(name));
  }

  integration(name: string): string {
    return this.#flows.get(name) ?? name;
  }

  clear(): void {
    this.systems = [];
    this.integrations = [];
  }
}
