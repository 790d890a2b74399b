/** What the person prefers on this computer. Not part of the workspace. */
import type { Zone } from "../domain/format";
import type { OverviewWindow } from "../domain/types";

export type Theme = "system" | "light" | "dark";

interface Stored {
  theme: Theme;
  zone: Zone;
  singleKeys: boolean;
  window: OverviewWindow | null;
}

const KEY = "signalbox.prefs";
const DEFAULTS: Stored = { theme: "system", zone: "local", singleKeys: true, window: null };

export class Prefs {
  theme = $state<Theme>(DEFAULTS.theme);
  zone = $state<Zone>(DEFAULTS.zone);
  singleKeys = $state(DEFAULTS.singleKeys);
  /** Null until chosen: the sandbox begins with a quarter of an hour, a real workspace with an hour. */
  window = $state<OverviewWindow | null>(DEFAULTS.window);
  #systemDark = $state(false);

  get dark(): boolean {
    return this.theme === "system" ? this.#systemDark : this.theme === "dark";
  }

  /** Loads what is stored, and applies the theme before the first paint. */
  start(): void {
    Object.assign(this, load());
    const media = matchMedia("(prefers-color-scheme: dark)");
    this.#systemDark = media.matches;
    media.addEventListener("change", (e) => {
      this.#systemDark = e.matches;
      this.apply();
    });
    this.apply();
  }

  change(changes: Partial<Stored>): void {
    Object.assign(this, changes);
    const { theme, zone, singleKeys, window } = this;
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme, zone, singleKeys, window }));
    } catch {
      // A browser that keeps nothing still shows what was chosen until it is closed.
    }
    this.apply();
  }

  private apply(): void {
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  }
}

function load(): Partial<Stored> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? { ...DEFAULTS, ...value } : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}
