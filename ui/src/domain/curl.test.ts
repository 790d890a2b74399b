import { expect, it } from "vitest";
import { anAttempt } from "../test/fake-backend/factories";
import { asCurl } from "./curl";

const request = anAttempt().request!;

it("puts a variable where a secret was", () => {
  const text = asCurl(request);
  expect(text).toContain('-H "authorization: Bearer ${AUTHORIZATION}"');
  expect(text).not.toContain("•");
});

it("survives quotes in the body", () => {
  expect(asCurl({ ...request, body: "it's" })).toContain(`--data-binary 'it'\\''s'`);
});

it("leaves out what curl sets by itself", () => {
  const text = asCurl({
    ...request,
    headers: [
      ["Content-Length", "3"],
      ["x-a", "$(rm)`x`"],
    ],
  });
  expect(text).not.toContain("Content-Length");
  expect(text).toContain(`-H 'x-a: $(rm)\`x\`'`);
});

it("does not let a masked header run a command", () => {
  expect(asCurl({ ...request, headers: [["x-a", '••••••••"`id`']] })).toContain('-H "x-a: ${X_A}\\"\\`id\\`"');
});
