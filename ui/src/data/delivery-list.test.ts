import { expect, it, vi } from "vitest";
import type { Delivery, DeliveryPage } from "../api/types";
import { after, aDelivery } from "../test/fake-backend/factories";
import { DeliveryList, PAGE } from "./delivery-list.svelte";
import { Problem } from "./problem";

const row = (n: number, changes: Partial<Delivery> = {}) =>
  aDelivery({ id: `dlv_${String(n).padStart(6, "0")}`, accepted_at: after(n * 1000), ...changes });
const page = (items: Delivery[], next: string | null = null): DeliveryPage => ({
  items,
  next,
  total: items.length,
  total_exact: true,
});
const ids = (list: DeliveryList) => list.rows.map((r) => r.id);

function listOver(answer: (filter: string, cursor: string | null) => DeliveryPage | Promise<DeliveryPage>) {
  return new DeliveryList({ deliveries: async (filter, cursor) => answer(filter, cursor) });
}

it("counts new rows while somebody reads, and moves none", async () => {
  let head = [row(2), row(1)];
  const list = listOver(() => page(head));
  await list.load("");
  head = [row(4, { state: "dead" }), row(3), row(2), row(1)];
  await list.refresh(false, []);
  expect(ids(list)).toEqual([row(2).id, row(1).id]);
  expect(list.fresh).toEqual({ count: 2, failed: 1, more: false });
  list.showNew();
  expect(ids(list)).toEqual([4, 3, 2, 1].map((n) => row(n).id));
  expect(list.fresh.count).toBe(0);
});

it("shows new rows at once while it follows", async () => {
  let head = [row(1)];
  const list = listOver(() => page(head));
  await list.load("");
  head = [row(2), row(1)];
  await list.refresh(true, []);
  expect(ids(list)).toEqual([row(2).id, row(1).id]);
});

it("changes a row in its place, and keeps the others as they are", async () => {
  let head = [row(2, { state: "retrying" }), row(1)];
  const list = listOver(() => page(head));
  await list.load("");
  const untouched = list.rows[1];
  head = [row(2, { state: "delivered" }), row(1)];
  await list.refresh(false, []);
  expect(list.rows[0]?.state).toBe("delivered");
  expect(list.rows[1]).toBe(untouched);
});

it("asks for visible rows that are not on the first page, but not for those that have ended", async () => {
  const asked: string[] = [];
  const old = [row(1, { state: "dead" }), row(0)];
  const list = listOver((filter) => {
    asked.push(filter);
    if (filter.startsWith("id:")) return page([row(1, { state: "delivered" })]);
    return page(asked.length === 1 ? [row(9), ...old] : [row(9)]);
  });
  await list.load("");
  await list.refresh(false, old);
  expect(asked).toEqual(["", "", `id:${row(1).id}`]);
  expect(list.rows[1]?.state).toBe("delivered");
});

it("starts over where more than a page is new", async () => {
  let head = [row(1)];
  const list = listOver(() => page(head, "more"));
  await list.load("");
  head = Array.from({ length: PAGE }, (_, i) => row(1000 - i));
  await list.refresh(false, []);
  expect(list.fresh).toMatchObject({ count: PAGE, more: true });
  list.showNew();
  expect(list.rows).toHaveLength(PAGE);
  expect(list.rows[0]?.id).toBe(row(1000).id);
});

it("reads on by cursor, and takes no row twice", async () => {
  const list = listOver((_, cursor) => (cursor ? page([row(2), row(1)]) : page([row(3), row(2)], "c")));
  await list.load("");
  await list.more();
  expect(ids(list)).toEqual([3, 2, 1].map((n) => row(n).id));
  expect(list.hasMore).toBe(false);
});

it("keeps its rows when a filter is wrong, and says so", async () => {
  const wrong = new Problem(400, "invalid-filter", "'ded' is not a state", "dead");
  const list = listOver((filter) => {
    if (filter) throw wrong;
    return page([row(1)]);
  });
  await list.load("");
  await list.load("state:ded");
  expect(list.problem).toBe(wrong);
  expect(ids(list)).toEqual([row(1).id]);
});

it("shows the answer to the last filter, whichever comes first", async () => {
  const answers = new Map<string, (p: DeliveryPage) => void>();
  const list = listOver((filter) => new Promise((resolve) => answers.set(filter, resolve)));
  const first = list.load("state:dead");
  const second = list.load("state:held");
  await vi.waitFor(() => expect(answers.size).toBe(2));
  answers.get("state:held")?.(page([row(2)]));
  answers.get("state:dead")?.(page([row(1)]));
  await Promise.all([first, second]);
  expect(ids(list)).toEqual([row(2).id]);
});
