//! Replays: exact, remapped, edited; with plan, canary, pause, cancel; in order and not over newer data.

use serde_json::{Value, json};
use signalbox_testkit::{Answer, Destination, ServeProcess, TestWorkspace, until, workspace};

use crate::support::{ONE_TRY, accepted, detail, numbers, one_destination, serve};

/// `count` dead letters of keys of their own.
async fn dead(process: &ServeProcess, destination: &Destination, count: u64) {
    destination.otherwise(Answer::status(500));
    for number in 1..=count {
        accepted(process, &format!("k{number}"), number).await;
    }
    process.wait_for("state:dead", count).await;
}

async fn ended(process: &ServeProcess, replay: &Value) -> Value {
    let path = format!("replays/{}", replay["id"].as_str().unwrap());
    until("the replay to end", || async {
        let now = process.get(&path).await;
        now["ended_at"].is_string().then_some(now)
    })
    .await
}

#[tokio::test]
async fn an_exact_replay_sends_the_same_bytes_under_the_same_key() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 2).await;
    destination.otherwise(Answer::status(200));
    let body = json!({ "filter": "state:dead", "mode": "exact", "rate": 50, "reason": "mended" });
    let started = process.ask("POST", "replays", Some(&body)).await;
    assert_eq!(started.status, 202);
    let replay = started.json();
    assert_eq!(
        started.header("location"),
        Some(format!("/api/v1/replays/{}", replay["id"].as_str().unwrap()).as_str())
    );
    let report = ended(&process, &replay).await;
    assert_eq!((&report["state"], &report["delivered"], &report["dead"]), (&json!("done"), &json!(2), &json!(0)));
    assert_eq!((&report["sent"], &report["total"], &report["reason"]), (&json!(2), &json!(2), &json!("mended")));
    let received = destination.received();
    let (first, second) = (&received[0], received[2..].iter().find(|again| again.body == received[0].body).unwrap());
    assert_eq!(first.header("idempotency-key"), second.header("idempotency-key"));
}

#[tokio::test]
async fn a_remapped_replay_runs_the_mapping_as_it_is_now_under_a_new_key() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let mapped = |field: &str| {
        format!("[[steps]]\nkind = \"map\"\njq = '{{ {field}: .number }}'\n{}", workspace::destination("crm", ONE_TRY))
    };
    workspace.integration("sync", &mapped("old"));
    let process = serve(&workspace).await;
    let before = process.get("integrations/sync").await["version"].clone();
    dead(&process, &destination, 1).await;
    workspace.integration("sync", &mapped("new"));
    until("the reload", || async { (process.get("integrations/sync").await["version"] != before).then_some(()) }).await;
    destination.otherwise(Answer::status(200));
    let replay = process.post("replays", &json!({ "filter": "state:dead" })).await;
    assert_eq!(replay["mode"], "remap");
    ended(&process, &replay).await;
    let received = destination.received();
    assert_eq!(received[0].json(), json!({ "old": 1 }));
    assert_eq!(received[1].json(), json!({ "new": 1 }));
    let key = received[0].header("idempotency-key").unwrap();
    assert_eq!(received[1].header("idempotency-key"), Some(format!("{key}.r2").as_str()));
    let page = process.wait_for("state:delivered", 1).await;
    let whole = detail(&process, &page["items"][0]).await;
    let origins: Vec<_> =
        whole["revisions"].as_array().unwrap().iter().map(|one| one["origin"].as_str().unwrap()).collect();
    assert_eq!(origins, ["mapped", "remapped"]);
    assert_eq!(whole["attempts"][0]["request"]["body"], r#"{"old":1}"#, "each attempt shows what it sent");
}

#[tokio::test]
async fn one_dead_letter_is_edited_and_sent() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 1).await;
    destination.otherwise(Answer::status(200));
    let page = process.deliveries("state:dead").await;
    let id = page["items"][0]["id"].clone();
    let replay = process.post("replays", &json!({ "ids": [id], "edit": "{\"number\": 7.10}" })).await;
    ended(&process, &replay).await;
    let received = destination.received();
    assert_eq!(received[1].body, b"{\"number\": 7.10}");
    assert!(received[1].header("idempotency-key").unwrap().ends_with(".r2"));
    let whole = process.get(&format!("deliveries/{}", id.as_str().unwrap())).await;
    assert_eq!(whole["state"], "delivered");
    assert_eq!(whole["revisions"][1]["origin"], "edited");
}

