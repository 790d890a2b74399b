import type { ProblemDocument } from "../api/types";

/** The engine's refusal, or no answer at all, as one error with a text for a person. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly suggestion: string | null = null,
  ) {
    super(message);
    this.name = "Problem";
  }

  static of(status: number, document: Partial<ProblemDocument> | null): Problem {
    if (!document?.code) return new Problem(status, "http", `The engine answered ${status} without saying why.`);
    const text = document.detail || document.title || document.code;
    return new Problem(status, document.code, text, document.suggestion ?? null);
  }

  static unreachable(): Problem {
    return new Problem(
      0,
      "unreachable",
      "Signalbox does not answer. What it has accepted is safe; this page tries again.",
    );
  }

  /** The person's own doing, such as a wrong filter, as opposed to an engine that cannot be reached. */
  get isInput(): boolean {
    return this.status === 400;
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "panel", error instanceof Error ? error.message : String(error));
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
