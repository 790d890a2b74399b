import { expect, it } from "vitest";
import { readFrame } from "./frame";

function frame(head: string, body: number[]): ArrayBuffer {
  const bytes = new TextEncoder().encode(head);
  const all = new Uint8Array(4 + bytes.length + body.length);
  new DataView(all.buffer).setUint32(0, bytes.length);
  all.set(bytes, 4);
  all.set(body, 4 + bytes.length);
  return all.buffer;
}

it("reads status, headers and bytes", () => {
  const answer = readFrame(frame('{"status":404,"headers":[["content-type","application/problem+json"]]}', [1, 2]));
  expect(answer.status).toBe(404);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect([...answer.body]).toEqual([1, 2]);
});

it("reads an answer without a body", () => {
  expect(readFrame(frame('{"status":204,"headers":[]}', [])).body).toHaveLength(0);
});

it("refuses an answer that ends inside its head", () => {
  const whole = frame('{"status":200,"headers":[]}', []);
  expect(() => readFrame(whole.slice(0, 10))).toThrow("ends inside its head");
  expect(() => readFrame(new ArrayBuffer(2))).toThrow("has no head");
});
