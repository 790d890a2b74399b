/**
 * JSON for looking at. It is laid out from the text itself and never parsed into numbers, so that 9007199254740993 and 1.10
 * are shown as they were sent.
 */

export type Ink = "key" | "string" | "number" | "word" | "mark";
export interface Piece {
  ink: Ink;
  text: string;
}
export type Line = Piece[];

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/gy;

/** Lines of pieces with two spaces a level, or null where the text is not JSON. */
export function layOut(text: string): Line[] | null {
  const tokens = tokensOf(text);
  if (!tokens || tokens.length === 0 || !/^[{["\-\dtfn]/.test(tokens[0] ?? "")) return null;
  const lines: Line[] = [[]];
  let depth = 0;
  const put = (ink: Ink, piece: string) => lines.at(-1)?.push({ ink, text: piece });
  const newLine = () => lines.push(depth > 0 ? [{ ink: "mark", text: "  ".repeat(depth) }] : []);
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? "";
    if (token === "{" || token === "[") {
      const close = token === "{" ? "}" : "]";
      if (tokens[i + 1] === close) {
        put("mark", token + close);
        i++;
        continue;
      }
      put("mark", token);
      depth++;
      newLine();
    } else if (token === "}" || token === "]") {
      depth--;
      if (depth < 0) return null;
      newLine();
      put("mark", token);
    } else if (token === ",") {
      put("mark", ",");
      newLine();
    } else if (token === ":") put("mark", ": ");
    else put(tokens[i + 1] === ":" ? "key" : inkOf(token), token);
  }
  return depth === 0 ? lines : null;
}

export function prettyJson(text: string): string {
  const lines = layOut(text);
  return lines ? lines.map((line) => line.map((p) => p.text).join("")).join("\n") : text;
}

function inkOf(token: string): Ink {
  if (token.startsWith('"')) return "string";
  return /^[-\d]/.test(token) ? "number" : "word";
}

/** Its tokens without white space, or null where something is none. */
export function tokensOf(text: string): string[] | null {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return null;
    const token = match[0];
    if (!/^\s/.test(token)) tokens.push(token);
  }
  return tokens;
}
