/** An event that a person makes: its text, what would become of it, and sending it. */
import type { TestAccepted, TestDryRun } from "../api/types";
import { prettyJson } from "../domain/json";
import type { Api } from "./endpoints";
import { asProblem, type Problem } from "./problem";

const JSON_TYPE = "application/json";
/** A longer event is no start for an editor. */
const LONGEST_START = 256 * 1024;

export class TestDesk {
  /** What the editor opens with; null until it is known. */
  start = $state<string | null>(null);
  text = $state("");
  contentType = $state(JSON_TYPE);
  dryRun = $state.raw<TestDryRun | null>(null);
  accepted = $state.raw<TestAccepted | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state<"" | "load" | "try" | "send">("");
  /** The text and type that the dry run was made of. */
  #tried = $state("");

  constructor(
    private readonly api: Pick<Api, "deliveries" | "event" | "eventText" | "tryEvent" | "sendTestEvent">,
    private readonly name: string,
  ) {}

  get isJson(): boolean {
    return /[/+]json\b/.test(this.contentType);
  }

  /** What is shown is of what is written now, so that nobody sends another thing than was looked at. */
  get isFresh(): boolean {
    return this.dryRun !== null && this.#tried === this.#now;
  }

  get canSend(): boolean {
    return this.busy === "" && this.isFresh && this.dryRun !== null && this.dryRun.count > 0 && this.accepted === null;
  }

  get #now(): string {
    return `${this.contentType}\n${this.text}`;
  }

  write(text: string): void {
    this.text = text;
    this.accepted = null;
  }

  /** Begins with the last event, where it can be sent as it came; else with an empty object. */
  async load(): Promise<void> {
    let found: { text: string; type: string } | null = null;
    await this.#do("load", async () => (found = await this.#last()));
    const { text, type } = found ?? { text: "{}", type: JSON_TYPE };
    this.contentType = type;
    this.text = this.isJson ? prettyJson(text) : text;
    this.start = this.text;
  }

  async tryOut(): Promise<void> {
    const now = this.#now;
    await this.#do("try", async () => {
      this.dryRun = await this.api.tryEvent(this.name, this.text, this.contentType);
      this.#tried = now;
      this.accepted = null;
    });
  }

  async send(): Promise<void> {
    if (!this.canSend) return;
    await this.#do("send", async () => {
      this.accepted = await this.api.sendTestEvent(this.name, this.text, this.contentType);
    });
  }

  async #last(): Promise<{ text: string; type: string } | null> {
    const newest = (await this.api.deliveries(`integration:${this.name}`, null, 1)).items[0];
    if (!newest) return null;
    const [event, text] = await Promise.all([this.api.event(newest.event), this.api.eventText(newest.event)]);
    // A part of a split request is no request.
    if (text === null || event.split || event.size > LONGEST_START) return null;
    return { text, type: event.content_type ?? JSON_TYPE };
  }

  async #do(what: "load" | "try" | "send", work: () => Promise<unknown>): Promise<void> {
    if (this.busy !== "") return;
    this.busy = what;
    try {
      await work();
      this.problem = null;
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.busy = "";
    }
  }
}
