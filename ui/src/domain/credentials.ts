import type { System } from "./types";

const AUTHS: Record<string, string> = {
  bearer: "Token",
  basic: "Password",
  "api-key": "API key",
  "standard-webhooks": "Signing secret",
  hmac: "Signing secret",
};

/** What a system is asked with, and whether that works: never the secret itself. */
export function credentialText(system: Pick<System, "auth" | "credential">): { text: string; bad: boolean } {
  const kind = AUTHS[system.auth] ?? "Secret";
  switch (system.credential.state) {
    case "none":
      return { text: "none", bad: false };
    case "ok":
      return { text: kind, bad: false };
    case "missing":
      return { text: `${kind} not set`, bad: true };
    case "refused":
      return { text: `${kind} refused`, bad: true };
  }
}
