//! Changes of the workspace's files while the program runs.

use serde_json::json;
use signalbox_testkit::{Destination, ServeProcess, TestWorkspace, until, workspace};

use crate::support::{accepted, numbers, one_destination, send_to, serve};

async fn problems(process: &ServeProcess, count: usize) -> serde_json::Value {
    until("the problems of a reload", || async {
        let sync = process.get("integrations/sync").await;
        (sync["problems"].as_array().unwrap().len() == count).then_some(sync)
    })
    .await
}

#[tokio::test]
async fn a_broken_file_leaves_the_old_version_running_and_says_so() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let before = process.get("integrations/sync").await;
    workspace.write("integrations/sync.toml", "title = \"sync\"\n[source]\nkind = \"webhok\"\n");
    let after = until("the problems of a reload", || async {
        let sync = process.get("integrations/sync").await;
        (!sync["problems"].as_array().unwrap().is_empty()).then_some(sync)
    })
    .await;
    assert_eq!(after["version"], before["version"]);
    assert_eq!(after["problems"][0]["file"], "integrations/sync.toml");
    assert_eq!(after["problems"][0]["line"], 3);
    accepted(&process, "k", 1).await;
    destination.wait_for(1).await;
    workspace.integration("sync", &workspace::destination("crm", ""));
    problems(&process, 0).await;
}

#[tokio::test]
async fn a_file_that_is_broken_at_the_start_stops_only_its_own_integration() {
    let (workspace, destination) = one_destination("").await;
    workspace.write("integrations/broken.toml", "title = [\n");
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    destination.wait_for(1).await;
    let broken = process.get("integrations/broken").await;
    assert_eq!((&broken["state"], &broken["version"]), (&json!("broken"), &json!(null)));
    assert_eq!(send_to(&process.ingress(), "/hooks/broken", "1", b"{}").await.unwrap().status, 503);
    workspace.integration("broken", &workspace::destination("crm", ""));
    until("the mended integration to run", || async {
        let answer = send_to(&process.ingress(), "/hooks/broken", "1", b"{}").await.unwrap();
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn rows_of_a_removed_destination_wait_until_it_is_back() {
    let (workspace, one, two) = (TestWorkspace::new(), Destination::start().await, Destination::start().await);
    workspace.system("one", &one.url(), "").system("two", &two.url(), "");
    let both = format!("{}{}", workspace::destination("one", ""), workspace::destination("two", ""));
    workspace.integration("sync", &both);
    let process = serve(&workspace).await;
    process.post("systems/two/pause", &json!({})).await;
    accepted(&process, "k", 1).await;
    process.wait_for("destination:one state:delivered", 1).await;
    workspace.integration("sync", &workspace::destination("one", ""));
    until("the destination to be gone", || async {
        let sync = process.get("integrations/sync").await;
        (sync["destinations"] == json!(["one"])).then_some(())
    })
    .await;
    process.post("systems/two/resume", &json!({})).await;
    let held = process.deliveries("destination:two state:held").await;
    assert_eq!(held["total"], 1, "{held:#}");
    workspace.integration("sync", &both);
    process.wait_for("destination:two state:delivered", 1).await;
    assert_eq!(numbers(&two.received()), [1]);
}

#[tokio::test]
async fn a_new_integration_runs_without_a_restart() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    workspace.integration("second", &workspace::destination("crm", ""));
    until("the new integration to run", || async {
        let answer = send_to(&process.ingress(), "/hooks/second", "1", b"{\"number\":5}").await.unwrap();
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(numbers(&destination.wait_for(1).await), [5]);
    let names: Vec<String> = process.get("integrations").await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["second", "sync"]);
}
