//! The command line against the real program.

use serde_json::json;
use signalbox_testkit::process::{Ran, ServeOptions, run};
use signalbox_testkit::{Answer, TestWorkspace, until};

use crate::support::{ONE_TRY, accepted, binary, one_destination, serve};

async fn cli(workspace: &TestWorkspace, arguments: &[&str]) -> Ran {
    run(binary(), workspace.path(), arguments, &ServeOptions::default()).await
}

#[tokio::test]
async fn check_says_every_problem_with_its_place() {
    let workspace = TestWorkspace::new();
    workspace.system("crm", "http://127.0.0.1:9", "tiemout = \"1s\"");
    workspace.write(
        "integrations/sync.toml",
        "title = \"Sync\"\n[source]\nkind = \"webhook\"\npath = \"/hooks/sync\"\nverify = { scheme = \"none\" }\n\
         type = '.body.type |'\n\n[[destinations]]\nname = \"crm\"\nsystem = \"crn\"\n",
    );
    let checked = cli(&workspace, &["check"]).await;
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for place in ["systems/crm.toml:6:1:", "integrations/sync.toml:6:", "integrations/sync.toml:10:"] {
        assert!(checked.stdout.contains(place), "{place}: {}", checked.stdout);
    }
    assert!(checked.stdout.contains("timeout") && checked.stdout.contains("'crm'"), "{}", checked.stdout);
    let listed = cli(&workspace, &["check", "--json"]).await;
    assert_eq!(listed.code, Some(1));
    let report = listed.json();
    assert_eq!(report["ok"], false);
    assert!(report["problems"].as_array().unwrap().len() >= 3, "{report:#}");
    let lines: Vec<_> = report["problems"].as_array().unwrap().iter().map(|problem| problem["line"].as_u64()).collect();
    assert!(lines.contains(&Some(6)) && lines.contains(&Some(10)), "{report:#}");
}

#[tokio::test]
async fn init_makes_a_workspace_that_check_finds_right() {
    let workspace = TestWorkspace::new();
    for example in ["webhook-to-http", "crm-sync"] {
        let dir = workspace.path().join(example);
        let dir = dir.to_str().unwrap();
        let made = cli(&workspace, &["init", dir, "--example", example]).await;
        assert_eq!(made.code, Some(0), "{made:?}");
        let checked = cli(&workspace, &["check", dir]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let again = cli(&workspace, &["init", dir, "--example", example]).await;
        assert_eq!(again.code, Some(1), "nothing is overwritten: {again:?}");
    }
    let unknown = cli(&workspace, &["init", "x", "--example", "crm-snyc"]).await;
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("crm-sync"), "{unknown:?}");
}

#[tokio::test]
async fn without_a_program_the_commands_say_so_with_their_own_exit_code() {
    let workspace = TestWorkspace::new();
    for arguments in
        [&["status"][..], &["deliveries"], &["show", "dlv_1"], &["discard", "state:dead"], &["replay", "state:dead"]]
    {
        let ran = cli(&workspace, arguments).await;
        assert_eq!(ran.code, Some(3), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("signalbox serve"), "{ran:?}");
    }
    let ran = cli(&workspace, &["status", "--json"]).await;
    assert_eq!((ran.code, &ran.json()["code"]), (Some(3), &json!("not-running")));
    // What a killed program left behind is no running program.
    let process = serve(&workspace).await;
    process.kill().await;
    assert_eq!(cli(&workspace, &["status"]).await.code, Some(3));
}

#[tokio::test]
async fn wrong_usage_has_its_own_exit_code() {
    let (workspace, _destination) = one_destination("").await;
    let _process = serve(&workspace).await;
    for arguments in
        [&["deliverys"][..], &["deliveries", "--limit", "0"], &["replay"], &["deliveries", "state:ded"], &["show", "x"]]
    {
        let ran = cli(&workspace, arguments).await;
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
    }
    let ran = cli(&workspace, &["deliveries", "state:ded"]).await;
    assert!(ran.stderr.contains("dead"), "{ran:?}");
}

#[tokio::test]
async fn status_says_what_is_wrong_in_a_systems_file() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    assert!(!cli(&workspace, &["status"]).await.stdout.contains("systems/crm.toml"));
    workspace.write("systems/crm.toml", "title = \"CRM\"\nbase_url = \"https://crm.test\"\ntiemout = \"1s\"\n");
    until("the reload", || async {
        let told = process.get("integrations").await;
        let own = |item: &serde_json::Value| !item["problems"].as_array().unwrap().is_empty();
        (own(&told) || told["items"].as_array().unwrap().iter().any(own)).then_some(())
    })
    .await;
    let status = cli(&workspace, &["status"]).await;
    assert_eq!(status.stdout.matches("systems/crm.toml:3:1: ").count(), 1, "{}", status.stdout);
    assert!(status.stdout.contains("timeout"), "{}", status.stdout);
    let problems = cli(&workspace, &["status", "--json"]).await.json()["problems"].clone();
    assert_eq!((&problems[0]["file"], &problems[0]["line"]), (&json!("systems/crm.toml"), &json!(3)));
}