#[tokio::test]
async fn an_edit_is_for_one_delivery_only() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 2).await;
    let answer = process.ask("POST", "replays", Some(&json!({ "filter": "state:dead", "edit": "{}" }))).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(destination.received().len(), 2, "nothing was sent");
}

#[tokio::test]
async fn a_plan_says_what_would_happen_and_freezes_the_set() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 3).await;
    let planned =
        process.ask("POST", "replays", Some(&json!({ "filter": "state:dead", "rate": 2, "dry_run": true }))).await;
    assert_eq!(planned.status, 200);
    let plan = planned.json();
    assert_eq!((&plan["count"], &plan["by_destination"]), (&json!(3), &json!({ "sync/crm": 3 })));
    assert_eq!(plan["seconds"], 1.5);
    assert_eq!(plan["with_key"], 3);
    let sample = &plan["sample_requests"][0];
    assert_eq!(sample["method"], "POST");
    assert!(sample["url"].as_str().unwrap().ends_with("/crm"), "{sample:#}");
    assert_eq!(destination.received().len(), 3, "nothing was sent");

    // One more dies after the plan: it is not part of the set.
    accepted(&process, "later", 4).await;
    process.wait_for("state:dead", 4).await;
    destination.otherwise(Answer::status(200));
    let replay = process.post("replays", &json!({ "plan": plan["plan"], "rate": 100 })).await;
    assert_eq!(replay["id"], plan["plan"]);
    let report = ended(&process, &replay).await;
    assert_eq!(report["delivered"], 3);
    process.wait_for("state:dead key:later", 1).await;
    let twice = process.ask("POST", "replays", Some(&json!({ "plan": plan["plan"] }))).await;
    assert_eq!((twice.status, &twice.json()["code"]), (409, &json!("wrong-state")));
}

#[tokio::test]
async fn a_canary_that_fails_stops_the_rest() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 5).await;
    let body = json!({ "filter": "state:dead", "canary": true, "rate": 100 });
    let report = ended(&process, &process.post("replays", &body).await).await;
    assert_eq!(
        (&report["state"], &report["canary_ok"], &report["dead"]),
        (&json!("stopped"), &json!(false), &json!(1))
    );
    assert!(report["stopped_because"].is_string());
    assert_eq!(destination.received().len(), 6);
    process.wait_for("state:dead", 5).await;

    destination.otherwise(Answer::status(200));
    let report = ended(&process, &process.post("replays", &body).await).await;
    assert_eq!(
        (&report["state"], &report["canary_ok"], &report["delivered"]),
        (&json!("done"), &json!(true), &json!(5))
    );
}

#[tokio::test]
async fn a_replay_is_paused_resumed_and_cancelled() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 20).await;
    destination.otherwise(Answer::status(200));
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 4 })).await;
    let path = format!("replays/{}", replay["id"].as_str().unwrap());
    destination.wait_for(21).await;
    assert_eq!(process.post(&format!("{path}/pause"), &json!({})).await["state"], "paused");
    let again = process.ask("POST", &format!("{path}/pause"), None).await;
    assert_eq!(again.status, 409);
    process.wait_for("state:sending,queued,retrying", 0).await;
    let paused_at = destination.received().len();
    // At 4 a second, more would have come by now.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    assert_eq!(destination.received().len(), paused_at);
    assert_eq!(process.post(&format!("{path}/resume"), &json!({})).await["state"], "running");
    destination.wait_for(paused_at + 1).await;
    assert_eq!(process.post(&format!("{path}/cancel"), &json!({})).await["state"], "cancelled");
    process.wait_for("state:sending,queued,retrying", 0).await;
    let report = process.get(&path).await;
    let delivered = report["delivered"].as_u64().unwrap();
    assert!((2..20).contains(&delivered), "{report:#}");
    process.wait_for("state:dead", 20 - delivered).await;
    let late = process.ask("POST", &format!("{path}/resume"), None).await;
    assert_eq!(late.status, 409);
}

#[tokio::test]
async fn a_dead_letter_older_than_what_was_delivered_is_left_out() {
    let (workspace, destination) = one_destination(&format!("{ONE_TRY}\non_dead = \"pass\"")).await;
    destination.script([Answer::status(500)]);
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    process.wait_for("state:dead", 1).await;
    accepted(&process, "k", 2).await;
    process.wait_for("state:delivered", 1).await;
    let plan = process.post("replays", &json!({ "filter": "state:dead", "dry_run": true })).await;
    assert_eq!((&plan["count"], &plan["skipped"]["newer"]), (&json!(0), &json!(1)));
    let refused = process.ask("POST", "replays", Some(&json!({ "filter": "state:dead" }))).await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("wrong-state")));
    let replay = process.post("replays", &json!({ "filter": "state:dead", "newer": "send" })).await;
    assert_eq!(ended(&process, &replay).await["delivered"], 1);
    assert_eq!(numbers(&destination.received()), [1, 2, 1]);
}

