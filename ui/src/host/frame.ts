/**
 * The window's command answers with one run of bytes: the length of the head (four bytes, big endian), the head as JSON, the body.
 * `src-tauri/src/desktop/frame.rs` writes it.
 */
import type { HostResponse } from "./index";

interface Head {
  status: number;
  headers: [name: string, value: string][];
}

export function readFrame(frame: ArrayBuffer): HostResponse {
  if (frame.byteLength < 4) throw new Error("the window's answer has no head");
  const length = new DataView(frame).getUint32(0);
  if (4 + length > frame.byteLength) throw new Error("the window's answer ends inside its head");
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, 4, length))) as Head;
  return { status: head.status, headers: Object.fromEntries(head.headers), body: new Uint8Array(frame, 4 + length) };
}
