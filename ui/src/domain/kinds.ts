import type { FailureKind } from "./types";

/** Failure kinds in the order in which charts stack them, bottom first. */
export const KINDS: readonly FailureKind[] = ["rejected", "rate", "auth", "mapping", "server", "network", "unknown"];

const NAMES: Record<FailureKind, string> = {
  rejected: "Rejected",
  rate: "Rate",
  auth: "Auth",
  mapping: "Mapping",
  server: "Server",
  network: "Network",
  unknown: "Unknown",
};

export function kindName(kind: FailureKind): string {
  return NAMES[kind];
}

const REASONS: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  207: "Multi-Status",
  301: "Moved Permanently",
  302: "Found",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  423: "Locked",
  425: "Too Early",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** `429 Too Many Requests`, with the phrase of RFC 9110 §15 where there is one. */
export function statusPhrase(status: number): string {
  const reason = REASONS[status];
  return reason ? `${status} ${reason}` : String(status);
}
