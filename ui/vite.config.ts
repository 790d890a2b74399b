import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Serves the test suite's fake backend beside the dev server, so that screens can be looked at without the engine. */
function fakeBackend(): Plugin {
  return {
    name: "signalbox-fake-backend",
    apply: "serve",
    async configureServer(server) {
      const { middleware } = await server.ssrLoadModule("/src/test/fake-backend/middleware.ts");
      server.middlewares.use(middleware());
    },
  };
}

/** `npm run dev` in front of a running engine: its address and token are in the workspace's `.signalbox/runtime.json`. */
function engine() {
  const { SIGNALBOX_API: target, SIGNALBOX_TOKEN: token } = process.env;
  if (!target) return {};
  return {
    proxy: { "/api": { target, changeOrigin: true, headers: { origin: target, authorization: `Bearer ${token}` } } },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), ...(mode === "fake" ? [fakeBackend()] : [])],
  base: "./",
  // Vitest would otherwise resolve Svelte's server build.
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
  build: {
    // WebKitGTK 2.42 and later, which is the oldest webview the window runs on.
    target: "safari16",
    // The content security policy has no data: for scripts, styles or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { port: 5173, strictPort: true, ...engine() },
  // Tests that need a page say so in their first line.
  test: {
    // The whole panel in jsdom takes seconds where the machine is busy.
    testTimeout: 20_000,
    environment: "node",
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
  },
}));