#[tokio::test]
async fn a_replay_keeps_the_order_of_each_key() {
    let (workspace, destination) = one_destination(&format!("{ONE_TRY}\non_dead = \"pass\"")).await;
    let process = serve(&workspace).await;
    destination.otherwise(Answer::status(500));
    for number in 1..=6 {
        accepted(&process, "k", number).await;
        process.wait_for("state:dead", number).await;
    }
    destination.otherwise(Answer::status(200));
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 1000 })).await;
    ended(&process, &replay).await;
    assert_eq!(numbers(&destination.received())[6..], [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_replay_goes_on_after_the_program_was_killed() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 12).await;
    destination.otherwise(Answer::status(200));
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 5 })).await;
    destination.wait_for(14).await;
    process.kill().await;
    let process = serve(&workspace).await;
    let report = ended(&process, &replay).await;
    assert_eq!((&report["state"], &report["delivered"]), (&json!("done"), &json!(12)), "{report:#}");
}

#[tokio::test]
async fn wrong_replays_are_refused() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    destination.wait_for(1).await;
    let delivered = process.wait_for("state:delivered", 1).await["items"][0]["id"].clone();
    for (body, status, code) in [
        (json!({}), 400, "empty-selection"),
        (json!({ "filter": "" }), 400, "empty-selection"),
        (json!({ "ids": [] }), 400, "empty-selection"),
        (json!({ "filter": "state:dead" }), 400, "empty-selection"),
        (json!({ "filter": "state:ded" }), 400, "invalid-filter"),
        (json!({ "filter": "state:dead", "ids": ["x"] }), 400, "invalid-body"),
        (json!({ "ids": ["dlv_x"] }), 400, "invalid-parameter"),
        (json!({ "ids": ["dlv_00000000000000000000000000"] }), 404, "not-found"),
        (json!({ "ids": [delivered] }), 409, "wrong-state"),
        (json!({ "filter": "state:dead", "rate": 0 }), 400, "invalid-parameter"),
        (json!({ "filter": "state:dead", "rate": 1e9 }), 400, "invalid-parameter"),
        (json!({ "filter": "state:dead", "mode": "again" }), 400, "invalid-body"),
        (json!({ "filter": "state:dead", "dryrun": true }), 400, "unknown-key"),
        (json!({ "plan": "rpl_00000000000000000000000000" }), 404, "not-found"),
    ] {
        let answer = process.ask("POST", "replays", Some(&body)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{body}: {}", answer.text());
    }
    assert_eq!(process.ask("GET", "replays/rpl_00000000000000000000000000", None).await.status, 404);
}

#[tokio::test]
async fn one_patch_mends_a_group_and_the_report_says_what_it_did_not_fit() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 3).await;
    destination.otherwise(Answer::status(200));
    let patch =
        json!([{ "op": "test", "path": "/number", "value": 2 }, { "op": "add", "path": "/zip", "value": 8004.50 }]);
    let body = json!({ "filter": "state:dead", "mode": "exact", "rate": 100, "patch": patch });
    let mut dry = body.clone();
    dry["dry_run"] = json!(true);
    let plan = process.ask("POST", "replays", Some(&dry)).await.json();
    assert_eq!(
        (&plan["patch"]["fits"], &plan["patch"]["misfits"], &plan["patch"]["checked"]),
        (&json!(1), &json!(2), &json!(3))
    );
    let report = ended(&process, &process.post("replays", &body).await).await;
    assert_eq!((&report["delivered"], &report["skipped"]["patch"]), (&json!(1), &json!(2)));
    let sent = &destination.received()[3];
    assert!(sent.body.ends_with(b",\"zip\":8004.5}"), "{:?}", String::from_utf8_lossy(&sent.body));
    assert!(sent.header("idempotency-key").unwrap().ends_with(".r2"));
    let items = process.get(&format!("replays/{}/items?limit=2", report["id"].as_str().unwrap())).await;
    assert_eq!((&items["items"][0]["state"], &items["items"][1]["state"]), (&json!("skipped"), &json!("delivered")));
    assert!(items["items"][0]["message"].as_str().unwrap().contains("/number"), "{items:#}");
    let rest = format!("replays/{}/items?cursor={}", report["id"].as_str().unwrap(), items["next"].as_str().unwrap());
    assert_eq!(process.get(&rest).await["items"].as_array().unwrap().len(), 1);
    let wrong =
        process.ask("POST", "replays", Some(&json!({ "filter": "state:dead", "patch": [{ "op": "x" }] }))).await;
    assert_eq!((wrong.status, &wrong.json()["code"]), (400, &json!("invalid-parameter")));
}

