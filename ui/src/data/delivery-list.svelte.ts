/**
 * The ledger as a list: newest first, paged by cursor, refreshed in place. Rows that arrive while somebody reads are counted,
 * not inserted, so that nothing moves under the cursor.
 */
import type { Delivery } from "../api/types";
import { isSettled } from "../domain/states";
import type { Api } from "./endpoints";
import { asProblem, isAbort, type Problem } from "./problem";

export const PAGE = 100;

/** The most ids in one refresh of visible rows: what fits a screen, and an address. */
const REFRESHED = 60;

export interface Fresh {
  count: number;
  failed: number;
  /** More than one page is new, so the count is a least. */
  more: boolean;
}

const NONE_FRESH: Fresh = { count: 0, failed: 0, more: false };

export class DeliveryList {
  rows = $state.raw<readonly Delivery[]>([]);
  total = $state(0);
  totalExact = $state(true);
  fresh = $state.raw<Fresh>(NONE_FRESH);
  status = $state<"loading" | "ready">("loading");
  problem = $state.raw<Problem | null>(null);
  filter = "";

  #next: string | null = null;
  #head: readonly Delivery[] = [];
  #headNext: string | null = null;
  #abort = new AbortController();
  #paging = false;
  #refreshing = false;

  constructor(private readonly api: Pick<Api, "deliveries">) {}

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Starts over with another filter. The old rows stay, dimmed, until the answer is there; a wrong filter changes nothing. */
  async load(filter: string): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.filter = filter;
    this.status = "loading";
    this.#paging = false;
    try {
      const page = await this.api.deliveries(filter, null, PAGE, signal);
      if (signal.aborted) return;
      this.rows = page.items;
      this.#next = page.next;
      this.total = page.total;
      this.totalExact = page.total_exact;
      this.fresh = NONE_FRESH;
      this.#head = page.items;
      this.problem = null;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      this.problem = asProblem(error);
    } finally {
      if (!signal.aborted) this.status = "ready";
    }
  }

  async more(): Promise<void> {
    if (this.#paging || this.#next === null || this.status === "loading") return;
    this.#paging = true;
    const { signal } = this.#abort;
    try {
      const page = await this.api.deliveries(this.filter, this.#next, PAGE, signal);
      if (signal.aborted) return;
      const known = new Set(this.rows.map((r) => r.id));
      this.rows = [...this.rows, ...page.items.filter((r) => !known.has(r.id))];
      this.#next = page.next;
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) this.problem = asProblem(error);
    } finally {
      this.#paging = false;
    }
  }

  /**
   * Takes what changed: the first page again, and the unsettled of the visible rows. With `follow` new rows are shown at
   * once, otherwise they are counted.
   */
  async refresh(follow: boolean, visible: readonly Delivery[]): Promise<void> {
    if (this.#refreshing || this.status === "loading" || this.problem?.isInput) return;
    this.#refreshing = true;
    const { signal } = this.#abort;
    try {
      const head = await this.api.deliveries(this.filter, null, PAGE, signal);
      const inHead = new Set(head.items.map((r) => r.id));
      const stale = visible.filter((r) => !inHead.has(r.id) && !isSettled(r.state)).slice(0, REFRESHED);
      const ids = stale.map((r) => r.id).join(",");
      const others = ids ? (await this.api.deliveries(`id:${ids}`, null, REFRESHED, signal)).items : [];
      if (signal.aborted) return;
      this.total = head.total;
      this.totalExact = head.total_exact;
      this.problem = null;
      this.#head = head.items;
      this.#headNext = head.next;
      this.#merge([...head.items, ...others]);
      if (follow) this.showNew();
      else this.#countNew();
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) this.problem = asProblem(error);
    } finally {
      this.#refreshing = false;
    }
  }

  /** Puts the counted rows in. Where more than a page is new, the list starts over from the newest. */
  showNew(): void {
    const newest = this.rows[0];
    const joins = newest !== undefined && this.#head.some((r) => r.id === newest.id);
    if (joins || this.#head.length === 0) {
      const known = new Set(this.rows.map((r) => r.id));
      const added = this.#head.filter((r) => !known.has(r.id));
      if (added.length > 0) this.rows = [...added, ...this.rows].sort(newestFirst);
    } else {
      this.rows = this.#head;
      this.#next = this.#headNext;
    }
    this.fresh = NONE_FRESH;
  }

  #merge(changed: readonly Delivery[]): void {
    const byId = new Map(changed.map((r) => [r.id, r]));
    let differs = false;
    const rows = this.rows.map((row) => {
      const next = byId.get(row.id);
      if (!next || same(row, next)) return row;
      differs = true;
      return next;
    });
    if (differs) this.rows = rows;
  }

  #countNew(): void {
    const known = new Set(this.rows.map((r) => r.id));
    const newest = this.rows[0];
    const added = this.#head.filter((r) => !known.has(r.id) && (!newest || newestFirst(r, newest) < 0));
    const failed = added.filter((r) => r.state === "dead" || r.state === "retrying").length;
    this.fresh = { count: added.length, failed, more: added.length === PAGE };
  }
}

function newestFirst(a: Delivery, b: Delivery): number {
  if (a.accepted_at !== b.accepted_at) return a.accepted_at < b.accepted_at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

function same(a: Delivery, b: Delivery): boolean {
  return (
    a.state === b.state &&
    a.reason === b.reason &&
    a.attempts === b.attempts &&
    a.status === b.status &&
    a.due_at === b.due_at &&
    a.revision === b.revision
  );
}
