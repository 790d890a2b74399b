// Makes the panel's types of the API's description.
//
//   node tools/gen.mjs [openapi.json] [schema.ts]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [description = here("../src/api/openapi.json"), target = here("../src/api/schema.ts")] = process.argv.slice(2);

if (!existsSync(description)) fail(`${description} is missing; \`signalbox openapi > ${description}\` writes it`);
const generator = await import("openapi-typescript").catch(() =>
  fail("the generator is not installed; run `npm --prefix ui/tools ci`"),
);
const api = JSON.parse(readFileSync(description, "utf8"));
// The panel names routes by their paths; the ids are those of Rust functions, and the generator wants them unique.
for (const operations of Object.values(api.paths)) for (const one of Object.values(operations)) delete one.operationId;
const tree = await generator.default(api, { alphabetize: true });
const head = "// Generated from the API's description by `make gen`. Changes are made in src-tauri/crates/api.\n\n";
const text = head + generator.astToString(tree);
// An unchanged file keeps its time, so that nothing is built again.
if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);

function fail(why) {
  console.error(why);
  process.exit(1);
}
