import { plural } from "../domain/format";
import type { Api, Scope } from "./endpoints";
import { asProblem } from "./problem";
import type { Toasts } from "./toasts.svelte";

/** Discards, and offers the way back for as long as the toast stands. */
export async function discardWithUndo(api: Api, toasts: Toasts, scope: Scope): Promise<boolean> {
  try {
    const { id, count } = await api.discard(scope, "discarded in the panel");
    toasts.say(`Discarded ${plural(count, "delivery", "deliveries")}.`, {
      label: "Undo",
      run: () => void undo(api, toasts, id),
    });
    return true;
  } catch (error) {
    toasts.fail(asProblem(error).message);
    return false;
  }
}

async function undo(api: Api, toasts: Toasts, id: string): Promise<void> {
  try {
    const { restored, superseded } = await api.undoDiscard(id);
    const overtaken = superseded === 0 ? "" : ` ${superseded} superseded: something newer was delivered.`;
    toasts.say(`${plural(restored, "delivery", "deliveries")} as before.${overtaken}`);
  } catch (error) {
    toasts.fail(asProblem(error).message);
  }
}
