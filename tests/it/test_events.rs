//! Test events: what a dry run says, and what is sent when a person means it.

use serde_json::{Value, json};
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Destination, Response, ServeProcess, TestWorkspace, workspace};

use crate::support::{detail, one_destination, only, serve, serve_with};

async fn test(process: &ServeProcess, integration: &str, body: &Value) -> Response {
    process.ask("POST", &format!("integrations/{integration}/test"), Some(body)).await
}

/// A signed source behind a filter and a map, with two destinations: one sends, one cannot make its request.
async fn signed() -> (TestWorkspace, Destination) {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "auth = { kind = \"bearer\", secret = \"crm\" }");
    workspace.system("list", &destination.url(), "");
    let source = "title = \"Signed\"\n[source]\nkind = \"webhook\"\npath = \"/hooks/signed\"\nmax_body = \"1KiB\"\n\
                  verify = { scheme = \"bearer\", secret = \"sender\" }\ntype = '.body.type'\nkey = '.body.key'\n\
                  dedupe = { id = '.headers[\"x-id\"]' }\n";
    let steps = "[[steps]]\nkind = \"filter\"\njq = '.number > 5'\n\
                 [[steps]]\nkind = \"map\"\njq = '{ mail: (.email | ascii_downcase), amount }'\n";
    let crm = "[[destinations]]\nname = \"crm\"\nsystem = \"crm\"\n\
               request = { method = \"PUT\", path = '/contacts/{{ .mail | @uri }}' }\n";
    let list = "[[destinations]]\nname = \"list\"\nsystem = \"list\"\nbody = 'error(\"no list\")'\n";
    workspace.write("integrations/signed.toml", &format!("{source}{steps}{crm}{list}"));
    (workspace, destination)
}

fn secrets() -> ServeOptions {
    ServeOptions::default().secret("crm", "a-token-of-the-crm").secret("sender", "a-token-of-the-sender")
}

const BODY: &str = r#"{"type":"contact.changed","key":"k","email":"Ada@Acme.test","amount":1.10,"number":6}"#;

#[tokio::test]
async fn a_dry_run_shows_the_very_bytes_that_are_sent_afterwards_and_stores_nothing() {
    let (workspace, destination) = signed().await;
    let process = serve_with(&workspace, &secrets()).await;
    let dry = test(&process, "signed", &json!({ "body": BODY, "headers": { "X-Id": "one" } })).await;
    assert_eq!(dry.status, 200, "{}", dry.text());
    let dry = dry.json();
    assert_eq!(dry["count"], 1);
    let event = &dry["events"][0];
    assert_eq!(
        (&event["type"], &event["key"], &event["source_id"]),
        (&json!("contact.changed"), &json!("k"), &json!("one"))
    );
    let (crm, list) = (&event["destinations"][0], &event["destinations"][1]);
    assert_eq!((&crm["destination"], &crm["outcome"], &crm["waits"]), (&json!("crm"), &json!("sent"), &Value::Null));
    assert_eq!((&list["outcome"], &list["stage"]), (&json!("dead"), &json!("request")), "{list:#}");
    assert!(list["message"].as_str().unwrap().contains("no list"), "{list:#}");
    assert!(!dry.to_string().contains("a-token-of-the-crm"), "a credential is shown: {dry:#}");
    assert_eq!(process.deliveries("").await["total"], 0);
    assert_eq!(destination.count(), 0);

    let sent = test(&process, "signed", &json!({ "body": BODY, "headers": { "X-Id": "one" }, "dry_run": false })).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let received = destination.wait_for(1).await;
    process.wait_for("state:delivered", 1).await;
    let request = &crm["request"];
    assert_eq!(request["method"].as_str(), Some(received[0].method.as_str()));
    assert_eq!(request["url"].as_str().unwrap(), format!("{}{}", destination.url(), received[0].path));
    assert_eq!(request["body"].as_str().unwrap().as_bytes(), received[0].body);
    for header in request["headers"].as_array().unwrap() {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str());
        if !["authorization", "idempotency-key"].contains(&name) {
            assert_eq!(value, received[0].header(name), "{name}");
        }
        assert!(received[0].header(name).is_some(), "{name} was shown and not sent");
    }
    only(&process, "state:dead destination:list stage:request").await;
}

#[tokio::test]
async fn a_test_event_is_known_as_one_and_as_its_own_repeat() {
    let (workspace, destination) = signed().await;
    let process = serve_with(&workspace, &secrets()).await;
    let body = json!({ "body": BODY, "headers": { "x-id": "one" }, "dry_run": false });
    let first = test(&process, "signed", &body).await.json();
    assert_eq!(first["events"][0]["duplicate"], false, "{first:#}");
    let again = test(&process, "signed", &body).await;
    assert_eq!((again.status, &again.json()["events"][0]["event"]), (202, &first["events"][0]["event"]));
    assert_eq!(again.json()["events"][0]["duplicate"], true);
    process.wait_for("state:delivered", 1).await;
    assert_eq!(destination.count(), 1);
    let delivery = only(&process, "destination:crm").await;
    let event = process.get(&format!("events/{}", first["events"][0]["event"].as_str().unwrap())).await;
    assert!(event["headers"].as_array().unwrap().contains(&json!(["x-signalbox-test", "1"])), "{event:#}");
    let verified = |detail: &Value| {
        let trace = detail["trace"].as_array().unwrap();
        trace.iter().find(|step| step["step"] == "verified").unwrap().clone()
    };
    let of_test = verified(&detail(&process, &delivery).await);
    assert_eq!(of_test["outcome"], "skipped", "nothing was verified: {of_test:#}");

    // A sender cannot pass its event off as a test.
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer a-token-of-the-sender"),
        ("x-signalbox-test", "1"),
        ("x-id", "two"),
    ];
    let other = BODY.replace("\"k\"", "\"other\"");
    let answer =
        signalbox_testkit::http::send(&process.ingress(), "POST", "/hooks/signed", &headers, other.as_bytes()).await;
    assert_eq!(answer.unwrap().status, 200);
    process.wait_for("state:delivered", 2).await;
    let delivery = only(&process, "destination:crm key:other").await;
    assert_eq!(verified(&detail(&process, &delivery).await)["outcome"], "ok");
}