#[tokio::test]
async fn a_dead_letter_is_found_shown_replayed_and_discarded() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    destination.otherwise(Answer::json(422, r#"{"error":"no such field"}"#));
    accepted(&process, "003A", 1).await;
    accepted(&process, "003B", 2).await;
    process.wait_for("state:dead", 2).await;

    let status = cli(&workspace, &["status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(status.stdout.contains("failing") && status.stdout.contains("2 dead letters"), "{}", status.stdout);
    assert!(status.stdout.contains("/sign-in?code="), "{}", status.stdout);
    assert_eq!(cli(&workspace, &["status", "--json"]).await.json()["overview"]["dead_letters"]["count"], 2);

    let listed = cli(&workspace, &["deliveries", "state:dead", "-key:003B"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert!(listed.stdout.contains("003A") && !listed.stdout.contains("003B"), "{}", listed.stdout);
    assert!(listed.stdout.contains("1 of 1"), "{}", listed.stdout);
    let page = cli(&workspace, &["deliveries", "key:003A", "--json"]).await.json();
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(cli(&workspace, &["deliveries", "key:nothing"]).await.code, Some(1));

    let shown = cli(&workspace, &["show", &id]).await;
    assert!(shown.stdout.contains("422") && shown.stdout.contains("003A"), "{}", shown.stdout);
    assert_eq!(cli(&workspace, &["show", &id, "--json"]).await.json()["id"], id.as_str());
    let event = page["items"][0]["event"].as_str().unwrap();
    assert!(cli(&workspace, &["show", event]).await.stdout.contains(&id));
    assert_eq!(cli(&workspace, &["show", "dlv_00000000000000000000000000"]).await.code, Some(1));

    let planned = cli(&workspace, &["replay", "state:dead", "--dry-run"]).await;
    assert_eq!(planned.code, Some(0), "{planned:?}");
    assert!(planned.stdout.contains("2 would be sent") && planned.stdout.contains("sync/crm"), "{}", planned.stdout);
    let failed = cli(&workspace, &["replay", &id, "--rate", "100"]).await;
    assert_eq!(failed.code, Some(1), "it died again: {failed:?}");
    destination.otherwise(Answer::status(200));
    let replayed = cli(&workspace, &["replay", &id, "--rate", "100", "--mode", "exact", "--reason", "mended"]).await;
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    assert!(replayed.stdout.contains("done: 1 of 1 delivered"), "{}", replayed.stdout);

    let discarded = cli(&workspace, &["discard", "state:dead", "--reason", "not wanted"]).await;
    assert_eq!(discarded.code, Some(0), "{discarded:?}");
    assert!(discarded.stdout.starts_with("1 discarded"), "{}", discarded.stdout);
    let undo = discarded.stdout.split("--undo ").nth(1).unwrap().trim().trim_end_matches('`').to_owned();
    let restored = cli(&workspace, &["discard", "--undo", &undo]).await;
    assert_eq!(restored.stdout.trim(), "1 restored");
    assert_eq!(cli(&workspace, &["discard", "state:held"]).await.code, Some(1), "nothing to discard");
}

#[tokio::test]
async fn openapi_needs_no_program() {
    let workspace = TestWorkspace::new();
    let described = cli(&workspace, &["openapi"]).await;
    assert_eq!(described.code, Some(0));
    assert_eq!(described.json()["info"]["title"], "Signalbox");
    let process = serve(&workspace).await;
    assert_eq!(process.get("openapi.json").await, described.json());
}

#[tokio::test]
async fn secrets_are_listed_without_their_values() {
    let workspace = TestWorkspace::new();
    workspace.system("crm", "http://127.0.0.1:9", "auth = { kind = \"bearer\", secret = \"crm-token\" }");
    let missing = cli(&workspace, &["secret", "list"]).await;
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stdout.contains("missing") && missing.stdout.contains("SIGNALBOX_SECRET_CRM_TOKEN"), "{missing:?}");
    let options = ServeOptions::default().secret("crm-token", "t0ps3cret");
    let listed = run(binary(), workspace.path(), &["secret", "list", "--json"], &options).await;
    assert_eq!((listed.code, &listed.json()["items"][0]["place"]), (Some(0), &json!("environment")));
    assert!(!listed.stdout.contains("t0ps3cret"));
    // No keyring is reachable here: an error that names the way out, and no plaintext file.
    let set = cli(&workspace, &["secret", "set", "crm-token"]).await;
    assert!(matches!(set.code, Some(1 | 2)), "{set:?}");
}
