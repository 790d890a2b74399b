/**
 * The one door to the engine. In the window it is a Tauri command into the same router, in a browser it is HTTP; nothing
 * else in the panel knows which.
 */
import { browserHost } from "./browser";
import { tauriHost } from "./tauri";

export interface HostResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface Host {
  kind: "window" | "browser";
  /** Rejects only when no answer came at all. `signal` gives up waiting; it does not undo the request. */
  request(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | null,
    signal?: AbortSignal,
  ): Promise<HostResponse>;
}

export function detectHost(): Host {
  return "__TAURI_INTERNALS__" in window ? tauriHost() : browserHost();
}
