import type { Binding } from "../data/keys.svelte";

/** What the keys of the ledger do; false passes a key on. */
export interface LedgerActions {
  move(by: number): void;
  page(): number;
  first(): void;
  last(): void;
  open(): void | false;
  /** Opens the row's drawer or closes it; the list keeps the focus. */
  peek(): void | false;
  filterBy(): void | false;
  select(): void | false;
  extend(by: number): void;
  selectAll(): void;
  showNew(): void;
  replay(): void | false;
  discard(): void | false;
  escape(): void | false;
}

export function ledgerKeys(act: LedgerActions): Binding[] {
  const moves = (keys: string[], title: string, run: () => void): Binding => ({
    keys,
    title,
    group: "List",
    quiet: true,
    repeats: true,
    run,
  });
  return [
    moves(["j", "down"], "Next row", () => act.move(1)),
    moves(["k", "up"], "Row before", () => act.move(-1)),
    moves(["pgdn"], "Page down", () => act.move(act.page())),
    moves(["pgup"], "Page up", () => act.move(-act.page())),
    moves(["home"], "First row", () => act.first()),
    moves(["end"], "Last loaded row", () => act.last()),
    moves(["shift+x", "shift+down"], "Select to the next", () => act.extend(1)),
    moves(["shift+up"], "Select to the row before", () => act.extend(-1)),
    { keys: ["enter"], title: "Open", group: "List", quiet: true, run: () => act.open() },
    { keys: ["space"], title: "Peek, again to close", group: "List", quiet: true, run: () => act.peek() },
    { keys: ["f"], title: "Filter by what the row says", group: "List", run: () => act.filterBy() },
    { keys: ["x"], title: "Select", group: "List", quiet: true, run: () => act.select() },
    { keys: ["mod+a"], title: "Select loaded rows, again for all", group: "List", run: () => act.selectAll() },
    { keys: ["."], title: "Show new rows", group: "List", run: () => act.showNew() },
    { keys: ["r"], title: "Replay the chosen", group: "List", run: () => act.replay() },
    { keys: ["d"], title: "Discard the chosen", group: "List", run: () => act.discard() },
    { keys: ["esc"], title: "Close, then clear", group: "List", quiet: true, run: () => act.escape() },
  ];
}