#[tokio::test]
async fn a_replay_is_undone_before_it_is_sent_and_not_after() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    dead(&process, &destination, 2).await;
    destination.otherwise(Answer::status(200));
    process.post("systems/crm/pause", &json!({})).await;
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 100 })).await;
    process.wait_for("state:held", 2).await;
    let id = replay["id"].as_str().unwrap();
    let undone = process.ask("POST", &format!("replays/{id}/undo"), None).await;
    assert_eq!((undone.status, &undone.json()["undone"]), (202, &json!(2)));
    let page = process.wait_for("state:dead", 2).await;
    process.post("systems/crm/resume", &json!({})).await;
    let lineage = detail(&process, &page["items"][0]).await["lineage"].clone();
    assert_eq!(lineage.as_array().unwrap().last().unwrap()["what"], "restored", "{lineage:#}");
    let replay = process.post("replays", &json!({ "filter": "state:dead", "rate": 100 })).await;
    ended(&process, &replay).await;
    let late = process.ask("POST", &format!("replays/{}/undo", replay["id"].as_str().unwrap()), None).await;
    assert_eq!((late.status, &late.json()["code"]), (409, &json!("wrong-state")));
    assert_eq!(destination.received().len(), 4);
}

#[tokio::test]
async fn a_selection_without_dead_letters_is_an_empty_one_and_a_list_is_no_body() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    destination.otherwise(Answer::status(200));
    accepted(&process, "a", 1).await;
    process.wait_for("state:delivered", 1).await;
    let answer = process.ask("POST", "replays", Some(&json!({ "filter": "destination:crm" }))).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("empty-selection")));
    let answer = process.ask("POST", "replays", Some(&json!(["state:dead"]))).await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("invalid-body")));
    for path in ["systems?limit=1", "integrations?x=1", "integrations/sync?x=1"] {
        let answer = process.ask("GET", path, None).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("unknown-key")), "{path}");
    }
}

#[tokio::test]
async fn changed_files_are_tried_on_what_has_happened_and_then_saved() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let mapped =
        |jq: &str| format!("[[steps]]\nkind = \"map\"\njq = '{jq}'\n{}", workspace::destination("crm", ONE_TRY));
    workspace.integration("sync", &mapped("{ number }"));
    let process = serve(&workspace).await;
    for number in 1..=3 {
        accepted(&process, &format!("k{number}"), number).await;
    }
    process.wait_for("state:delivered", 3).await;
    let files = process.get("integrations/sync/files").await;
    let text = files["files"][0]["text"].as_str().unwrap();
    let changed = text.replace("{ number }", "if .number == 3 then error(\"no\") else { number, key } end");
    let body = json!({ "files": { "integrations/sync.toml": changed }, "last": 2 });
    let told = process.ask("POST", "integrations/sync/preview", Some(&body)).await.json();
    assert_eq!(
        (&told["events"], &told["changed"], &told["new_failures"]),
        (&json!(2), &json!(1), &json!(1)),
        "{told:#}"
    );
    assert_eq!(told["examples"][0]["outcome"], "new-failure");
    assert_eq!(destination.received().len(), 3, "nothing is sent");

    // By the command too, from a folder.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("integrations")).unwrap();
    std::fs::write(folder.path().join("integrations/sync.toml"), &changed).unwrap();
    let arguments = ["preview", "sync", "--files", folder.path().to_str().unwrap(), "--last", "3"];
    let ran =
        signalbox_testkit::process::run(crate::support::binary(), workspace.path(), &arguments, &Default::default())
            .await;
    assert_eq!(ran.code, Some(1), "an event fails that did not before");

    let save = json!({ "files": { "integrations/sync.toml": changed }, "version": files["version"] });
    let saved = process.ask("POST", "integrations/sync/files", Some(&save)).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    until("the saved files to run", || async {
        let now = process.get("integrations/sync").await;
        (now["version"] == told["version"]).then_some(())
    })
    .await;
    let again = process.ask("POST", "integrations/sync/files", Some(&save)).await;
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("wrong-state")));
}
