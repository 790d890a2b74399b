// The real program on a workspace of its own, with a receiver for what it delivers.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = process.env.SIGNALBOX_BIN ?? join(repository, "target/debug/signalbox");

/** Asks `probe` until it answers with something. Fails with what it last saw. */
export async function until(what, probe, within = 15_000) {
  const end = performance.now() + within;
  let last;
  do {
    try {
      last = await probe();
      if (last) return last;
    } catch (cause) {
      last = cause;
    }
    await pause(25);
  } while (performance.now() < end);
  throw new Error(`not within ${within} ms: ${what}`, { cause: last });
}

/** A system to deliver to: keeps every request with its raw body, answers 204. */
export async function startReceiver() {
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(204).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    stop: () => new Promise((closed) => server.close(closed)),
  };
}

/** Writes the files into a new workspace and serves it. `files` maps relative paths to texts, `secrets` names to values. */
export async function startProgram({ files, secrets, options = [] }) {
  const workspace = await mkdtemp(join(tmpdir(), "signalbox-vendors-"));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(workspace, path)), { recursive: true });
    await writeFile(join(workspace, path), text);
  }
  const environment = { ...process.env };
  for (const [name, value] of Object.entries(secrets)) {
    environment[`SIGNALBOX_SECRET_${name.toUpperCase().replaceAll("-", "_")}`] = value;
  }

  const log = [];
  const program = spawn(
    binary,
    ["serve", "--workspace", workspace, "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0", ...options],
    { env: environment, stdio: ["ignore", "pipe", "pipe"] },
  );
  program.stdout.on("data", (text) => log.push(text));
  program.stderr.on("data", (text) => log.push(text));
  const ended = new Promise((exit) => program.on("close", (code) => exit(code)));

  const stop = async () => {
    program.kill("SIGTERM");
    const code = await ended;
    await rm(workspace, { recursive: true, force: true });
    return code;
  };

  try {
    const runtime = await until("the program is ready", async () => {
      if (program.exitCode !== null) throw new Error(`it ended with ${program.exitCode}`);
      return JSON.parse(await readFile(join(workspace, ".signalbox/runtime.json"), "utf8"));
    });
    const api = async (path) => {
      const response = await fetch(`${runtime.api}/api/v1/${path}`, {
        headers: { authorization: `Bearer ${runtime.token}` },
      });
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    };
    return { ingress: runtime.ingress, api, apiUrl: runtime.api, token: runtime.token, stop };
  } catch (cause) {
    await stop();
    throw new Error(`${binary} did not start:\n${Buffer.concat(log)}`, { cause });
  }
}

/** The simulated systems alone: their addresses and credentials. */
export async function startSandbox() {
  const program = spawn(binary, ["sandbox", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((exit) => program.on("close", (code) => exit(code)));
  let said = "";
  program.stdout.on("data", (text) => {
    said += text;
  });
  const { systems, secrets } = await until("the sandbox says where it is", () => {
    if (program.exitCode !== null) throw new Error(`it ended with ${program.exitCode}`);
    return JSON.parse(said);
  });
  const stop = () => {
    program.kill("SIGTERM");
    return ended;
  };
  return { systems, secrets, stop };
}
