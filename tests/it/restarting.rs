//! Killed under load, again and again: nothing acknowledged is lost, and each key keeps its order.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::load::{Load, settled, two_destinations};
use signalbox_testkit::{ServeProcess, TestWorkspace, until};

use crate::support::{binary, send_to, serve};

async fn cycles(count: u64, workspace: &TestWorkspace) -> (ServeProcess, Arc<Load>) {
    let mut process = serve(workspace).await;
    let (ingress, watched) = tokio::sync::watch::channel(process.ingress());
    let (load, mut tasks) = Load::start(watched);
    for cycle in 0..count {
        let before = load.total();
        // At least something is acknowledged in each life; then it is killed at a moment of its own.
        until("acknowledged events", || async { (load.total() > before + 3).then_some(()) }).await;
        tokio::time::sleep(Duration::from_millis(cycle * 7 % 120)).await;
        process.kill().await;
        process = serve(workspace).await;
        ingress.send_replace(process.ingress());
    }
    load.stop();
    while tasks.join_next().await.is_some() {}
    (process, load)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_nothing_acknowledged_and_keep_the_order() {
    let (workspace, one, two) = two_destinations().await;
    let (process, load) = cycles(50, &workspace).await;
    settled(&process).await;
    load.check("one", &one.received());
    load.check("two", &two.received());
    println!(
        "{} events acknowledged over 50 kills; {} and {} requests",
        load.total(),
        one.received().len(),
        two.received().len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_with_both_destinations_down_it_delivers_when_they_are_back() {
    let (workspace, mut one, mut two) = two_destinations().await;
    one.go_down();
    two.go_down();
    let (process, load) = cycles(5, &workspace).await;
    assert!(one.received().is_empty() && two.received().is_empty());
    one.come_back().await;
    two.come_back().await;
    settled(&process).await;
    load.check("one", &one.received());
    load.check("two", &two.received());
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_is_repeated_with_the_same_key() {
    let (workspace, one, two) = two_destinations().await;
    one.script([signalbox_testkit::Answer::Hang]);
    let process = serve(&workspace).await;
    let body = json!({ "type": "a", "key": "k", "number": 1 }).to_string();
    send_to(&process.ingress(), "/hooks/sync", "1", body.as_bytes()).await.unwrap();
    one.wait_for(1).await;
    two.wait_for(1).await;
    process.kill().await;
    let process = serve(&workspace).await;
    let received = one.wait_for(2).await;
    assert_eq!(received[0].header("idempotency-key"), received[1].header("idempotency-key"));
    let page = process.wait_for("destination:one state:delivered", 1).await;
    let whole = crate::support::detail(&process, &page["items"][0]).await;
    assert_eq!(
        (&whole["attempts"][0]["kind"], &whole["attempts"][0]["waited_for"]),
        (&json!("unknown"), &json!("restart"))
    );
}

#[tokio::test]
async fn a_second_process_is_refused_with_the_pid_of_the_first() {
    let (workspace, _one, _two) = two_destinations().await;
    let process = serve(&workspace).await;
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--ingress", "127.0.0.1:0"];
    let second = signalbox_testkit::process::run(binary(), workspace.path(), &arguments, &Default::default()).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains(&process.pid().to_string()), "{second:?}");
    assert_eq!(process.ask("GET", "/readyz", None).await.status, 200);
}

#[tokio::test]
async fn a_panel_that_waits_for_news_does_not_hold_up_the_end() {
    let (workspace, _one, _two) = two_destinations().await;
    let process = serve(&workspace).await;
    let cursor = process.get("live?wait=0ms").await["cursor"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {}", process.token());
    let api = process.api();
    let waiting = tokio::spawn(async move {
        let path = format!("/api/v1/live?cursor={cursor}&wait=25s");
        let headers = [("authorization", authorization.as_str())];
        signalbox_testkit::http::send(&api, "GET", &path, &headers, b"").await
    });
    // So that it waits before the order to stop comes.
    process.get("live?wait=0ms").await;
    let begun = tokio::time::Instant::now();
    assert!(process.stop().await.success());
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    assert!(waiting.await.unwrap().is_ok_and(|answer| answer.status == 503));
}

#[tokio::test]
async fn a_stop_lets_what_is_on_its_way_end() {
    let (workspace, one, _two) = two_destinations().await;
    let late =
        signalbox_testkit::Answer::Late(Duration::from_millis(700), Box::new(signalbox_testkit::Answer::status(200)));
    one.script([late]);
    let process = serve(&workspace).await;
    let body = json!({ "type": "a", "key": "k", "number": 1 }).to_string();
    send_to(&process.ingress(), "/hooks/sync", "1", body.as_bytes()).await.unwrap();
    one.wait_for(1).await;
    assert!(process.stop().await.success());
    let process = serve(&workspace).await;
    process.wait_for("state:delivered", 2).await;
    assert_eq!(one.received().len(), 1, "it was not sent again");
}
