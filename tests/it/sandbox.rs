//! The sandbox through the API: break it, see the dead letters, mend it, replay, and both systems hold the same again.

use serde_json::{Value, json};
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{ServeProcess, TestWorkspace, until};

use crate::support::serve_with;

async fn sandbox(workspace: &TestWorkspace) -> ServeProcess {
    serve_with(workspace, &ServeOptions::default().argument("--sandbox")).await
}

async fn dial(process: &ServeProcess, system: &str, patch: &Value) -> Value {
    let answer = process.ask("PUT", &format!("sandbox/systems/{system}/faults"), Some(patch)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn break_dead_letters_mend_replay_equal_ledgers() {
    let workspace = TestWorkspace::new();
    let process = sandbox(&workspace).await;
    assert_eq!(process.get("session").await["workspace"]["sandbox"], true);
    assert!(process.runtime["sandbox"]["hubspot"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    dial(&process, "salesforce", &json!({ "per_second": 20.0 })).await;
    until("the first deliveries", || async {
        let page = process.deliveries("state:delivered").await;
        (page["total"].as_u64() > Some(10)).then_some(())
    })
    .await;
    dial(&process, "hubspot", &json!({ "error_500": { "share": 1.0 } })).await;
    until("dead letters", || async {
        let page = process.deliveries("state:dead system:hubspot").await;
        (page["total"].as_u64() > Some(5)).then_some(())
    })
    .await;
    dial(&process, "salesforce", &json!({ "paused": true })).await;
    dial(&process, "hubspot", &json!({ "error_500": { "share": 0.0 } })).await;
    // What was under way when HubSpot was mended may still die of the last 500.
    process.wait_for("state:sending,retrying,queued", 0).await;
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 200 })).await;
    let path = format!("replays/{}", replay["id"].as_str().unwrap());
    let report = until("the replay to end", || async {
        let now = process.get(&path).await;
        now["ended_at"].is_string().then_some(now)
    })
    .await;
    assert_eq!((&report["state"], &report["dead"]), (&json!("done"), &json!(0)), "{report:#}");
    process.wait_for("-state:delivered", 0).await;
    let (hubspot, crm) =
        (process.get("sandbox/systems/hubspot/received").await, process.get("sandbox/systems/crm/received").await);
    assert_eq!((&hubspot["records"], &hubspot["records_hash"]), (&crm["records"], &crm["records_hash"]));
    assert!(hubspot["records"].as_u64() > Some(0));
    // The ledger of what arrived names the deliveries that the panel shows.
    let last = hubspot["items"].as_array().unwrap().iter().find(|item| item["delivery"].is_string()).unwrap();
    let known = process.get(&format!("deliveries/{}", last["delivery"].as_str().unwrap())).await;
    assert_eq!(known["state"], "delivered");
}

#[tokio::test]
async fn wrong_dials_are_refused() {
    let workspace = TestWorkspace::new();
    let process = sandbox(&workspace).await;
    let before = process.get("sandbox/systems/hubspot/faults").await;
    for (system, patch, status, code) in [
        ("hubspot", json!({ "error_500": { "share": 2 } }), 400, "invalid-parameter"),
        ("hubspot", json!({ "paused": true }), 400, "invalid-parameter"),
        ("hubspot", json!({ "outrage": true }), 400, "unknown-key"),
        ("nobody", json!({ "outage": true }), 404, "not-found"),
    ] {
        let answer = process.ask("PUT", &format!("sandbox/systems/{system}/faults"), Some(&patch)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{system} {patch}");
    }
    assert_eq!(dial(&process, "hubspot", &json!({})).await, before, "an empty change changes nothing");
}

#[tokio::test]
async fn the_sandbox_is_started_left_and_removed_beside_an_own_workspace() {
    let workspace = TestWorkspace::new();
    let process = serve_with(&workspace, &ServeOptions::default()).await;
    assert_eq!(process.get("session").await["first_run"], true);
    // A panel that waits for news of the one workspace hears at once that it is another now.
    let cursor = process.get("live?wait=0ms").await["cursor"].as_str().unwrap().to_owned();
    let path = format!("live?cursor={cursor}&wait=25s");
    let (begun, nothing) = (tokio::time::Instant::now(), json!({}));
    let (batch, session) = tokio::join!(process.get(&path), process.post("sandbox/start", &nothing));
    assert_eq!(batch["resync"], true);
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    assert_eq!((&session["workspace"]["sandbox"], &session["first_run"]), (&json!(true), &json!(false)));
    until("a first delivery in the sandbox", || async {
        let page = process.deliveries("state:delivered").await;
        (page["total"].as_u64() > Some(0)).then_some(())
    })
    .await;
    let session = process.post("sandbox/leave", &json!({})).await;
    assert_eq!(session["workspace"]["sandbox"], false);
    assert_eq!(process.deliveries("").await["total"], 0, "the own workspace saw nothing of it");
    assert_eq!(process.ask("DELETE", "sandbox", None).await.status, 204);
    assert_eq!(process.get("session").await["first_run"], true);
}
