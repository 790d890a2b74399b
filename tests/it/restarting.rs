//! Killed under load, again and again: nothing acknowledged is lost, and each key keeps its order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::{Destination, Received, ServeProcess, TestWorkspace, until, workspace};

use crate::support::{binary, send_to, serve};

/// As many keys, each with a sender of its own.
const SENDERS: u64 = 6;

/// Tries for long enough that the destinations' outage does not kill anything.
fn patient() -> String {
    let schedule = vec!["\"500ms\""; 60].join(", ");
    format!("retry = {{ schedule = [{schedule}], jitter = 0.0 }}")
}

async fn two_destinations() -> (TestWorkspace, Destination, Destination) {
    let (workspace, one, two) = (TestWorkspace::new(), Destination::start().await, Destination::start().await);
    workspace.system("one", &one.url(), "").system("two", &two.url(), "");
    let both = format!("{}{}", workspace::destination("one", &patient()), workspace::destination("two", &patient()));
    workspace.integration("sync", &both);
    (workspace, one, two)
}

/// Each sends its key's numbers one after the other, and the same number again until it is acknowledged.
struct Load {
    acknowledged: Vec<AtomicU64>,
    stop: AtomicBool,
}

impl Load {
    fn start(ingress: tokio::sync::watch::Receiver<String>) -> (Arc<Self>, tokio::task::JoinSet<()>) {
        let load = Arc::new(Self {
            acknowledged: (0..SENDERS).map(|_| AtomicU64::new(0)).collect(),
            stop: AtomicBool::new(false),
        });
        let mut tasks = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let (load, ingress) = (load.clone(), ingress.clone());
            tasks.spawn(async move {
                let mut number = 1;
                while !load.stop.load(Ordering::Relaxed) {
                    let url = ingress.borrow().clone();
                    let body = json!({ "type": "a", "key": format!("k{sender}"), "number": number }).to_string();
                    match send_to(&url, "/hooks/sync", &format!("{sender}-{number}"), body.as_bytes()).await {
                        Ok(answer) if answer.status == 200 => {
                            load.acknowledged[sender as usize].store(number, Ordering::Relaxed);
                            number += 1;
                        }
                        _ => tokio::time::sleep(Duration::from_millis(20)).await,
                    }
                }
            });
        }
        (load, tasks)
    }

    fn total(&self) -> u64 {
        self.acknowledged.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Every acknowledged number of every key arrived, and nothing came before what it had to wait for.
fn check(name: &str, received: &[Received], load: &Load) {
    let mut keys: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in received {
        let body = request.json();
        keys.entry(body["key"].as_str().unwrap().to_owned()).or_default().push(body["number"].as_u64().unwrap());
    }
    for sender in 0..SENDERS {
        let arrived = keys.remove(&format!("k{sender}")).unwrap_or_default();
        assert!(arrived.is_sorted(), "{name}, key k{sender}: out of order: {arrived:?}");
        let distinct: BTreeSet<u64> = arrived.into_iter().collect();
        let lost: Vec<u64> = (1..=load.acknowledged[sender as usize].load(Ordering::Relaxed))
            .filter(|number| !distinct.contains(number))
            .collect();
        assert!(lost.is_empty(), "{name}, key k{sender}: acknowledged and lost: {lost:?}");
    }
}

async fn settled(process: &ServeProcess) {
    until("everything to be delivered", || async {
        let page = process.get("deliveries?limit=1&filter=-state%3Adelivered").await;
        (page["total"] == 0).then_some(())
    })
    .await;
}

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
    load.stop.store(true, Ordering::Relaxed);
    while tasks.join_next().await.is_some() {}
    (process, load)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_nothing_acknowledged_and_keep_the_order() {
    let (workspace, one, two) = two_destinations().await;
    let (process, load) = cycles(50, &workspace).await;
    settled(&process).await;
    check("one", &one.received(), &load);
    check("two", &two.received(), &load);
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
    check("one", &one.received(), &load);
    check("two", &two.received(), &load);
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
