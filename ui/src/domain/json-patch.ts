/** From an edit to the RFC 6902 operations that do the same to other bodies. */
import { sameTree, textOf, type Tree, treeOf } from "./json-tree";
import type { PatchOperation } from "./types";

/** What turns `before` into `after`; null where one of them is not JSON. */
export function patchBetween(before: string, after: string): PatchOperation[] | null {
  const from = treeOf(before);
  const to = treeOf(after);
  if (!from || !to) return null;
  const found: PatchOperation[] = [];
  compare(from, to, "", found);
  return renames(found, from);
}

/** The operations as JSON text; values go as they were written. */
export function patchText(patch: readonly PatchOperation[]): string {
  return `[${patch
    .map(({ op, path, from, value }) => {
      const rest =
        from !== undefined ? `,"from":${JSON.stringify(from)}` : value !== undefined ? `,"value":${value}` : "";
      return `{"op":"${op}","path":${JSON.stringify(path)}${rest}}`;
    })
    .join(",")}]`;
}

function compare(from: Tree, to: Tree, path: string, found: PatchOperation[]): void {
  if (sameTree(from, to)) return;
  if (from.kind === "object" && to.kind === "object") {
    const before = new Map(from.members);
    const after = new Map(to.members);
    for (const [name] of from.members)
      if (!after.has(name)) found.push({ op: "remove", path: `${path}/${escaped(name)}` });
    for (const [name, value] of to.members) {
      const at = `${path}/${escaped(name)}`;
      const old = before.get(name);
      if (old) compare(old, value, at, found);
      else found.push({ op: "add", path: at, value: textOf(value) });
    }
  } else if (from.kind === "array" && to.kind === "array") compareItems(from.items, to.items, path, found);
  else found.push({ op: "replace", path, value: textOf(to) });
}

function compareItems(from: Tree[], to: Tree[], path: string, found: PatchOperation[]): void {
  const same = (a: Tree | undefined, b: Tree | undefined) => a !== undefined && b !== undefined && sameTree(a, b);
  let head = 0;
  while (same(from[head], to[head])) head++;
  let tail = 0;
  while (tail < Math.min(from.length, to.length) - head && same(from.at(-1 - tail), to.at(-1 - tail))) tail++;
  const gone = from.slice(head, from.length - tail);
  const come = to.slice(head, to.length - tail);
  const shared = Math.min(gone.length, come.length);
  for (let i = 0; i < shared; i++) {
    const [a, b] = [gone[i], come[i]];
    if (a && b) compare(a, b, `${path}/${head + i}`, found);
  }
  // From the end, so that no index moves under the next one.
  for (let i = gone.length - 1; i >= shared; i--) found.push({ op: "remove", path: `${path}/${head + i}` });
  for (let i = shared; i < come.length; i++) {
    const value = come[i];
    if (value) found.push({ op: "add", path: `${path}/${head + i}`, value: textOf(value) });
  }
}

/**
 * A field that went and came back under another name with the same value was renamed: every body keeps its own value. Without
 * this the one value would be written into all of them.
 */
function renames(found: PatchOperation[], before: Tree): PatchOperation[] {
  const left = [...found];
  const moves: PatchOperation[] = [];
  for (const gone of found.filter((o) => o.op === "remove" && !isItem(o.path, before))) {
    const old = valueAt(before, gone.path);
    const matches = left.filter((o) => o.op === "add" && !isItem(o.path, before) && old !== null && o.value === old);
    const come = matches.find((o) => parentOf(o.path) === parentOf(gone.path)) ?? matches[0];
    if (!come) continue;
    moves.push({ op: "move", from: gone.path, path: come.path });
    left.splice(left.indexOf(gone), 1);
    left.splice(left.indexOf(come), 1);
  }
  return [...moves, ...left];
}

function valueAt(tree: Tree, path: string): string | null {
  let here: Tree | undefined = tree;
  for (const part of partsOf(path)) {
    if (here?.kind === "object") here = here.members.find(([name]) => name === part)?.[1];
    else if (here?.kind === "array") here = here.items[Number(part)];
    else return null;
  }
  return here ? textOf(here) : null;
}

/** Whether it names a place in an array: those shift, so they are never taken for a rename. */
function isItem(path: string, tree: Tree): boolean {
  const parts = partsOf(parentOf(path));
  let here: Tree | undefined = tree;
  for (const part of parts) {
    if (here?.kind === "object") here = here.members.find(([name]) => name === part)?.[1];
    else if (here?.kind === "array") here = here.items[Number(part)];
  }
  return here?.kind === "array";
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function partsOf(path: string): string[] {
  return path.split("/").slice(1).map(unescaped);
}

/** RFC 6901 §3. */
function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescaped(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
