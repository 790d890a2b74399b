import { breakerChoice, standingOrder } from "../domain/breakers";
import type { BreakerOrder, System } from "../domain/types";
import type { App } from "./app";
import { asProblem } from "./problem";

const DONE: Record<BreakerOrder, (title: string) => string> = {
  open: (title) => `${title}'s breaker is held open. What arrives for it waits.`,
  closed: (title) => `${title}'s breaker is forced closed.`,
  auto: (title) => `${title}'s breaker is automatic again.`,
};

/** Gives the order, and offers the way back to the one before it for as long as the toast stands. */
export async function orderBreaker(
  { api, toasts }: Pick<App, "api" | "toasts">,
  system: System,
  order: BreakerOrder,
  reason: string | null,
  ondone: () => void,
): Promise<boolean> {
  const before = standingOrder(system.breaker.state);
  const give = async (next: BreakerOrder, why: string | null) => {
    try {
      await api.setBreaker(system.name, next, why);
      ondone();
      return true;
    } catch (error) {
      toasts.fail(asProblem(error).message);
      return false;
    }
  };
  if (!(await give(order, reason))) return false;
  toasts.say(DONE[order](system.title), {
    label: "Undo",
    run: () => void give(before, `undid: ${breakerChoice(order).verb.toLowerCase()}`),
  });
  return true;
}

/** Pauses a system, or lets a paused one go on. */
export async function togglePause({ api, toasts }: Pick<App, "api" | "toasts">, system: System): Promise<void> {
  try {
    await (system.paused ? api.resumeSystem(system.name) : api.pauseSystem(system.name));
  } catch (error) {
    toasts.fail(asProblem(error).message);
  }
}
