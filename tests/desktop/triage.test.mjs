// The main job in the real window, by hand: start the sandbox, break HubSpot, find the dead letters, mend it, replay them by click,
// and see that both systems hold the same records again.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Key, openWindow, until } from "./webdriver.mjs";

const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = process.env.SIGNALBOX_DESKTOP_BIN ?? join(repository, "target/debug/signalbox-desktop");
const ports = ["--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"];
const shots = join(dirname(dirname(binary)), "desktop-test");

let home;
let environment;
let page;
/** Of the program behind the window, once it has said so. */
let pid;

before(async () => {
  home = await mkdtemp(join(tmpdir(), "signalbox-desktop-"));
  await mkdir(shots, { recursive: true });
  environment = {
    ...process.env,
    HOME: home,
    XDG_DATA_HOME: join(home, "data"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_CACHE_HOME: join(home, "cache"),
  };
  page = await openWindow({ binary, args: ports, env: environment });
});

after(async () => {
  // Only where a test broke off; the last one ends the program.
  pid ??= (await runtimeFiles())[0]?.pid;
  if (pid && isRunning(pid)) process.kill(pid, "SIGKILL");
  page?.release();
  await rm(home, { recursive: true, force: true });
});

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What the running program says of itself; more than one file where the sandbox is a workspace beside the person's own. */
async function runtimeFiles() {
  const found = [];
  for (const file of await readdir(join(home, "data"), { recursive: true })) {
    if (file.endsWith(join(".signalbox", "runtime.json"))) {
      found.push(JSON.parse(await readFile(join(home, "data", file), "utf8")));
    }
  }
  return found;
}

async function api() {
  const runtime = await until("the sandbox is in runtime.json", async () =>
    (await runtimeFiles()).find((runtime) => Object.keys(runtime.sandbox ?? {}).length > 0),
  );
  pid = runtime.pid;
  return async (path) => {
    const response = await fetch(`${runtime.api}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${runtime.token}` },
    });
    assert.ok(response.ok, `GET ${path}: ${response.status}`);
    return response.json();
  };
}

const id = (name) => `[data-testid="${name}"]`;

/** Turns a dial of a simulated system by clicking through the panel. */
async function turn(system, fault) {
  await page.click(id("nav-systems"));
  await page.click(`${id("system-row")}[data-name="${system}"] a`);
  await page.click(id(`fault-${fault}`));
}

async function shot(name) {
  await writeFile(join(shots, `${name}.png`), await page.screenshot());
}

