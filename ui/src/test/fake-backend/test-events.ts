/** What a test event would do: HubSpot gets it as it is, the customer list leaves out what names no e-mail address. */
import type { TestAccepted, TestDryRun } from "../../domain/types";
import type { Answer } from "./backend";

export interface TestBody {
  body: string;
  content_type: string;
  dry_run: boolean;
}

export function triedOf({ body, content_type, dry_run }: TestBody): Answer {
  const accepted: TestAccepted = { events: [{ event: "evt_test1", duplicate: false, conflict_of: null }] };
  return dry_run ? { status: 200, body: dryRunOf(body, content_type) } : { status: 202, body: accepted };
}

export function dryRunOf(body: string, contentType: string): TestDryRun {
  const sent = { waits: null, stage: null, message: null };
  const request = (url: string) => ({
    method: "POST",
    url,
    headers: [["content-type", contentType] as [string, string]],
    body,
    truncated: false,
  });
  const filtered = { outcome: "filtered" as const, request: null, ...sent, message: "step 1, filter" };
  return {
    count: 1,
    events: [
      {
        type: "contact.changed",
        key: null,
        source_id: null,
        content_type: contentType,
        notes: [],
        destinations: [
          {
            destination: "hubspot",
            system: "hubspot",
            outcome: "sent",
            request: request("https://api.hubapi.test/"),
            ...sent,
          },
          body.includes("mail")
            ? { destination: "crm", system: "crm", outcome: "sent", request: request("https://crm.test/"), ...sent }
            : { destination: "crm", system: "crm", ...filtered },
        ],
      },
    ],
  };
}
