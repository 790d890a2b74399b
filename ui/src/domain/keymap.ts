/** Keys as text: `r`, `shift+x`, `mod+k` (Ctrl, or Cmd on a Mac), `g d` for two in a row. */

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const NAMED: Record<string, string> = {
  Escape: "esc",
  Enter: "enter",
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  PageUp: "pgup",
  PageDown: "pgdn",
  Home: "home",
  End: "end",
  " ": "space",
};

/** One press as text, or null for a modifier alone. A character that needs Shift (`?`) is itself, without `shift+`. */
export function pressText(e: Pressed): string | null {
  if (["Control", "Meta", "Shift", "Alt"].includes(e.key)) return null;
  const named = NAMED[e.key];
  const letter = /^[a-z]$/i.test(e.key);
  const base = named ?? (letter ? e.key.toLowerCase() : e.key);
  const shift = e.shiftKey && (named !== undefined || letter) ? "shift+" : "";
  const mod = e.ctrlKey || e.metaKey ? "mod+" : "";
  const alt = e.altKey ? "alt+" : "";
  return `${mod}${alt}${shift}${base}`;
}

/** Single keys type a character; they stay silent in a field and can be switched off. Arrows and Enter are none. */
export function isSingleKey(combo: string): boolean {
  return combo
    .split(" ")
    .some((press) => !press.includes("mod+") && !press.includes("alt+") && press.replace("shift+", "").length === 1);
}

const SHOWN: Record<string, string> = {
  esc: "Esc",
  enter: "Enter",
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  pgup: "PgUp",
  pgdn: "PgDn",
  home: "Home",
  end: "End",
  space: "Space",
};

/** A combo as a key cap shows it. */
export function shownKey(combo: string, mac: boolean): string {
  return combo
    .split(" ")
    .map((press) =>
      press
        .split("+")
        .map((part) => {
          if (part === "mod") return mac ? "⌘" : "Ctrl";
          if (part === "shift") return mac ? "⇧" : "Shift";
          return SHOWN[part] ?? part.toUpperCase();
        })
        .join(mac ? "" : " "),
    )
    .join(" then ");
}

export type Verdict = { kind: "hit"; combo: string } | { kind: "wait" } | { kind: "none" };

/** Follows chords: a first press that begins a known chord waits for the second, for one second. */
export class ChordReader {
  #first: string | null = null;
  #at = 0;

  read(press: string, now: number, known: (combo: string) => boolean, begins: (first: string) => boolean): Verdict {
    const first = this.#first;
    this.#first = null;
    if (first !== null && now - this.#at <= 1000) {
      const chord = `${first} ${press}`;
      if (known(chord)) return { kind: "hit", combo: chord };
    }
    if (begins(press)) {
      this.#first = press;
      this.#at = now;
      return { kind: "wait" };
    }
    return known(press) ? { kind: "hit", combo: press } : { kind: "none" };
  }
}
