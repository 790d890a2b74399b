/** Short words after an action, with the way back where there is one. */

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "error";
  action: { label: string; run: () => void } | null;
}

const SHOWN_MS = 8000;

export class Toasts {
  items = $state.raw<readonly Toast[]>([]);
  #next = 1;

  /** Answers its id, for whom it outlives its reason. */
  say(text: string, action: Toast["action"] = null): number {
    const id = this.#next++;
    this.#add({ id, text, tone: "plain", action });
    return id;
  }

  fail(text: string): void {
    this.#add({ id: this.#next++, text, tone: "error", action: null });
  }

  dismiss(id: number): void {
    this.items = this.items.filter((t) => t.id !== id);
  }

  /** The newest way back that is still offered. */
  undoLast(): boolean {
    const last = this.items.findLast((t) => t.action);
    if (!last?.action) return false;
    this.dismiss(last.id);
    last.action.run();
    return true;
  }

  #add(toast: Toast): void {
    this.items = [...this.items.slice(-2), toast];
    setTimeout(() => this.dismiss(toast.id), SHOWN_MS);
  }
}
