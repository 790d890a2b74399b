import type { AttemptRequest } from "./types";

const MASK = "••••••••";

/** The request as a command. A masked secret becomes a variable, so that no secret passes through the clipboard. */
export function asCurl(request: AttemptRequest): string {
  const parts = [`curl -X ${request.method} ${shell(request.url)}`];
  for (const [name, value] of request.headers) {
    if (["content-length", "host"].includes(name.toLowerCase())) continue;
    parts.push(`-H ${header(name, value)}`);
  }
  if (request.body !== null && request.body !== "") parts.push(`--data-binary ${shell(request.body)}`);
  return parts.join(" \\\n  ");
}

function header(name: string, value: string): string {
  if (!value.includes(MASK)) return shell(`${name}: ${value}`);
  const variable = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  const text = `${name}: ${value.replaceAll(MASK, `\${${variable}}`)}`;
  // Double quotes, so that the shell fills the variable in.
  return `"${text.replaceAll(/["`\\]/g, "\\$&")}"`;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
