/** An integration's files, and what a changed mapping would have made of the last events. */
import type { FileText, Preview } from "../../domain/types";
import { aProblem, BODY } from "./factories";

const TOML = `title = "Contact sync"

[source]
kind = "webhook"
path = "/hooks/salesforce"
verify = { scheme = "standard-webhooks", secret = "salesforce-signing" }
type = '.body.type'
key = '.body.data.Id'

[[steps]]
kind = "validate"
schema = "schemas/contact.json"

[[steps]]
kind = "map"
jq = '''
.data | {
  email: (.Email | ascii_downcase),
  firstname: .FirstName,
  lastname: .LastName,
  score: .Score,
}
'''

[[destinations]]
name = "hubspot"
system = "hubspot"
request = { method = "POST", path = "/crm/v3/objects/contacts/batch/upsert" }
body = '{ inputs: [ { id: .email, idProperty: "email", properties: . } ] }'
`;
const SCHEMA = `{
  "type": "object",
  "required": ["type", "data"]
}
`;

export class FakeFiles {
  version = "1f3a9c0e77";
  files: FileText[] = [
    { path: "integrations/crm-sync.toml", text: TOML },
    { path: "schemas/contact.json", text: SCHEMA },
  ];

  preview(files: Record<string, string>, last: number): Preview {
    const text = Object.values(files).join("\n");
    const same = this.files.every((f) => files[f.path] === f.text);
    const nothing = {
      new_failures: 0,
      mended: 0,
      filtered: 0,
      problems: [],
      examples: [],
      seconds: 0.031,
      complete: true,
      events: last,
    };
    const open = text.split("\n").findIndex((line) => line.includes("!!"));
    if (open >= 0)
      return {
        ...nothing,
        version: "",
        events: 0,
        checked: 0,
        same: 0,
        changed: 0,
        problems: [aProblem({ line: open + 1, column: 3 })],
      };
    if (same) return { ...nothing, version: this.version, checked: last, same: last, changed: 0 };
    const renamed = BODY.replace('"firstname"', '"first_name"');
    return {
      ...nothing,
      version: "8c01d2aa40",
      checked: last,
      same: last - 40,
      changed: 36,
      new_failures: 3,
      mended: 1,
      examples: [
        {
          event: "evt_01kajq8x4mv0",
          destination: "hubspot",
          outcome: "changed",
          before: BODY,
          after: renamed,
          error: null,
          diff: [
            { path: "/inputs/0/properties/firstname", from: "Ana", to: null },
            { path: "/inputs/0/properties/first_name", from: null, to: "Ana" },
          ],
        },
        {
          event: "evt_01kajq8x4mv9",
          destination: "hubspot",
          outcome: "new-failure",
          before: BODY,
          after: null,
          error: 'step map: cannot index null with "FirstName"',
          diff: [],
        },
      ],
    };
  }

  save(files: Record<string, string>): void {
    this.files = this.files.map((f) => ({ path: f.path, text: files[f.path] ?? f.text }));
    this.version = `${this.version.slice(1)}${this.version[0]}`;
  }
}
