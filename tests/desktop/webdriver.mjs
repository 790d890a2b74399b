// A WebDriver client for the real window, as small as the tests need: WebKitWebDriver starts the program and steers its webview.
// https://www.w3.org/TR/webdriver2/ ; the capability `webkitgtk:browserOptions` is WebKitGTK's own.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** The keys of WebDriver that have no character. */
export const Key = { enter: "\uE007", escape: "\uE00C" };

/** A free port on loopback. It could be taken before it is used; WebKitWebDriver takes no port 0. */
async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Asks `probe` until it answers with something, and says what was awaited when it never does. */
export async function until(what, probe, { within = 10_000, every = 50 } = {}) {
  const end = performance.now() + within;
  let last;
  do {
    try {
      const found = await probe();
      if (found) return found;
      last = found;
    } catch (cause) {
      last = cause;
    }
    await pause(every);
  } while (performance.now() < end);
  throw new Error(`not within ${within} ms: ${what}; at last: ${last?.message ?? JSON.stringify(last)}`, { cause: last });
}

/** Starts `binary` in a window and returns a handle on its page. */
export async function openWindow({ binary, args = [], env }) {
  const port = await freePort();
  const driver = spawn("WebKitWebDriver", [`--port=${port}`], {
    env: {
      ...env,
      // Without this the webview takes no orders.
      TAURI_WEBVIEW_AUTOMATION: "true",
      // The fallback renderer, which the program chooses on a machine without a render node, never answers a screenshot.
      WEBKIT_DISABLE_DMABUF_RENDERER: "0",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const base = `http://127.0.0.1:${port}`;
  try {
    await until("WebKitWebDriver listens", async () => (await fetch(`${base}/status`)).ok);
    const { sessionId } = await send(`${base}/session`, "POST", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary, args } } },
    });
    return new Page(`${base}/session/${sessionId}`, driver);
  } catch (cause) {
    driver.kill();
    throw cause;
  }
}

async function send(url, method, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(30_000) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message} (${method} ${new URL(url).pathname})`);
  return value;
}

class Page {
  #session;
  #driver;

  constructor(session, driver) {
    this.#session = session;
    this.#driver = driver;
  }

  /** The elements that match; none is an empty list. */
  async all(selector) {
    const found = await send(`${this.#session}/elements`, "POST", { using: "css selector", value: selector });
    return found.map((element) => element[ELEMENT]);
  }

  /** Waits for the first element that matches. */
  async find(selector, options) {
    return until(`${selector} is on the page`, async () => (await this.all(selector))[0], options);
  }

  /** Clicks as a person would: it fails where something covers the element. */
  async click(selector, options) {
    return until(
      `${selector} takes a click`,
      async () => {
        const [element] = await this.all(selector);
        if (!element) return false;
        await send(`${this.#session}/element/${element}/click`, "POST", {});
        return true;
      },
      options,
    );
  }

  async text(selector) {
    return this.run("return document.querySelector(arguments[0])?.innerText ?? null", selector);
  }

  /** Types into whatever has the focus. */
  async press(key) {
    const actions = [
      { type: "keyDown", value: key },
      { type: "keyUp", value: key },
    ];
    await send(`${this.#session}/actions`, "POST", { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Runs a script in the page; a promise it returns is awaited. */
  async run(script, ...args) {
    return send(`${this.#session}/execute/sync`, "POST", { script, args });
  }

  async url() {
    return send(`${this.#session}/url`, "GET");
  }

  /** A PNG of what the window shows. */
  async screenshot() {
    return Buffer.from(await send(`${this.#session}/screenshot`, "GET"), "base64");
  }

  /** Ends the driver, which kills a program that still runs. To see it drain, end the program first. */
  release() {
    this.#driver.kill();
  }
}
