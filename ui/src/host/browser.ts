import type { Host } from "./index";

export function browserHost(): Host {
  return {
    kind: "browser",
    async request(method, path, headers, body, signal) {
      const response = await fetch(path, {
        method,
        headers,
        body,
        credentials: "same-origin",
        ...(signal && { signal }),
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: new Uint8Array(await response.arrayBuffer()),
      };
    },
  };
}
