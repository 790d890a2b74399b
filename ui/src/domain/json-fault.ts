/** Where a text that a person writes stops being JSON. The browser's own messages give no place, and no two say the same. */

export interface JsonFault {
  /** Of the first character that is wrong; the text's length where it ends too early. */
  at: number;
  /** From 1. */
  line: number;
  message: string;
}

/** What may come next; a `close` is the bracket of the innermost object or array. */
type Awaits = "value" | "value or close" | "name" | "name or close" | "colon" | "comma or close" | "end";

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
/** What a person takes for one thing, for a message. */
const WORD = /[\w.+-]+|[^]/uy;

/** Null exactly where `JSON.parse` takes the text. */
export function jsonFault(text: string): JsonFault | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    const { at, message } = firstFault(text);
    return { at, line: text.slice(0, at).split("\n").length, message };
  }
}

function firstFault(text: string): { at: number; message: string } {
  /** The brackets that close what is open, innermost last. */
  const open: string[] = [];
  let awaits: Awaits = "value";
  let comma = -1;
  for (let at = 0; ;) {
    at += lengthOf(SPACE, text, at);
    const c = text[at];
    const close = open.at(-1);
    if (c === undefined)
      return { at, message: close ? `a ${close} is missing at the end` : `${WANTED[awaits]} is missing` };
    if (awaits === "end") return { at, message: `nothing may follow, but here is ${found(text, at)}` };
    if (c === close && comma >= 0) return { at: comma, message: `a comma before the ${close} is one too many` };
    comma = -1;
    if (c === close && awaits.endsWith("close")) {
      open.pop();
      awaits = open.length > 0 ? "comma or close" : "end";
      at++;
    } else if (awaits === "comma or close") {
      if (c !== ",") return { at, message: `a comma or ${close} is missing before ${found(text, at)}` };
      comma = at++;
      awaits = close === "}" ? "name" : "value";
    } else if (awaits === "colon") {
      if (c !== ":") return { at, message: `a colon is missing before ${found(text, at)}` };
      awaits = "value";
      at++;
    } else if (c === '"') {
      const end = endOfString(text, at);
      if (typeof end !== "number") return end;
      awaits = awaits.startsWith("name") ? "colon" : after(open);
      at = end;
    } else if (awaits.startsWith("name")) {
      return { at, message: `a name in double quotes was expected, not ${found(text, at)}` };
    } else if (c === "{" || c === "[") {
      open.push(c === "{" ? "}" : "]");
      awaits = c === "{" ? "name or close" : "value or close";
      at++;
    } else {
      const length = lengthOf(SCALAR, text, at);
      // `01` and `nulls` begin like something, and are nothing.
      if (length === 0 || length < lengthOf(WORD, text, at)) return { at, message: `${found(text, at)} is no value` };
      awaits = after(open);
      at += length;
    }
  }
}

const WANTED: Record<Awaits, string> = {
  value: "a value",
  "value or close": "a value",
  name: "a name",
  "name or close": "a name",
  colon: "a colon",
  "comma or close": "a comma",
  end: "nothing",
};

function after(open: readonly string[]): Awaits {
  return open.length > 0 ? "comma or close" : "end";
}

/** The place behind its closing quote, or what is wrong with it. */
function endOfString(text: string, from: number): number | { at: number; message: string } {
  for (let at = from + 1; ;) {
    const c = text[at];
    if (c === '"') return at + 1;
    if (c === undefined || c === "\n") return { at: from, message: "a text has no closing quote" };
    if (c < " ") return { at, message: "a text holds a control character; write it as an escape such as \\t" };
    const length = c === "\\" ? lengthOf(ESCAPE, text, at) : 1;
    if (length === 0) return { at, message: `${text.slice(at, at + 2)} is no escape` };
    at += length;
  }
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

function found(text: string, at: number): string {
  const word = text.slice(at, at + lengthOf(WORD, text, at));
  return word.length > 24 ? `${word.slice(0, 24)}…` : word;
}
