/** JSON over the host: paths, bodies and problems in one place. */
import type { Host } from "../host";
import { isAbort, Problem } from "./problem";

export type Params = Record<string, string | number | null | undefined>;

const BASE = "/api/v1/";

export class Client {
  readonly #decoder = new TextDecoder();
  readonly #strict = new TextDecoder("utf-8", { fatal: true });

  constructor(private readonly host: Host) {}

  get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
    return this.send<T>("GET", path + query(params), null, signal);
  }

  post<T>(path: string, body: unknown = null): Promise<T> {
    return this.send<T>("POST", path, body === null ? null : JSON.stringify(body));
  }

  /** For a body that is JSON already and must go as it is written: digits beyond a float's keep their places. */
  postJson<T>(path: string, json: string): Promise<T> {
    return this.send<T>("POST", path, json);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>("PUT", path, JSON.stringify(body));
  }

  delete(path: string): Promise<void> {
    return this.send<void>("DELETE", path, null);
  }

  /** The answer's bytes as text; null where they are none. */
  async text(path: string, signal?: AbortSignal): Promise<string | null> {
    const body = await this.ask("GET", path, null, signal);
    try {
      return this.#strict.decode(body);
    } catch {
      return null;
    }
  }

  private async send<T>(method: string, path: string, body: string | null, signal?: AbortSignal): Promise<T> {
    const text = this.#decoder.decode(await this.ask(method, path, body, signal));
    return (text === "" ? undefined : parse(text)) as T;
  }

  /** The bytes of an answer that is no problem. */
  private async ask(method: string, path: string, body: string | null, signal?: AbortSignal): Promise<Uint8Array> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== null) headers["content-type"] = "application/json";
    let answer;
    try {
      answer = await this.host.request(method, BASE + path, headers, body, signal);
    } catch (error) {
      throw isAbort(error) ? error : Problem.unreachable();
    }
    if (answer.status >= 400) throw Problem.of(answer.status, parse(this.#decoder.decode(answer.body)));
    return answer.body;
  }
}

/** Segments come from the ledger and may hold anything. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

function query(params: Params = {}): string {
  const pairs = Object.entries(params).filter(([, v]) => v !== null && v !== undefined && v !== "");
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString()}`;
}

function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
