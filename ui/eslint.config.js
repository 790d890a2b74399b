import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** Who may import whom: host and api below, then data, then components and views. Tests may all. */
const forbid = (...groups) => ({ "no-restricted-imports": ["error", { patterns: groups }] });
const tauri = {
  group: ["@tauri-apps/*"],
  message: "Only src/host talks to Tauri, so that every screen also runs in a browser.",
};
const fake = { group: ["**/test/**"], message: "The fake backend is for tests and must not reach the bundle." };
const wire = {
  group: ["**/api/*", "**/host", "**/host/*"],
  message: "Screens ask the data layer; types come from domain/types.",
};
const views = { group: ["**/views/*"], message: "A component does not know the screens that show it." };
const above = {
  group: ["**/components/**", "**/views/*"],
  message: "The layers below the screens do not know them.",
};
const data = {
  group: ["**/data/*", "**/host", "**/host/*"],
  message: "domain is pure: it takes values and returns values.",
};

export default defineConfig(
  { ignores: ["dist", "node_modules", "tools/node_modules", "src/api/schema.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      "no-console": "error",
      "no-restricted-properties": ["error", { property: "innerHTML", message: "Data is never read as markup." }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-invalid-void-type": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "SvelteAttribute[key.name='style']",
          message: "The content security policy refuses style attributes; style: directives are set from script.",
        },
      ],
      // State is $state.raw and replaced, never mutated.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/no-at-html-tags": "error",
      "svelte/require-each-key": "error",
      // Hashes are addresses here; there is no kit to resolve them.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  { files: ["src/**"], rules: forbid(tauri, fake) },
  { files: ["src/host/**"], rules: forbid(fake) },
  { files: ["src/domain/**"], ignores: ["src/domain/*.test.ts"], rules: forbid(tauri, fake, data, above) },
  { files: ["src/data/**"], ignores: ["src/data/*.test.ts"], rules: forbid(tauri, fake, above) },
  { files: ["src/components/**"], ignores: ["**/*.test.ts"], rules: forbid(tauri, fake, wire, views) },
  { files: ["src/views/**"], ignores: ["**/*.test.ts"], rules: forbid(tauri, fake, wire) },
  {
    files: ["src/test/**", "**/*.test.ts"],
    rules: { "no-restricted-imports": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
  { files: ["e2e/**", "tools/**"], rules: { "no-console": "off" } },
);