test("from one Enter to dead letters replayed by click", { timeout: 180_000 }, async (t) => {
  await t.test("the first page asks one thing, and Enter starts the sandbox", async () => {
    await page.find(id("start-sandbox"));
    await shot("first-run");
    const pressed = performance.now();
    await page.press(Key.enter);
    await page.find(id("nav-deliveries"));
    await page.click(id("nav-deliveries"));
    await page.find(id("delivery-row"));
    const seconds = (performance.now() - pressed) / 1000;
    t.diagnostic(`first sandbox event on screen after ${seconds.toFixed(1)} s`);
    assert.ok(seconds <= 5, `the first event took ${seconds.toFixed(1)} s to show; 5 s are promised`);
  });

  const get = await api();
  const count = async (filter) => (await get(`deliveries?limit=1&filter=${encodeURIComponent(filter)}`)).total;

  await t.test("HubSpot answers 500, and its dead letters show within 15 s", async () => {
    await until("something was delivered while all was well", async () => (await count("state:delivered")) >= 2);
    await turn("hubspot", "error_500");
    const broken = performance.now();
    await page.click(id("nav-dead-letters"));
    await page.find(id("group-card"), { within: 20_000 });
    const seconds = (performance.now() - broken) / 1000;
    t.diagnostic(`dead letters on screen ${seconds.toFixed(1)} s after the break`);
    assert.ok(seconds <= 15, `the dead letters took ${seconds.toFixed(1)} s to show; 15 s are promised`);
    await shot("dead-letters");
  });

  await t.test("mended, they are replayed by click until none is dead", async () => {
    await turn("hubspot", "error_500");
    // No new contacts: what is compared at the end must stand still.
    await turn("salesforce", "paused");
    await until("what was on its way has ended", async () => (await count("state:queued,sending,retrying")) === 0, {
      within: 60_000,
      every: 250,
    });

    let dead = await count("state:dead");
    assert.ok(dead > 0, "there is something to replay");
    await page.click(id("nav-dead-letters"));
    for (let round = 0; dead > 0; round++) {
      assert.ok(round < 5, "five rounds of replay left dead letters");
      await page.click(id("group-card"));
      const group = await page.run("return document.querySelector(arguments[0]).dataset.group", id("group-card"));
      await page.click(id("replay-open"));
      await page.find(id("replay-plan"));
      if (round === 0) await shot("replay-plan");
      await page.click(`${id("replay-confirm")}:not([aria-disabled="true"])`);
      // The line of a round before stands there until the plan is gone.
      await until("the plan is gone", async () => (await page.all(id("replay-plan"))).length === 0);
      await page.find(id("replay-progress"));
      if (round === 0) await shot("replay-progress");
      // Its items go one after another: while some still wait their turn, nothing need be on its way.
      await page.find(`${id("replay-progress")}[data-replay-state="done"]`, { within: 60_000 });
      const left = await count("state:dead");
      assert.ok(left < dead, `the replay is done, and ${left} are dead of ${dead}`);
      dead = left;
      if ((await count(`state:dead group:${group}`)) > 0) continue;
      const card = `${id("group-card")}[data-group="${group}"]`;
      await until("the group that is empty is gone", async () => (await page.all(card)).length === 0);
    }
    // Later ones of the same keys go on behind them.
    await until("all has ended", async () => (await count("state:queued,sending,retrying,held")) === 0, {
      within: 60_000,
      every: 250,
    });
  });

  await t.test("both systems hold the same records, as the panel claims", async () => {
    const hubspot = await get("sandbox/systems/hubspot/received");
    const crm = await get("sandbox/systems/crm/received");
    assert.ok(hubspot.records > 0, "records arrived");
    assert.equal(hubspot.records, crm.records);
    assert.equal(hubspot.records_hash, crm.records_hash);
    assert.equal(await count("state:dead"), 0);
    await page.click(id("nav-overview"));
    await shot("overview");
  });
});

test("the page stays in its window", async (t) => {
  await t.test("it cannot leave its own origin", async () => {
    await page.run("location.href = 'https://example.test/'");
    assert.equal(new URL(await page.url()).protocol, "tauri:");
  });

  await t.test("it reaches no network", async () => {
    const outcome = await page.run("return fetch('https://example.test/').then(() => 'answered', () => 'refused')");
    assert.equal(outcome, "refused");
  });

  await t.test("no command but the one is allowed", async () => {
    for (const command of ["plugin:window-state|filename", "plugin:event|listen", "plugin:webview|create_webview", "other"]) {
      const outcome = await page.run(
        "return window.__TAURI_INTERNALS__.invoke(arguments[0], {}).then(() => 'answered', (why) => String(why))",
        command,
      );
      assert.match(outcome, /not allowed|not found/i, command);
    }
  });

  await t.test("inline scripts do not run and prototypes are frozen", async () => {
    const [ran, frozen] = await page.run(`
      const script = document.createElement("script");
      script.textContent = "document.documentElement.dataset.ran = 'yes'";
      document.head.append(script);
      return [document.documentElement.dataset.ran ?? "no", Object.isFrozen(Object.prototype)];
    `);
    assert.deepEqual([ran, frozen], ["no", true]);
  });
});

test("a second start leaves the first one alone and ends", async () => {
  const second = spawn(binary, ports, { env: environment, stdio: "ignore" });
  const code = await new Promise((ended) => second.on("exit", ended));
  assert.equal(code, 0);
  assert.ok(isRunning(pid));
  await page.find(id("nav-overview"));
});

test("logging out drains the engine and ends the program", async () => {
  assert.ok(isRunning(pid));
  process.kill(pid, "SIGTERM");
  await until("the process has ended", () => !isRunning(pid), { within: 12_000 });
  assert.deepEqual(await runtimeFiles(), [], "a program that has drained takes its runtime.json away");
});
