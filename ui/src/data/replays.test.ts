import { expect, it, vi } from "vitest";
import type { Replay, ReplayRequest } from "../api/types";
import { aBatch, aPlan, aReplay, aSnapshot } from "../test/fake-backend/factories";
import { LiveFeed } from "./live.svelte";
import { Problem } from "./problem";
import { ReplayDesk } from "./replays.svelte";

function desk(changes: Partial<ConstructorParameters<typeof ReplayDesk>[0]> = {}) {
  const sent: ReplayRequest[] = [];
  const planned: ReplayRequest[] = [];
  const api = {
    planReplay: async (request: ReplayRequest) => {
      planned.push(request);
      return aPlan();
    },
    replay: async (request: ReplayRequest) => {
      sent.push(request);
      return aReplay();
    },
    planPatch: async () => aPlan({ patch: { fits: 36, misfits: 3, checked: 39, examples: [] } }),
    replayPatched: async () => aReplay(),
    undoReplay: async () => aReplay({ state: "cancelled" }),
    replayEdited: async () => aReplay(),
    replayOf: async () => aReplay(),
    steerReplay: async () => aReplay({ state: "paused" }),
    ...changes,
  };
  return { desk: new ReplayDesk(api), sent, planned };
}

/** A live feed that a test moves by hand. */
function feed() {
  const answers: ((replays: Replay[]) => void)[] = [];
  const live = new LiveFeed({
    live: () =>
      new Promise((resolve) => answers.push((replays) => resolve(aBatch({ snapshot: aSnapshot({ replays }) })))),
  });
  live.start();
  return {
    live,
    tell: (replays: Replay[]) =>
      vi.waitFor(() => expect(answers.length).toBeGreaterThan(0)).then(() => answers.shift()?.(replays)),
  };
}

it("sends the frozen plan and not the filter that it was made of", async () => {
  const { desk: replays, sent, planned } = desk();
  await replays.open({ scope: { filter: "group:grp_1" }, to: "hubspot" });
  expect(planned[0]).toMatchObject({ filter: "group:grp_1", newer: "skip" });
  expect(await replays.confirm()).toBe(true);
  expect(sent).toEqual([{ plan: "pln_01kajq", rate: 5, canary: true, mode: "remap", newer: "skip" }]);
  expect(replays.ask).toBeNull();
  expect(replays.watch.current?.id).toBe("rpl_01kajq");
  expect(replays.systemOf("rpl_01kajq")).toBe("hubspot");
});

it("sends nothing without a plan, nor an empty one", async () => {
  const { desk: replays, sent } = desk({ planReplay: async () => aPlan({ count: 0 }) });
  expect(await replays.confirm()).toBe(false);
  await replays.open({ scope: { ids: ["dlv_1"] }, to: null });
  expect(await replays.confirm()).toBe(false);
  expect(sent).toEqual([]);
});

it("plans anew when another set is wanted", async () => {
  const { desk: replays, planned } = desk();
  await replays.open({ scope: { ids: ["dlv_1"] }, to: null });
  await replays.choose({ newer: "send" });
  expect(planned.map((p) => p.newer)).toEqual(["skip", "send"]);
});

it("says why a plan was refused and stays open", async () => {
  const refusal = new Problem(400, "empty", "Nothing of this is dead.");
  const { desk: replays } = desk({ planReplay: () => Promise.reject(refusal) });
  await replays.open({ scope: { ids: ["dlv_1"] }, to: null });
  expect(replays.problem).toBe(refusal);
  expect(replays.ask).not.toBeNull();
});

it("ignores the plan of a question that was closed meanwhile", async () => {
  let answer: (plan: ReturnType<typeof aPlan>) => void = () => {};
  const { desk: replays } = desk({ planReplay: () => new Promise((resolve) => (answer = resolve)) });
  const opening = replays.open({ scope: { ids: ["dlv_1"] }, to: null });
  replays.close();
  answer(aPlan());
  await opening;
  expect(replays.plan).toBeNull();
});

it("reports the end once, also when the live feed no longer names the replay", async () => {
  const ends: string[] = [];
  const { desk: replays } = desk({ replayOf: async () => aReplay({ state: "done", delivered: 40, dead: 0 }) });
  replays.watch.onEnd = (r) => ends.push(`${r.state} ${r.delivered}`);
  const { live, tell } = feed();
  replays.watch.start(live);
  await tell([aReplay()]);
  await vi.waitFor(() => expect(replays.watch.current?.state).toBe("running"));
  await tell([]);
  await vi.waitFor(() => expect(ends).toEqual(["done 40"]));
  await tell([]);
  await vi.waitFor(() => expect(replays.watch.current?.state).toBe("done"));
  expect(ends).toEqual(["done 40"]);
  live.stop();
});

it("offers the way back while something can still be as it was", () => {
  const { desk: replays } = desk();
  expect(replays.canUndo(aReplay({ state: "running", dead: 0 }))).toBe(true);
  expect(replays.canUndo(aReplay({ state: "done", dead: 2 }))).toBe(true);
  expect(replays.canUndo(aReplay({ state: "done", dead: 0 }))).toBe(false);
});

it("says why an order was refused", async () => {
  const refusal = new Problem(409, "not-undoable", "All of it has been delivered.");
  const said: string[] = [];
  const { desk: replays } = desk({ undoReplay: () => Promise.reject(refusal) });
  replays.onRefusal = (problem) => said.push(problem.message);
  await replays.undo("rpl_01kajq");
  expect(said).toEqual(["All of it has been delivered."]);
});

it("tells that a replay has begun, so that it can be taken back", async () => {
  const { desk: replays } = desk();
  const begun: string[] = [];
  replays.onStart = (r) => begun.push(r.id);
  await replays.open({ scope: { ids: ["dlv_1"] }, to: null });
  await replays.confirm();
  expect(begun).toEqual(["rpl_01kajq"]);
});
