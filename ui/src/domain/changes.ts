/** Differences by JSON Pointer, in words: what a change does to a field and how its two sides read. */
import type { FieldChange, PatchOperation } from "./types";

export type ChangeKind = "added" | "removed" | "changed";

/** A side without the field is null; so is a field whose value is null, and then the other side tells. */
export function changeKind(c: FieldChange): ChangeKind {
  if (c.from === null || c.from === undefined) return "added";
  return c.to === null || c.to === undefined ? "removed" : "changed";
}

/** A JSON Pointer, or `method`, `path`, `header:name`: `/inputs/0/properties/zip` as `inputs[0].properties.zip`; the whole document as `body`. */
export function fieldName(pointer: string): string {
  if (pointer !== "" && !pointer.startsWith("/")) return pointer.replace("header:", "header ");
  const parts = pointer
    .split("/")
    .slice(1)
    .map((p) => p.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (parts.length === 0) return "body";
  return parts.reduce((name, part) => {
    if (/^\d+$/.test(part)) return `${name}[${part}]`;
    const plain = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    return name === "" ? plain : `${name}.${plain}`;
  }, "");
}

const SHOWN = 200;

/** A value as one line: text in its quotes, so that `"1"` and `1` differ. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** One operation of a patch as a person says it. */
export function operationLine(o: PatchOperation): { verb: string; field: string; detail: string } {
  const cut = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  switch (o.op) {
    case "move":
      return {
        verb: "Rename",
        field: fieldName(o.from ?? ""),
        detail: `to ${fieldName(o.path)}, each keeps its own value`,
      };
    case "remove":
      return { verb: "Remove", field: fieldName(o.path), detail: "" };
    case "add":
      return { verb: "Add", field: fieldName(o.path), detail: cut(o.value ?? "") };
    case "replace":
      return { verb: "Set", field: fieldName(o.path), detail: `to ${cut(o.value ?? "")}` };
  }
}
