/** An integration's files under change: what was read, what is written, what it would have done, and saving it. */
import type { WorkspaceProblem, FileText, Preview } from "../api/types";
import type { Api } from "./endpoints";
import { asProblem, type Problem } from "./problem";

export class MappingDesk {
  /** As saved, by path. */
  saved = $state.raw<readonly FileText[]>([]);
  version = $state("");
  edited = $state.raw<Readonly<Record<string, string>>>({});
  preview = $state.raw<Preview | null>(null);
  /** The texts that the preview was made of: an older one says nothing of the present text. */
  #previewed = $state.raw<Readonly<Record<string, string>>>({});
  problem = $state.raw<Problem | null>(null);
  /** Somebody saved other files meanwhile. */
  conflict = $state(false);
  busy = $state<"" | "load" | "try" | "save">("");

  constructor(
    private readonly api: Pick<Api, "files" | "preview" | "saveFiles">,
    private readonly name: string,
  ) {}

  get files(): FileText[] {
    return this.saved.map(({ path, text }) => ({ path, text: this.edited[path] ?? text }));
  }

  get changed(): boolean {
    return this.saved.some((f) => this.isChanged(f.path));
  }

  /** The preview is of what is written now. */
  get isFresh(): boolean {
    return this.preview !== null && this.files.every((f) => this.#previewed[f.path] === f.text);
  }

  get problems(): readonly WorkspaceProblem[] {
    return this.preview?.problems ?? [];
  }

  isChanged(path: string): boolean {
    const saved = this.saved.find((f) => f.path === path);
    return saved !== undefined && (this.edited[path] ?? saved.text) !== saved.text;
  }

  write(path: string, text: string): void {
    this.edited = { ...this.edited, [path]: text };
  }

  /** Reads what is saved; what was written here stays, unless it is to go. */
  async load(discard: boolean): Promise<void> {
    await this.#try("load", async () => {
      const { version, files } = await this.api.files(this.name);
      this.saved = files;
      this.version = version;
      this.conflict = false;
      if (!discard) return;
      this.edited = {};
      this.preview = null;
    });
  }

  async tryOut(last: number): Promise<void> {
    const files = this.files;
    await this.#try("try", async () => {
      this.preview = await this.api.preview(this.name, files, last);
      this.#previewed = Object.fromEntries(files.map((f) => [f.path, f.text]));
    });
  }

  async save(): Promise<boolean> {
    const files = this.files.filter((f) => this.isChanged(f.path));
    const done = await this.#try("save", async () => {
      await this.api.saveFiles(this.name, files, this.version);
    });
    if (!done) {
      this.conflict = this.problem?.status === 409;
      return false;
    }
    await this.load(true);
    return true;
  }

  async #try(what: "load" | "try" | "save", work: () => Promise<void>): Promise<boolean> {
    if (this.busy !== "") return false;
    this.busy = what;
    try {
      await work();
      this.problem = null;
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = "";
    }
  }
}
