//! Destinations that take several deliveries in one request, and writes that hold only for the version they were made
//! for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Answer, Destination, ServeProcess, TestWorkspace, http};

use crate::support::{binary, detail, send, serve, serve_with};

const SANDBOX: &str = "# follows the sandbox";

/// A workspace whose system is one of the sandbox's.
fn of_sandbox(system: &str, auth: &str, destination: &str) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    let url = format!("base_url = \"http://127.0.0.1:0\" {SANDBOX}\n");
    workspace.write(&format!("systems/{system}.toml"), &format!("{url}allow_private = true\nauth = {auth}\n"));
    workspace.integration("sync", destination);
    workspace
}

async fn with_sandbox(workspace: &TestWorkspace) -> ServeProcess {
    let process = serve_with(workspace, &ServeOptions::default().argument("--sandbox")).await;
    turn(&process, "salesforce", &json!({ "paused": true })).await;
    process
}

async fn turn(process: &ServeProcess, system: &str, patch: &Value) {
    let answer = process.ask("PUT", &format!("sandbox/systems/{system}/faults"), Some(patch)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Many events over one connection after the other, as a sender would.
async fn send_contacts(process: &ServeProcess, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let body = json!({ "key": number.to_string(), "email": format!("{number}@x.test") });
        assert_eq!(send(process, &number.to_string(), &body).await.status, 200);
    }
}

const HUBSPOT: &str = r#"
[[destinations]]
name = "hubspot"
system = "hubspot"
request = { path = "/crm/v3/objects/contacts/batch/upsert" }
body = '{ id: .email, idProperty: "email", properties: { email } }'
batch = { preset = "hubspot", max = 100, linger = "3s" }
retry = { schedule = ["100ms", "100ms", "100ms", "100ms", "100ms", "100ms"], jitter = 0 }
"#;

/// The trace ids of each batch, oldest first.
fn batches(received: &Value) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = received["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let body: Value = serde_json::from_str(item["body"].as_str().unwrap()).unwrap();
            let trace = |input: &Value| input["objectWriteTraceId"].as_str().unwrap().to_owned();
            body["inputs"].as_array().unwrap().iter().map(trace).collect()
        })
        .collect();
    batches.reverse();
    batches
}

