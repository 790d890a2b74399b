import { CHECKLIST, type StepId } from "../domain/checklist";

const KEY = "signalbox.checklist";

/** Which steps of the sandbox's way in have happened, and whether the list is still wanted. */
export class Checklist {
  done = $state.raw<ReadonlySet<StepId>>(new Set());
  shown = $state(true);

  load(): void {
    try {
      const stored = JSON.parse(localStorage.getItem(KEY) ?? "{}") as { done?: unknown; shown?: unknown };
      const known = Array.isArray(stored.done) ? stored.done : [];
      this.done = new Set(CHECKLIST.map((s) => s.id).filter((id) => known.includes(id)));
      this.shown = stored.shown !== false;
    } catch {
      this.reset();
    }
  }

  tick(id: StepId): void {
    if (this.done.has(id)) return;
    this.done = new Set([...this.done, id]);
    this.#keep();
  }

  show(shown: boolean): void {
    this.shown = shown;
    this.#keep();
  }

  reset(): void {
    this.done = new Set();
    this.shown = true;
    this.#keep();
  }

  #keep(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify({ done: [...this.done], shown: this.shown }));
    } catch {
      // Kept until the page closes.
    }
  }
}
