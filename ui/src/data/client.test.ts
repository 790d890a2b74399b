import { expect, it } from "vitest";
import type { Host } from "../host";
import { Client } from "./client";
import { endpoints } from "./endpoints";
import { Problem } from "./problem";

function hostAnswering(status: number, text: string) {
  const seen: { method: string; path: string; headers: Record<string, string>; body: string | null }[] = [];
  const host: Host = {
    kind: "browser",
    async request(method, path, headers, body) {
      seen.push({ method, path, headers, body });
      return { status, headers: {}, body: new TextEncoder().encode(text) };
    },
  };
  return { api: endpoints(new Client(host)), seen };
}

it("leaves empty parameters out and escapes the others", async () => {
  const { api, seen } = hostAnswering(200, '{"items":[],"next":null,"total":0,"total_exact":true}');
  await api.deliveries("key:a b&c", null, 100);
  expect(seen[0]?.path).toBe("/api/v1/deliveries?filter=key%3Aa+b%26c&limit=100");
  expect(seen[0]?.body).toBeNull();
});

it("escapes names in the path", async () => {
  const { api, seen } = hostAnswering(200, "{}");
  await api.faults("../session");
  expect(seen[0]?.path).toBe("/api/v1/sandbox/systems/..%2Fsession/faults");
});

it("sends an edited body digit for digit", async () => {
  const { api, seen } = hostAnswering(202, '{"id":"rpl_1"}');
  await api.replayEdited("dlv_1", '{"n":9007199254740993}');
  expect(seen[0]?.body).toBe('{"ids":["dlv_1"],"edit":{"n":9007199254740993}}');
});

it("turns a problem document into an error for a person", async () => {
  const { api } = hostAnswering(
    400,
    '{"status":400,"code":"invalid-filter","title":"The filter is wrong","detail":"no","suggestion":"dead"}',
  );
  const error = await api.overview("1h").catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({ code: "invalid-filter", message: "no", suggestion: "dead", isInput: true });
});

it("has a sentence for an answer that is no problem document", async () => {
  const { api } = hostAnswering(502, "<html>");
  await expect(api.overview("1h")).rejects.toThrow("answered 502 without saying why");
});

it("says that the engine does not answer, and passes an abort on", async () => {
  const host = (error: Error): Host => ({ kind: "browser", request: () => Promise.reject(error) });
  await expect(new Client(host(new TypeError("fetch"))).get("session")).rejects.toMatchObject({ code: "unreachable" });
  const abort = new DOMException("given up", "AbortError");
  await expect(new Client(host(abort)).get("session")).rejects.toBe(abort);
});

it("gives an event's bytes as they are where they are text, and nothing where they are none", async () => {
  expect(await hostAnswering(200, '{"n": 1.10}').api.eventText("evt_1")).toBe('{"n": 1.10}');
  const host: Host = {
    kind: "browser",
    request: () => Promise.resolve({ status: 200, headers: {}, body: new Uint8Array([0xff, 0xfe, 0x00]) }),
  };
  expect(await endpoints(new Client(host)).eventText("evt_1")).toBeNull();
});

it("takes an answer without a body", async () => {
  const { api } = hostAnswering(204, "");
  await expect(api.deleteSandbox()).resolves.toBeUndefined();
});