#[tokio::test]
async fn two_hundred_events_take_few_requests_and_only_failed_records_go_again() {
    let workspace = of_sandbox("hubspot", "{ kind = \"bearer\", secret = \"hubspot-token\" }", HUBSPOT);
    let process = with_sandbox(&workspace).await;
    turn(&process, "hubspot", &json!({ "partial": { "share": 0.1 } })).await;
    send_contacts(&process, 1..=200).await;
    let delivered = process.wait_for("state:delivered", 200).await;

    let received = process.get("sandbox/systems/hubspot/received?limit=500").await;
    assert_eq!(received["records"], 200, "all of them are there");
    let batches = batches(&received);
    assert!(batches.len() <= 16, "{} requests for 200 events", batches.len());
    let mut times: BTreeMap<&str, u64> = BTreeMap::new();
    for trace in batches.iter().flatten() {
        *times.entry(trace).or_default() += 1;
    }
    let rows = delivered["items"].as_array().unwrap();
    let attempts: BTreeMap<&str, u64> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), row["attempts"].as_u64().unwrap())).collect();
    assert_eq!(times, attempts, "each went as often as it says, and no oftener");
    let again = attempts.values().filter(|attempts| **attempts > 1).count();
    assert!((5..=60).contains(&again), "{again} of 200 went again");

    let mut whole = Value::Null;
    for retried in rows.iter().filter(|row| row["attempts"].as_u64() > Some(1)) {
        whole = detail(&process, retried).await;
        // Of a few that came late, more than half may have failed.
        if whole["attempts"][0]["batch"]["size"].as_u64() >= Some(20) {
            break;
        }
    }
    let first = &whole["attempts"][0];
    assert_eq!((first["status"].as_u64(), first["kind"].as_str()), (Some(207), Some("server")), "{first:#}");
    let batch = &first["batch"];
    let records = batch["records"].as_array().unwrap();
    let (size, failed) = (batch["size"].as_u64().unwrap(), batch["failed"].as_u64().unwrap());
    assert_eq!((records.len() as u64, batch["delivered"].as_u64().unwrap()), (size, size - failed));
    assert!(failed < size / 2, "{failed} of {size}");
    let own = records.iter().find(|record| record["delivery"] == whole["id"]).unwrap();
    assert_eq!((&own["status"], &own["message"]), (&json!("retrying"), &first["error"]));
    let part: Value = serde_json::from_str(first["response"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(part["category"], "INTERNAL_ERROR", "its own part of the answer, and not the whole");
}

#[tokio::test]
async fn an_answer_that_leaves_a_record_out_loses_none() {
    // All thirty go at once, once all are there; each later round lingers in vain.
    let thirty = HUBSPOT.replace("max = 100, linger = \"3s\"", "max = 30, linger = \"1500ms\"");
    let workspace = of_sandbox("hubspot", "{ kind = \"bearer\", secret = \"hubspot-token\" }", &thirty);
    let process = with_sandbox(&workspace).await;
    turn(&process, "hubspot", &json!({ "miscount": { "share": 0.5 } })).await;
    process.post("systems/hubspot/pause", &json!({})).await;
    send_contacts(&process, 1..=30).await;
    process.post("systems/hubspot/resume", &json!({})).await;
    process.wait_for("state:delivered", 30).await;
    let received = process.get("sandbox/systems/hubspot/received?limit=500").await;
    assert_eq!(received["records"], 30);
    let doubtful = batches(&received).iter().skip(1).all(|batch| batch.len() == 1);
    assert!(doubtful, "only the record that was left out goes again");
}

const SALESFORCE: &str = r#"
[[destinations]]
name = "salesforce"
system = "salesforce"
request = { method = "PATCH", path = "/services/data/v61.0/composite/sobjects/Contact/Email" }
body = '{ attributes: { type: "Contact" }, Email: .email, LastName: (if .key == "7" then null else "Test" end) }'
batch = { preset = "salesforce", max = 20, linger = "3s" }
retry = { schedule = ["100ms", "100ms", "100ms", "100ms", "100ms", "100ms"], jitter = 0 }
"#;

#[tokio::test]
async fn a_salesforce_collection_retries_what_is_locked_and_lets_what_is_wrong_die() {
    let workspace = of_sandbox("salesforce", "{ kind = \"bearer\", secret = \"salesforce-token\" }", SALESFORCE);
    let process = with_sandbox(&workspace).await;
    // The org's own story may have begun before it was paused.
    let before = process.get("sandbox/systems/salesforce/received").await["records"].as_u64().unwrap();
    turn(&process, "salesforce", &json!({ "partial": { "share": 0.2 } })).await;
    send_contacts(&process, 1..=20).await;
    process.wait_for("state:delivered", 19).await;
    let dead = process.wait_for("state:dead", 1).await;
    let message = "salesforce refused this record: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]";
    assert_eq!((&dead["items"][0]["key"], &dead["items"][0]["message"]), (&json!("7"), &json!(message)));
    let received = process.get("sandbox/systems/salesforce/received?limit=500").await;
    assert_eq!(received["records"].as_u64(), Some(before + 19));
    assert!(received["total"].as_u64() <= Some(8), "{}", received["total"]);
    let whole = detail(&process, &dead["items"][0]).await;
    assert!(whole["explain"].as_str().unwrap().contains("in one request"), "{}", whole["explain"]);
}

#[tokio::test]
async fn kill_9_between_batches_loses_nothing_and_keeps_the_order_of_each_key() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let batch = "batch = { max = 20, linger = \"50ms\", body = '{ items: . }', outcomes = '.records | map(true)' }";
    let retry = "retry = { schedule = [\"100ms\", \"100ms\", \"100ms\", \"100ms\"], jitter = 0 }";
    workspace.integration("sync", &signalbox_testkit::workspace::destination("crm", &format!("{batch}\n{retry}")));
    destination.script([Answer::status(200), Answer::status(503), Answer::Close, Answer::status(200), Answer::Hang]);
    let process = serve(&workspace).await;
    for number in 0..200_u64 {
        crate::support::accepted(&process, &format!("k{}", number % 20), number).await;
    }
    destination.wait_for(5).await;
    process.kill().await;
    let process = serve(&workspace).await;
    process.wait_for("state:delivered", 200).await;

    let mut of_key: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in destination.received() {
        let body = request.json();
        let items = body["items"].as_array().unwrap().clone();
        let keys: BTreeSet<_> = items.iter().map(|item| item["key"].to_string()).collect();
        assert_eq!(keys.len(), items.len(), "one of each key in a batch");
        for item in items {
            of_key.entry(item["key"].to_string()).or_default().push(item["number"].as_u64().unwrap());
        }
    }
    assert_eq!(of_key.len(), 20);
    for (key, numbers) in of_key {
        assert!(numbers.is_sorted(), "{key}: {numbers:?}");
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 10, "{key}: {numbers:?}");
    }
}

