import { invoke } from "@tauri-apps/api/core";
import { readFrame } from "./frame";
import type { Host } from "./index";

export function tauriHost(): Host {
  return {
    kind: "window",
    async request(method, path, headers, body, signal) {
      const command = invoke<ArrayBuffer>("request", { method, path, headers: Object.entries(headers), body });
      return readFrame(await abandonable(command, signal));
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
