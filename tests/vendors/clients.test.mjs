// The vendors' own clients call the simulated systems, as they are started by the real binary.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client as HubSpot } from "@hubspot/api-client";
import jsforce from "jsforce";

import { startSandbox } from "./program.mjs";

let sandbox;
before(async () => {
  sandbox = await startSandbox();
});
after(async () => {
  assert.equal(await sandbox?.stop(), 0);
});

describe("@hubspot/api-client", () => {
  let contacts;
  before(() => {
    const { systems, secrets } = sandbox;
    contacts = new HubSpot({ accessToken: secrets["hubspot-token"], basePath: systems.hubspot }).crm.contacts;
  });

  const input = (email, properties = {}) => ({
    id: email,
    idProperty: "email",
    properties: { email, ...properties },
    objectWriteTraceId: `trace of ${email}`,
  });

  test("upserts a batch and gets a result for each input", async () => {
    const inputs = [input("ada@x.test", { firstname: "Ada" }), input("bao@x.test")];
    const answer = await contacts.batchApi.upsert({ inputs });
    assert.equal(answer.status, "COMPLETE");
    assert.deepEqual(
      answer.results.map(({ objectWriteTraceId, _new }) => [objectWriteTraceId, _new]),
      inputs.map(({ objectWriteTraceId }) => [objectWriteTraceId, true]),
    );
    assert.ok(answer.startedAt instanceof Date && answer.results[0].createdAt instanceof Date);
  });

  test("is told by name which inputs of a batch failed", async () => {
    const answer = await contacts.batchApi.upsert({ inputs: [input("no email"), input("chidi@x.test")] });
    assert.equal(answer.numErrors, 1);
    assert.deepEqual(answer.errors[0].context.objectWriteTraceId, ["trace of no email"]);
    assert.deepEqual(answer.results.map((result) => result.objectWriteTraceId), ["trace of chidi@x.test"]);
  });

  test("reads a batch by email", async () => {
    await contacts.batchApi.upsert({ inputs: [input("dagny@x.test", { lastname: "Eriksen" })] });
    const answer = await contacts.batchApi.read({
      idProperty: "email",
      inputs: [{ id: "dagny@x.test" }, { id: "nobody@x.test" }],
      properties: ["lastname"],
      propertiesWithHistory: [],
    });
    assert.deepEqual(answer.results.map((contact) => contact.properties.lastname), ["Eriksen"]);
    assert.deepEqual(answer.errors[0].context.ids, ["nobody@x.test"]);
  });

  test("understands a refusal of the credential", async () => {
    const stranger = new HubSpot({ accessToken: "wrong", basePath: sandbox.systems.hubspot });
    const refused = stranger.crm.contacts.batchApi.upsert({ inputs: [input("ada@x.test")] });
    await assert.rejects(refused, (error) => error.code === 401 && error.body.category === "EXPIRED_AUTHENTICATION");
  });
});

describe("jsforce", () => {
  let connection;
  before(async () => {
    const { systems, secrets } = sandbox;
    const oauth2 = { loginUrl: systems.salesforce, clientId: "app", clientSecret: secrets["salesforce-client-secret"] };
    connection = new jsforce.Connection({ oauth2, version: "61.0" });
    const user = await connection.authorize({ grant_type: "client_credentials" });
    assert.match(user.organizationId, /^00D/);
    assert.equal(connection.instanceUrl, systems.salesforce);
  });

  test("creates a contact and retrieves it", async () => {
    const created = await connection.sobject("Contact").create({ Email: "elif@x.test", LastName: "Haddad" });
    assert.equal(created.success, true);
    const read = await connection.sobject("Contact").retrieve(created.id, { fields: ["LastName", "Email"] });
    assert.deepEqual([read.LastName, read.Email, read.attributes.type], ["Haddad", "elif@x.test", "Contact"]);
    assert.equal(connection.limitInfo.apiUsage.limit, 100_000);
  });

  test("upserts by external id: first it is created, then changed", async () => {
    const upsert = (Phone) => connection.sobject("Contact").upsert({ Email: "farida@x.test", LastName: "Ito", Phone }, "Email");
    const [first, again] = [await upsert("1"), await upsert("2")];
    assert.deepEqual([first.created, again.created, again.id], [true, false, first.id]);
    assert.equal((await connection.sobject("Contact").retrieve(first.id)).Phone, "2");
  });

  test("gets a result for each record of a collection, in their order", async () => {
    const records = [
      { Email: "goran@x.test", LastName: "Kowalski" },
      { Email: "hana@x.test" },
      { Email: "ines@x.test", LastName: "Moreau" },
    ];
    const results = await connection.sobject("Contact").upsert(records, "Email");
    assert.deepEqual(results.map((result) => result.success), [true, false, true]);
    assert.equal(results[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
    const read = await connection.sobject("Contact").retrieve([results[2].id, results[0].id]);
    assert.deepEqual(read.map((contact) => contact.LastName), ["Moreau", "Kowalski"]);
    const changed = await connection.sobject("Contact").update([{ Id: results[0].id, LastName: "Lindqvist" }]);
    assert.deepEqual(changed.map((result) => result.success), [true]);
  });

  test("understands an error by its code", async () => {
    const missing = connection.sobject("Contact").retrieve("0030000000000000AA");
    await assert.rejects(missing, (error) => error.errorCode === "NOT_FOUND");
    const twice = () => connection.sobject("Contact").create({ Email: "jonas@x.test", LastName: "Sato" });
    await twice();
    await assert.rejects(twice(), (error) => error.errorCode === "DUPLICATE_VALUE");
  });
});