#[tokio::test]
async fn a_dry_run_names_the_filter_that_says_no() {
    let (workspace, _destination) = signed().await;
    let process = serve_with(&workspace, &secrets()).await;
    let dry = test(&process, "signed", &json!({ "body": r#"{"number":5}"#, "dry_run": true })).await.json();
    for destination in dry["events"][0]["destinations"].as_array().unwrap() {
        assert_eq!(destination["outcome"], "filtered", "{destination:#}");
        assert_eq!(destination["message"], "step 1, filter");
        assert_eq!(destination["request"], Value::Null);
    }
}

#[tokio::test]
async fn a_paused_integration_takes_a_test_event_and_lets_it_wait() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    process.post("integrations/sync/pause", &json!({})).await;
    let dry = test(&process, "sync", &json!({ "body": "{}" })).await.json();
    let waits = dry["events"][0]["destinations"][0]["waits"].as_str().unwrap_or_default().to_owned();
    assert!(waits.contains("paused"), "{dry:#}");
    let sent = test(&process, "sync", &json!({ "body": "{}", "dry_run": false })).await;
    assert_eq!(sent.status, 202);
    process.wait_for("state:held reason:pause", 1).await;
    assert_eq!(destination.count(), 0);
    process.post("integrations/sync/resume", &json!({})).await;
    process.wait_for("state:delivered", 1).await;
}

#[tokio::test]
async fn a_body_that_makes_many_events_shows_the_first_of_them() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let source = "title = \"Many\"\n[source]\nkind = \"webhook\"\npath = \"/hooks/many\"\nverify = { scheme = \"none\" }\n\
                  split = '.body'\n";
    workspace.write("integrations/many.toml", &format!("{source}{}", workspace::destination("crm", "")));
    let process = serve(&workspace).await;
    let numbers: Vec<u32> = (1..=25).collect();
    let body = Value::from(numbers).to_string();
    let dry = test(&process, "many", &json!({ "body": body })).await.json();
    let events = dry["events"].as_array().unwrap();
    assert_eq!((&dry["count"], events.len()), (&json!(25), 20));
    assert_eq!(events[19]["destinations"][0]["request"]["body"], "20");
    let sent = test(&process, "many", &json!({ "body": body, "dry_run": false })).await.json();
    assert_eq!(sent["events"].as_array().unwrap().len(), 25);
    destination.wait_for(25).await;

    let unfit = test(&process, "many", &json!({ "body": r#"{"a":1}"# })).await;
    let problem = unfit.json();
    assert_eq!((unfit.status, problem["code"].as_str()), (400, Some("invalid-parameter")), "{problem:#}");
    assert!(problem["detail"].as_str().unwrap().contains("not an array"), "{problem:#}");
}

#[tokio::test]
async fn what_the_source_would_not_take_is_refused_with_the_reason() {
    let (workspace, destination) = signed().await;
    workspace.write("integrations/torn.toml", "title = \"Torn\"\n[source]\nkind = 3\n");
    let process = serve_with(&workspace, &secrets()).await;
    let long = "x".repeat(1_025);
    for (integration, body, status, code) in [
        ("nothing", json!({ "body": "{}" }), 404, "not-found"),
        ("torn", json!({ "body": "{}" }), 503, "integration-broken"),
        ("signed", json!({}), 400, "invalid-body"),
        ("signed", json!({ "body": {} }), 400, "invalid-body"),
        ("signed", json!({ "body": "{}", "dryrun": true }), 400, "unknown-key"),
        ("signed", json!({ "body": long }), 413, "payload-too-large"),
        ("signed", json!({ "body": "{}", "content_type": "a\nb" }), 400, "invalid-parameter"),
        ("signed", json!({ "body": "{}", "headers": { "content-type": "a/b" } }), 400, "invalid-parameter"),
        ("signed", json!({ "body": "{}", "headers": { "signalbox-hop": "9" } }), 400, "invalid-parameter"),
    ] {
        for dry_run in [true, false] {
            let mut body = body.clone();
            body["dry_run"] = dry_run.into();
            let answer = test(&process, integration, &body).await;
            let problem = answer.json();
            assert_eq!((answer.status, problem["code"].as_str()), (status, Some(code)), "{body}: {problem:#}");
        }
    }
    // What cannot be read is taken, as from a sender, and dies where a person sees it: the dry run says so.
    let torn = test(&process, "signed", &json!({ "body": "{" })).await.json();
    let first = &torn["events"][0]["destinations"][0];
    assert_eq!((&first["outcome"], &first["stage"]), (&json!("dead"), &json!("accept")), "{torn:#}");
    assert_eq!(process.deliveries("").await["total"], 0);
    assert_eq!(destination.count(), 0);
}
