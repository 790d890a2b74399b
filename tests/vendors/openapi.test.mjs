// Schemathesis, another's reading of our own description: no request that it can think of may end in a server error, or
// in an answer that the description does not have.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { startProgram } from "./program.mjs";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const tools = process.env.SIGNALBOX_TOOLS ?? join(repository, "target/tools");
const seed = process.env.SIGNALBOX_SEED ?? "1";
/** Seconds. */
const longest = process.env.SIGNALBOX_SCHEMATHESIS_SECONDS ?? "60";

test("no request that fits the description ends in a server error or in an undescribed answer", async () => {
  const program = await startProgram({ files: {}, secrets: {}, options: ["--sandbox", "--seed", "7"] });
  try {
    const checks = ["not_a_server_error", "status_code_conformance", "content_type_conformance"];
    const args = ["run", `${program.apiUrl}/api/v1/openapi.json`, "--no-color", "--generation-database", "none"];
    args.push("--checks", [...checks, "response_schema_conformance"].join(","));
    args.push("--seed", seed, "--max-examples", "15", "--max-time", longest);
    args.push("--header", `Authorization: Bearer ${program.token}`);
    // It waits up to 25 s for something to happen, by design; leaving the sandbox would end what the others look at.
    args.push("--exclude-path", "/api/v1/live", "--exclude-path-regex", "sandbox/(leave|start)|/api/v1/sandbox$");
    const checker = spawn(join(tools, "schemathesis/bin/schemathesis"), args, { stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    checker.stdout.on("data", (text) => said.push(text));
    checker.stderr.on("data", (text) => said.push(text));
    const code = await new Promise((ended, failed) => {
      checker.on("close", ended);
      checker.on("error", failed);
    });
    const report = Buffer.concat(said).toString();
    assert.equal(code, 0, `seed ${seed}:\n${report}`);
    const [, passed] = report.match(/generated, (\d+) passed/) ?? [];
    assert.ok(Number(passed) > 200, `seed ${seed}: too little was tried:\n${report}`);
  } finally {
    await program.stop();
  }
});
