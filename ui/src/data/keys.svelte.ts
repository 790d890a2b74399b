/** What the keyboard does now. Views register their keys while they are on screen; the latest asked is the first heard. */
import { ChordReader, isSingleKey, pressText } from "../domain/keymap";

export interface Binding {
  /** `r`, `mod+k`, `g d`; several for the same thing. */
  keys: string[];
  title: string;
  group: "Go" | "List" | "Delivery" | "Dead letters" | "System" | "Mapping" | "Window";
  /** Returning false passes the key on to whoever registered before. */
  run: () => void | false;
  /** The key may repeat while held, as for moving. */
  repeats?: boolean;
  /** Heard inside fields too. */
  inFields?: boolean;
  /** Not offered in the palette, such as a movement. */
  quiet?: boolean;
}

export class KeyDesk {
  // Not state: whoever shows the bindings asks when it opens, and registering happens inside effects.
  layers: readonly (readonly Binding[])[] = [];
  #chords = new ChordReader();

  constructor(private readonly singleKeys: () => boolean = () => true) {}

  register(bindings: readonly Binding[]): () => void {
    this.layers = [...this.layers, bindings];
    return () => {
      this.layers = this.layers.filter((l) => l !== bindings);
    };
  }

  /** Everything that can be done now, each once, the nearest first. */
  get all(): Binding[] {
    return [...this.layers].reverse().flat();
  }

  handle(e: KeyboardEvent): void {
    if (e.defaultPrevented || e.isComposing || modalIsOpen()) return;
    const press = pressText(e);
    if (press === null) return;
    const target = e.composedPath()[0];
    const typing = target instanceof HTMLElement && isField(target);
    const acts = (press === "enter" || press === "space") && target instanceof HTMLElement && isControl(target);
    if (acts) return;
    const hears = (b: Binding, combo: string) =>
      b.keys.includes(combo) &&
      (!e.repeat || b.repeats === true) &&
      (!typing || b.inFields === true) &&
      (this.singleKeys() || !isSingleKey(combo));
    const bindings = this.all;
    const verdict = this.#chords.read(
      press,
      e.timeStamp,
      (combo) => bindings.some((b) => hears(b, combo)),
      (first) => !typing && this.singleKeys() && bindings.some((b) => b.keys.some((k) => k.startsWith(`${first} `))),
    );
    if (verdict.kind !== "hit") return;
    for (const binding of bindings) {
      if (hears(binding, verdict.combo) && binding.run() !== false) {
        e.preventDefault();
        return;
      }
    }
  }
}

/** For a component's set-up: these keys hold while it is mounted. */
export function useKeys(desk: KeyDesk, bindings: readonly Binding[]): void {
  $effect(() => desk.register(bindings));
}

function isField(el: HTMLElement): boolean {
  if (el.isContentEditable || el instanceof HTMLTextAreaElement || el instanceof HTMLSelectElement) return true;
  return el instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(el.type);
}

/** Enter and Space on these already mean something. */
function isControl(el: HTMLElement): boolean {
  return el.closest("button, a[href], summary, [role=menuitem], [role=switch], input[type=checkbox]") !== null;
}

function modalIsOpen(): boolean {
  return document.querySelector("dialog[open][data-modal]") !== null;
}
