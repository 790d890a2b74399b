//! A start behind a long backlog, and the order of many keys through failures and kills.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use signalbox_model::Clock as _;
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_store::{Deliveries as _, Events as _, Lanes as _};
use signalbox_testkit::{Answer, Destination, TestWorkspace, workspace};

use crate::program::{binary, patient, send, serve, within};
use crate::seed::{Dice, count, seed};
use crate::workload::{Nobody, plain_event};

/// Rows that were on the wire when the program stopped.
const OPEN: u32 = 100;
const AT_ONCE: u64 = 256;

/// As many events of the destination `crm` of `sync`, written by the store itself; without a sync at each commit, since
/// nobody waits.
pub async fn fill(dir: &std::path::Path, rows: u64) {
    let clock = Arc::new(signalbox_model::SystemClock);
    let options = SqliteOptions { power_loss_safe: false, ..SqliteOptions::default() };
    let store = SqliteStore::open(dir, options, clock.clone(), Arc::new(Nobody)).await.unwrap();
    let lane = store.ensure_lane("sync", "crm", "crm").await.unwrap().id;
    let mut number = 0;
    while number < rows {
        let some = number..rows.min(number + AT_ONCE);
        number = some.end;
        let answers = some.map(|number| store.accept(plain_event(number, lane, clock.now())));
        for answer in futures_util::future::join_all(answers).await {
            answer.unwrap();
        }
    }
    store.open_due(lane, OPEN, clock.now()).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_long_backlog_a_start_takes_events_and_sends_again_at_once() {
    let rows = count("BACKLOG", 50_000, 1_000_000);
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", ""));
    std::fs::create_dir(workspace.path().join(".signalbox")).unwrap();
    let filling = tokio::time::Instant::now();
    fill(&workspace.path().join(".signalbox"), rows).await;
    let filled = filling.elapsed();
    let begun = tokio::time::Instant::now();
    let process = serve(&workspace).await;
    let answer = send(&process.ingress(), "new", b"{\"type\":\"a\"}").await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let accepting = begun.elapsed();
    within(Duration::from_secs(20), "a request to arrive", || async {
        (!destination.received().is_empty()).then_some(())
    })
    .await;
    let sending = begun.elapsed();
    println!("backlog of {rows} (made in {filled:?}): accepting after {accepting:?}, sending again after {sending:?}");
    // A debug build on a machine that builds other things beside it; the long form holds the published figures.
    let slack = if crate::seed::is_long() { 1 } else { 4 };
    assert!(accepting < Duration::from_secs(slack), "{accepting:?}");
    assert!(sending < Duration::from_secs(2 * slack), "{sending:?}");
}

/// Sends each key's events one after the other; several keys at a time.
async fn send_all(ingress: tokio::sync::watch::Receiver<String>, keys: usize, events: usize, done: Arc<AtomicUsize>) {
    const SENDERS: usize = 8;
    let mut tasks = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (ingress, done) = (ingress.clone(), done.clone());
        tasks.spawn(async move {
            for number in 0..events {
                for key in (sender..keys).step_by(SENDERS) {
                    let body = json!({ "type": "a", "key": format!("k{key}"), "number": number }).to_string();
                    loop {
                        let url = ingress.borrow().clone();
                        let answer = send(&url, &format!("{key}-{number}"), body.as_bytes()).await;
                        if answer.is_ok_and(|answer| answer.status == 200) {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_keep_their_order_through_failures_and_kills() {
    let keys = usize::try_from(count("KEYS", 500, 10_000)).unwrap();
    let events = usize::try_from(count("EVENTS", 20, 100)).unwrap();
    let (seed, all) = (seed(), keys * events);
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "breaker = \"off\"");
    workspace.integration("sync", &workspace::destination("crm", &format!("concurrency = 32\n{}", patient())));
    let mut dice = Dice::new(seed);
    destination.script((0..all * 2).map(|_| Answer::status(if dice.chance(20) { 503 } else { 200 })));
    let mut process = serve(&workspace).await;
    let (ingress, watched) = tokio::sync::watch::channel(process.ingress());
    let done = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(watched, keys, events, done.clone()));
    let kills = count("ORDER_KILLS", 3, 50);
    for kill in 1..=kills {
        let wanted = all * usize::try_from(kill).unwrap() / usize::try_from(kills + 1).unwrap();
        within(Duration::from_secs(3_600), "the next kill", || async {
            (done.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
        process.kill().await;
        process = signalbox_testkit::ServeProcess::start(binary(), workspace.path(), &Default::default()).await;
        ingress.send_replace(process.ingress());
    }
    sending.await.unwrap();
    within(Duration::from_secs(1_800), "everything to be delivered", || async {
        (process.deliveries("-state:delivered").await["total"] == 0).then_some(())
    })
    .await;
    let mut arrived: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let received = destination.received();
    for request in &received {
        let body = request.json();
        let (key, number) = (body["key"].as_str().unwrap().to_owned(), body["number"].as_u64().unwrap());
        arrived.entry(key).or_default().push(number);
    }
    for (key, numbers) in &mut arrived {
        assert!(numbers.is_sorted(), "seed {seed}, {key}: {numbers:?}");
        numbers.dedup();
        assert_eq!(numbers.len(), events, "seed {seed}, {key}: {numbers:?}");
    }
    assert_eq!(arrived.len(), keys);
    println!(
        "order: {keys} keys × {events} events, {} requests, {kills} kills, no inversion (seed {seed})",
        received.len()
    );
}
