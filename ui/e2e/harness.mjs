// Starts the real program in an empty workspace, opens Chromium on it, and counts what passes.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The program under test: SIGNALBOX_BIN, else the development build. */
export const binary = process.env.SIGNALBOX_BIN ?? here("../../target/debug/signalbox");
/** With SIGNALBOX_PANEL=dist the pages come from ui/dist, so that the panel can change without the program being built anew. */
const ownPages = process.env.SIGNALBOX_PANEL === "dist" ? here("../dist") : null;
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const STARTS_WITHIN_MS = 20_000;

/** In an empty workspace. */
export function startProgram(...options) {
  return startIn({}, {}, options);
}

/** In a workspace of these files, by path, with these secrets, by name. */
export async function startIn(files, secrets, options = []) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing; build it, or name it in SIGNALBOX_BIN`);
  const workspace = mkdtempSync(join(tmpdir(), "signalbox-e2e-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  const given = Object.entries(secrets).map(([name, value]) => [
    `SIGNALBOX_SECRET_${name.toUpperCase().replaceAll("-", "_")}`,
    value,
  ]);
  const listen = ["--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"];
  const child = spawn(binary, ["serve", "--workspace", workspace, ...listen, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    // The sandbox is a workspace of its own, in the platform's data folder.
    env: { ...process.env, XDG_DATA_HOME: join(workspace, "data"), HOME: workspace, ...Object.fromEntries(given) },
  });
  // A run that breaks off leaves no program behind.
  const abandon = () => child.kill("SIGKILL");
  process.once("exit", abandon);
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const link = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the program did not start:\n${log}`)), STARTS_WITHIN_MS);
    child.once("exit", (code) => reject(new Error(`the program ended with ${code}:\n${log}`)));
    createInterface(child.stdout).on("line", (line) => {
      const found = /^panel\s+(\S+)/.exec(line)?.[1];
      if (found) resolve(found);
      if (found) clearTimeout(late);
    });
  });
  const runtime = JSON.parse(readFileSync(join(workspace, ".signalbox", "runtime.json"), "utf8"));
  const call = async (method, path, body) => {
    const response = await fetch(`${runtime.api}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${runtime.token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  };
  return {
    link,
    ingress: runtime.ingress,
    get: (path) => call("GET", path),
    put: (path, body) => call("PUT", path, body),
    post: (path, body) => call("POST", path, body),
    count: async (filter) => (await call("GET", `deliveries?limit=1&filter=${encodeURIComponent(filter)}`)).total,
    faults: (system, change) => call("PUT", `sandbox/systems/${system}/faults`, change),
    /** Salesforce says nothing more. What it was saying when it was paused comes a moment later: then no more come. */
    async silence() {
      await call("PUT", "sandbox/systems/salesforce/faults", { paused: true });
      let before = -1;
      const rests = async () => {
        const { total } = await call("GET", "deliveries?limit=1");
        return before === (before = total);
      };
      await until("Salesforce is silent", rests, { every: 1000 });
    },
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      process.removeListener("exit", abandon);
      rmSync(workspace, { recursive: true, force: true });
      return log;
    },
  };
}

export async function startBrowser() {
  if (!CHROMIUM) throw new Error("no Chromium in /usr/bin; install the package chromium");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** A signed-in page, and what it did that it must not: errors, refusals of the policy, requests elsewhere. */
export async function openPanel(
  browser,
  program,
  { theme = "dark", size = { width: 1280, height: 800 }, ...rest } = {},
) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: "reduce", ...rest });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const wrongs = [];
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) wrongs.push(`policy: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") wrongs.push(`elsewhere: ${request.url()}`);
  });
  // The window freezes it too, and a library that writes there fails only there.
  await page.addInitScript(() => Object.freeze(Object.prototype));
  if (ownPages) await serveOwnPages(page);
  await page.goto(program.link);
  // The link redirects, and what is redirected to is not routed.
  if (ownPages) await page.goto(new URL("/", program.link).href);
  return { page, context, wrongs, id: (name) => page.locator(`[data-testid="${name}"]`) };
}

const KINDS = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

async function serveOwnPages(page) {
  await page.route(
    (url) => !url.pathname.startsWith("/api/") && !url.pathname.startsWith("/sign-in"),
    async (route) => {
      const { pathname } = new URL(route.request().url());
      const file = join(ownPages, pathname === "/" ? "index.html" : pathname);
      if (!existsSync(file)) return route.continue();
      const headers = { "content-type": KINDS[extname(file)] ?? "application/octet-stream" };
      if (pathname === "/")
        headers["content-security-policy"] = (await route.fetch()).headers()["content-security-policy"];
      return route.fulfill({ body: readFileSync(file), headers });
    },
  );
}

/** Asks until the answer is yes. */
export async function until(what, ask, { within = 15_000, every = 100 } = {}) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    try {
      last = undefined;
      if (await ask()) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${within / 1000} s: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

const counts = { passed: 0, failed: 0 };

export async function test(name, work) {
  const began = Date.now();
  try {
    await work();
    counts.passed++;
    console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    counts.failed++;
    console.log(`FAIL  ${name}\n      ${String(error.stack ?? error).replaceAll("\n", "\n      ")}`);
  }
}

/** The line that ends the run; the exit code says the same. */
export function report() {
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
