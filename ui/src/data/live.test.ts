import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { LiveBatch } from "../api/types";
import { aBatch, T0 } from "../test/fake-backend/factories";
import { LiveFeed } from "./live.svelte";
import { Problem } from "./problem";

/** An engine that answers what it is handed, in order, and then waits for ever. */
function scripted(answers: (LiveBatch | Error)[]) {
  const cursors: (string | null)[] = [];
  return {
    cursors,
    live: (cursor: string | null) => {
      cursors.push(cursor);
      const next = answers.shift();
      if (!next) return new Promise<LiveBatch>(() => {});
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("goes on from the cursor of the batch before", async () => {
  const engine = scripted([aBatch({ cursor: "a" }), aBatch({ cursor: "b" })]);
  new LiveFeed(engine).start();
  await vi.advanceTimersByTimeAsync(500);
  expect(engine.cursors).toEqual([null, "a", "b"]);
});

it("asks at most ten times a second, however fast answers come", async () => {
  const engine = scripted(Array.from({ length: 100 }, () => aBatch()));
  new LiveFeed(engine).start();
  await vi.advanceTimersByTimeAsync(999);
  expect(engine.cursors.length).toBeLessThanOrEqual(10);
});

it("tells only those whose tags came", async () => {
  const engine = scripted([aBatch(), aBatch({ tags: ["systems"] })]);
  const feed = new LiveFeed(engine);
  const deliveries = vi.fn();
  const systems = vi.fn();
  feed.on(["deliveries"], deliveries);
  feed.on(["systems"], systems);
  feed.start();
  await vi.advanceTimersByTimeAsync(0);
  // The first batch is news to everybody.
  expect([deliveries.mock.calls.length, systems.mock.calls.length]).toEqual([1, 1]);
  await vi.advanceTimersByTimeAsync(500);
  expect([deliveries.mock.calls.length, systems.mock.calls.length]).toEqual([1, 2]);
});

it("tells everybody on a resync and after a lost engine came back", async () => {
  const engine = scripted([aBatch(), aBatch({ resync: true }), Problem.unreachable(), aBatch()]);
  const feed = new LiveFeed(engine);
  const heard = vi.fn();
  feed.on(["rejected"], heard);
  feed.start();
  await vi.advanceTimersByTimeAsync(300);
  expect(heard).toHaveBeenCalledTimes(2);
  expect(feed.status).toBe("lost");
  await vi.advanceTimersByTimeAsync(600);
  expect(heard).toHaveBeenCalledTimes(3);
  expect(feed.status).toBe("live");
});

it("keeps still while paused and goes on from where it was", async () => {
  const engine = scripted([aBatch({ cursor: "a" })]);
  const feed = new LiveFeed(engine);
  feed.start();
  await vi.advanceTimersByTimeAsync(50);
  feed.toggle();
  await vi.advanceTimersByTimeAsync(5000);
  expect(feed.status).toBe("paused");
  expect(engine.cursors).toEqual([null]);
  feed.toggle();
  await vi.advanceTimersByTimeAsync(50);
  expect(engine.cursors).toEqual([null, "a"]);
});

it("measures how far this page's clock is off", async () => {
  const feed = new LiveFeed(scripted([aBatch({ at: T0 })]), () => Date.parse(T0) - 5000);
  feed.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(feed.skewMs).toBe(5000);
});
