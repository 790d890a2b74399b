/**
 * JSON as a tree of its own text: numbers and strings are never parsed, so that 9007199254740993 and 1.10 go on as they were
 * written.
 */
import { tokensOf } from "./json";

export type Tree =
  | { kind: "object"; members: [name: string, value: Tree][] }
  | { kind: "array"; items: Tree[] }
  | { kind: "scalar"; text: string };

/** Null where the text is not JSON, or repeats a name within one object. */
export function treeOf(text: string): Tree | null {
  try {
    // The one full check of the grammar; the tree then only has to follow the brackets.
    JSON.parse(text);
  } catch {
    return null;
  }
  const tokens = tokensOf(text);
  if (!tokens) return null;
  let at = 0;
  const next = () => tokens[at++] ?? "";

  function value(): Tree | null {
    const token = next();
    if (token === "{") return members();
    if (token === "[") return items();
    return { kind: "scalar", text: token };
  }
  function members(): Tree | null {
    const found: [string, Tree][] = [];
    const names = new Set<string>();
    for (let token = next(); token !== "}"; token = next()) {
      if (token === ",") continue;
      const name: string = JSON.parse(token);
      if (names.has(name)) return null;
      names.add(name);
      at++; // the colon
      const member = value();
      if (!member) return null;
      found.push([name, member]);
    }
    return { kind: "object", members: found };
  }
  function items(): Tree | null {
    const found: Tree[] = [];
    while (tokens?.[at] !== "]") {
      if (tokens?.[at] === ",") at++;
      const item = value();
      if (!item) return null;
      found.push(item);
    }
    at++;
    return { kind: "array", items: found };
  }
  return value();
}

/** Compact JSON text of it. */
export function textOf(tree: Tree): string {
  switch (tree.kind) {
    case "scalar":
      return tree.text;
    case "array":
      return `[${tree.items.map(textOf).join(",")}]`;
    case "object":
      return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(",")}}`;
  }
}

/** Alike but for the order of members. */
export function sameTree(a: Tree, b: Tree): boolean {
  if (a.kind === "object" && b.kind === "object") {
    const others = new Map(b.members);
    return (
      a.members.length === b.members.length &&
      a.members.every(([name, value]) => {
        const other = others.get(name);
        return other !== undefined && sameTree(value, other);
      })
    );
  }
  if (a.kind === "array" && b.kind === "array")
    return a.items.length === b.items.length && a.items.every((item, i) => sameTree(item, b.items[i] ?? item));
  return a.kind === "scalar" && b.kind === "scalar" && a.text === b.text;
}
