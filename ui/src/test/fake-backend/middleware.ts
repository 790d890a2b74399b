/** The fake backend on the dev server. `?empty` at its first request begins with the welcome screen. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { FakeBackend } from "./backend";

/** An hour of history with seven bad minutes, so that every screen has something on it. */
function lived(): FakeBackend {
  const now = Date.now();
  const backend = new FakeBackend(now - 3_600_000, { sandbox: process.env.SIGNALBOX_FAKE !== "empty" });
  const hubspot = backend.world.faults.hubspot ?? {};
  backend.world.advance(now - 1_500_000);
  hubspot.error_500 = { share: 0.12 };
  backend.world.advance(now - 1_200_000);
  hubspot.error_500 = { share: 0 };
  backend.world.advance(now - 420_000);
  if (process.env.SIGNALBOX_FAKE !== "healthy") hubspot.rate_429 = { share: 0.9, retry_after_s: 1 };
  backend.world.advance(now - 150_000);
  hubspot.rate_429 = { share: 0, retry_after_s: 1 };
  const { salesforce = {}, crm = {} } = backend.world.faults;
  salesforce.bad_signature = { share: 0.1 };
  backend.world.advance(now - 60_000);
  if (process.env.SIGNALBOX_FAKE !== "healthy") crm.outage = true;
  backend.world.advance(now);
  return backend;
}

export function middleware() {
  const backend = lived();
  setInterval(() => backend.world.advance(Date.now()), 250);
  return (req: IncomingMessage, res: ServerResponse, next: () => void) => {
    if (!req.url?.startsWith("/api/")) return next();
    const chunks: Buffer[] = [];
    req.on("data", (c: Buffer) => chunks.push(c));
    req.on("end", () => void answer(backend, req, Buffer.concat(chunks).toString(), res));
  };
}

async function answer(backend: FakeBackend, req: IncomingMessage, text: string, res: ServerResponse): Promise<void> {
  const url = req.url ?? "/";
  const cursor = new URL(url, "http://localhost").searchParams.get("cursor");
  // The live route waits until something has happened.
  if (url.includes("/live")) {
    const end = Date.now() + 25_000;
    while (cursor === String(backend.world.version) && Date.now() < end && !req.destroyed)
      await new Promise((r) => setTimeout(r, 100));
  }
  const { status, body } = backend.handle(req.method ?? "GET", url, text ? JSON.parse(text) : null);
  res.writeHead(status, { "content-type": "application/json" });
  res.end(status === 204 ? "" : JSON.stringify(body));
}
