// @vitest-environment jsdom
import { cleanup, configure, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import App from "../App.svelte";
import { createApp, type App as Panel } from "../data/app";
import { FakeBackend } from "./fake-backend/backend";
import { fakeHost } from "./fake-backend/host";

const MINUTE = 60_000;
let panel: Panel;
let stop: () => void;

beforeAll(() => {
  // Less than a test may take: the whole panel in jsdom takes seconds where the machine is busy.
  configure({ asyncUtilTimeout: 15_000 });
  // What jsdom lacks.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {} }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
});
beforeEach(() => {
  localStorage.clear();
  location.hash = "";
});
afterEach(() => {
  stop();
  cleanup();
});

function open(backend: FakeBackend, hash = "") {
  location.hash = hash;
  panel = createApp(fakeHost(backend));
  panel.prefs.start();
  stop = panel.start();
  render(App, { app: panel });
}

/** A sandbox in which HubSpot answered 429 for the last minute. */
function troubled(): FakeBackend {
  const now = Date.now();
  const backend = new FakeBackend(now - 10 * MINUTE, { sandbox: true });
  backend.world.advance(now - MINUTE);
  backend.world.faults.hubspot = { ...backend.world.faults.hubspot, rate_429: { share: 1, retry_after_s: 1 } };
  backend.world.advance(now - 10_000);
  backend.world.faults.hubspot = { ...backend.world.faults.hubspot, rate_429: { share: 0, retry_after_s: 1 } };
  backend.world.advance(now);
  return backend;
}

const press = (key: string, init: KeyboardEventInit = {}) =>
  (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, ...init }),
  );
const sentTo = (backend: FakeBackend, path: string) =>
  backend.requests.filter((r) => r.method === "POST" && r.path.endsWith(path));

describe("first run", () => {
  it("shows one primary, and it starts the sandbox", async () => {
    const backend = new FakeBackend(Date.now());
    open(backend);
    const start = await screen.findByTestId("start-sandbox");
    await waitFor(() => expect(document.activeElement).toBe(start));
    start.click();
    await screen.findByTestId("nav-deliveries");
    expect(sentTo(backend, "/sandbox/start")).toHaveLength(1);
  });

  it("gives the command that makes a workspace", async () => {
    open(new FakeBackend(Date.now()));
    (await screen.findByRole("button", { name: /Connect your systems/ })).click();
    await screen.findByText(/^signalbox init \//);
  });
});

describe("triage", () => {
  it("takes R and Enter, even where Enter comes before the plan", async () => {
    const backend = troubled();
    open(backend, "#/dead-letters");
    const group = await screen.findByTestId("group-card");
    const dead = Number(group.querySelector(".n")?.textContent);
    expect(dead).toBeGreaterThan(10);
    await screen.findByTestId("replay-open");
    press("r");
    const confirm = await screen.findByTestId("replay-confirm");
    confirm.click();
    await waitFor(() => expect(sentTo(backend, "/replays")).toHaveLength(2));
    const [plan, replay] = sentTo(backend, "/replays").map((r) => r.body);
    expect(plan).toMatchObject({ dry_run: true });
    expect(replay).toMatchObject({ plan: expect.stringMatching(/^pln_/) });
    expect(replay).not.toHaveProperty("filter");
    expect((await screen.findByTestId("replay-progress")).textContent).toContain(`of ${dead} confirmed`);
    // It goes once its replay is shown.
    await waitFor(() => expect(screen.queryByTestId("replay-plan")).toBeNull());
  });

  it("puts the focus on the plan's button and gives it back", async () => {
    open(troubled(), "#/dead-letters");
    const opener = await screen.findByTestId("replay-open");
    opener.focus();
    opener.click();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId("replay-confirm")));
    press("Escape");
    await waitFor(() => expect(screen.queryByTestId("replay-plan")).toBeNull());
    expect(document.activeElement).toBe(opener);
  });

  it("drops a plan when another screen is opened", async () => {
    open(troubled(), "#/dead-letters");
    (await screen.findByTestId("replay-open")).click();
    await screen.findByTestId("replay-plan");
    location.hash = "#/systems";
    await screen.findAllByTestId("system-row");
    expect(screen.queryByTestId("replay-plan")).toBeNull();
  });
});

describe("faults", () => {
  it("are turned by their switch, and tick the checklist", async () => {
    const backend = troubled();
    open(backend, "#/systems/hubspot");
    const dial = await screen.findByTestId("fault-error_500");
    dial.click();
    await waitFor(() => expect(dial.getAttribute("aria-checked")).toBe("true"));
    expect(backend.world.faults.hubspot?.error_500).toEqual({ share: 1 });
    expect(panel.checklist.done.has("break")).toBe(true);
  });
});

describe("an engine that stops answering", () => {
  it("is said once, and what was shown stays", async () => {
    const backend = troubled();
    const host = fakeHost(backend);
    let down = false;
    panel = createApp({
      ...host,
      request: (...args) => (down ? Promise.reject(new TypeError("refused")) : host.request(...args)),
    });
    panel.prefs.start();
    stop = panel.start();
    render(App, { app: panel });
    await screen.findByTestId("figure-delivered");
    down = true;
    backend.world.version += 1;
    await screen.findAllByText("No answer");
    expect(screen.getByTestId("figure-delivered")).toBeTruthy();
  });
});
