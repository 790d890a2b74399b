import type { Host } from "../../host";
import type { FakeBackend } from "./backend";

/** A host that asks the fake backend in the same process. */
export function fakeHost(backend: FakeBackend): Host {
  return {
    kind: "browser",
    async request(method, path, _headers, body, signal) {
      if (path.includes("/live")) await nextChange(backend, path, signal);
      const { status, body: answer } = backend.handle(method, path, body === null ? null : JSON.parse(body));
      return { status, headers: {}, body: new TextEncoder().encode(status === 204 ? "" : JSON.stringify(answer)) };
    },
  };
}

async function nextChange(backend: FakeBackend, path: string, signal?: AbortSignal): Promise<void> {
  const cursor = new URL(path, "http://localhost").searchParams.get("cursor");
  while (cursor === String(backend.world.version) && !signal?.aborted) await new Promise((r) => setTimeout(r, 5));
  if (signal?.aborted) throw new DOMException("given up", "AbortError");
}
