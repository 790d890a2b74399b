import { expect, it } from "vitest";
import { FakeFiles } from "../test/fake-backend/mapping";
import type { FileText } from "../api/types";
import { MappingDesk } from "./mapping.svelte";
import { Problem } from "./problem";

const TOML = "integrations/crm-sync.toml";

function desk() {
  const store = new FakeFiles();
  const byPath = (files: readonly FileText[]) => Object.fromEntries(files.map((f) => [f.path, f.text]));
  const mapping = new MappingDesk(
    {
      files: async () => ({ version: store.version, files: store.files }),
      preview: async (_name, files, last) => store.preview(byPath(files), last),
      saveFiles: async (_name, files, version) => {
        if (version !== store.version) throw new Problem(409, "files-changed", "They have changed.");
        store.save(byPath(files));
        return { version: store.version, files: store.files };
      },
    },
    "crm-sync",
  );
  return { mapping, store };
}

it("knows what is changed against what is saved", async () => {
  const { mapping } = desk();
  await mapping.load(true);
  expect(mapping.changed).toBe(false);
  const text = mapping.files[0]?.text ?? "";
  mapping.write(TOML, `${text}# more\n`);
  expect([mapping.changed, mapping.isChanged(TOML), mapping.isChanged("schemas/contact.json")]).toEqual([
    true,
    true,
    false,
  ]);
  mapping.write(TOML, text);
  expect(mapping.changed).toBe(false);
});

it("calls a preview stale as soon as the text goes on", async () => {
  const { mapping } = desk();
  await mapping.load(true);
  mapping.write(TOML, "firstname → first_name");
  await mapping.tryOut(100);
  expect(mapping.preview).toMatchObject({ checked: 100, changed: 36, new_failures: 3 });
  expect(mapping.isFresh).toBe(true);
  mapping.write(TOML, "something else");
  expect(mapping.isFresh).toBe(false);
});

it("gives problems with their places", async () => {
  const { mapping } = desk();
  await mapping.load(true);
  mapping.write(TOML, "title = 1\n!!");
  await mapping.tryOut(100);
  expect(mapping.problems).toMatchObject([{ file: TOML, line: 2, column: 3, message: "unexpected token `!`" }]);
});

it("does not overwrite what somebody else has saved, and keeps what was written here", async () => {
  const { mapping, store } = desk();
  await mapping.load(true);
  mapping.write(TOML, "mine");
  store.save({ [TOML]: "theirs" });
  expect(await mapping.save()).toBe(false);
  expect(mapping.conflict).toBe(true);
  await mapping.load(false);
  expect([mapping.conflict, mapping.saved[0]?.text, mapping.files[0]?.text]).toEqual([false, "theirs", "mine"]);
  expect(await mapping.save()).toBe(true);
  expect(store.files[0]?.text).toBe("mine");
});
