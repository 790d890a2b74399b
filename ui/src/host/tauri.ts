import { invoke } from "@tauri-apps/api/core";
import type { Host } from "./index";

/** What the command answers; the body comes as numbers or as bytes, by the way Tauri chose to carry it. */
interface CommandAnswer {
  status: number;
  headers: Record<string, string> | [string, string][];
  body: number[] | Uint8Array | ArrayBuffer;
}

export function tauriHost(): Host {
  return {
    kind: "window",
    async request(method, path, headers, body, signal) {
      const bytes = body === null ? null : Array.from(new TextEncoder().encode(body));
      const answer = await abandonable(invoke<CommandAnswer>("request", { method, path, headers, body: bytes }), signal);
      const pairs = Array.isArray(answer.headers) ? answer.headers : Object.entries(answer.headers);
      return {
        status: answer.status,
        headers: Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value])),
        body: answer.body instanceof Uint8Array ? answer.body : new Uint8Array(answer.body),
      };
    },
  };
}

/** A command cannot be taken back, so an aborted one is left to end on its own. */
function abandonable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abandon = () => reject(new DOMException("The request was given up", "AbortError"));
    if (signal.aborted) return abandon();
    signal.addEventListener("abort", abandon, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abandon));
  });
}