const CRM: &str = r#"
[[destinations]]
name = "crm"
system = "crm"
request = { method = "PUT", path = '/contacts/{{ .email }}' }
body = '{ email, firstname: "A", lastname: .name }'
condition = { read = true }

[[destinations]]
name = "strict"
system = "crm"
request = { method = "PUT", path = '/contacts/{{ .email }}' }
body = '{ email, firstname: "A", lastname: .name }'
condition = { if_match = '.etag // "\"none\""' }
"#;

#[tokio::test]
async fn a_write_for_another_version_is_a_conflict_and_overwrites_nothing() {
    let workspace = of_sandbox("crm", "{ kind = \"api-key\", header = \"x-api-key\", secret = \"crm-key\" }", CRM);
    let process = with_sandbox(&workspace).await;
    for (id, name) in [("1", "Created"), ("2", "Changed")] {
        let body = json!({ "key": "a", "email": "a@x.test", "name": name });
        assert_eq!(send(&process, id, &body).await.status, 200);
        process.wait_for("destination:crm state:delivered", id.parse().unwrap()).await;
    }
    let crm = process.runtime["sandbox"]["crm"].as_str().unwrap().to_owned();
    let calls = process.get("sandbox/systems/crm/received?limit=100").await;
    let statuses: BTreeSet<_> =
        calls["items"].as_array().unwrap().iter().filter_map(|item| item["status"].as_u64()).collect();
    assert!(
        statuses.is_superset(&[200, 201, 404, 412].into()),
        "created, read, changed, and in conflict: {statuses:?}"
    );

    let dead = process.wait_for("destination:strict state:dead", 1).await;
    let dead = &dead["items"][0];
    assert_eq!((&dead["kind"], &dead["status"], &dead["attempts"]), (&json!("rejected"), &json!(412), &json!(1)));
    let message = dead["message"].as_str().unwrap();
    assert!(
        message.starts_with("crm: /contacts/a%40x.test changed meanwhile, this write was for version \"none\""),
        "{message}"
    );
    let groups = process.get("dead-letters/groups").await;
    assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{groups:#}");
    let refused = http::send(&crm, "GET", "/contacts/a%40x.test", &[], b"").await.unwrap();
    assert_eq!(refused.status, 401, "the CRM is there and asks for its key");
}

#[tokio::test]
async fn check_says_where_batch_and_condition_do_not_fit() {
    let workspace = TestWorkspace::new();
    workspace.system("crm", "http://127.0.0.1:9", "");
    workspace.integration(
        "sync",
        "[[destinations]]\nname = \"crm\"\nsystem = \"crm\"\nrequest = { method = \"GET\" }\nbatch = { body = '.' }\n\
         condition = { read = true }\n",
    );
    let ran = signalbox_testkit::process::run(binary(), workspace.path(), &["check"], &ServeOptions::default()).await;
    assert_eq!(ran.code, Some(1));
    for problem in [
        "integrations/sync.toml:13:9: a GET carries no list of records",
        "integrations/sync.toml:13:9: 'outcomes' is missing in batch",
        "integrations/sync.toml:14:13: 'condition' holds for one record, and 'batch' sends many",
    ] {
        assert!(ran.stdout.contains(problem), "{problem}: {}", ran.stdout);
    }
}
