/** Which rows are meant. The ids stay chosen whatever the list does meanwhile. */

export class Selection {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  /** Everything that the filter matches, loaded or not. */
  allMatching = $state(false);
  #anchor: string | null = null;

  get any(): boolean {
    return this.allMatching || this.ids.size > 0;
  }

  has(id: string): boolean {
    return this.allMatching || this.ids.has(id);
  }

  toggle(id: string): void {
    const ids = new Set(this.ids);
    if (!ids.delete(id)) ids.add(id);
    this.ids = ids;
    this.allMatching = false;
    this.#anchor = id;
  }

  /** From the row chosen last to this one, in the order of the list. */
  extend(id: string, order: readonly string[]): void {
    const from = order.indexOf(this.#anchor ?? id);
    const to = order.indexOf(id);
    if (from < 0 || to < 0) return this.toggle(id);
    this.ids = new Set([...this.ids, ...order.slice(Math.min(from, to), Math.max(from, to) + 1)]);
    this.allMatching = false;
  }

  /** The loaded rows first; asked again, all that match. */
  all(order: readonly string[]): void {
    const loaded = order.length > 0 && order.every((id) => this.ids.has(id));
    this.ids = new Set(order);
    if (loaded) this.allMatching = true;
  }

  clear(): void {
    this.ids = new Set();
    this.allMatching = false;
    this.#anchor = null;
  }
}
