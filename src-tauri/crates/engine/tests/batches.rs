//! Batch destinations over a real ledger: what goes together, and what becomes of each record.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use std::collections::BTreeSet;

use signalbox_engine::view::PauseScope;
use signalbox_model::{DeliveryState, FailureKind};
use signalbox_store::Reads as _;
use signalbox_store::read::{DeliveryRow, RecordEnd};
use world::World;

/// A batch goes as soon as it has `max` records.
fn batch(max: u32, linger: &str) -> String {
    format!(
        r#"
[source]
kind = "webhook"
path = "/hooks/sync"
verify = {{ scheme = "none" }}
key = '.body.key'
dedupe = "off"

[[destinations]]
name = "shop"
system = "shop"
request = {{ path = "/in" }}
batch = {{ max = {max}, linger = "{linger}", body = '{{ items: map(.n) }}', outcomes = '.body' }}
retry = {{ schedule = ["20ms", "20ms"], jitter = 0 }}
on_dead = "pass"
"#
    )
}

async fn send(world: &World, count: u32) {
    for n in 1..=count {
        world.send(&format!(r#"{{"key":"k{n}","n":{n}}}"#)).await;
    }
}

/// As many as are accepted meanwhile are there before the first request is made, however long accepting them takes.
async fn gathered(world: &World, accepting: impl Future<Output = ()>) {
    let shop = || PauseScope::System("shop".into());
    world.runtime.pause(shop()).await.expect("pauses");
    accepting.await;
    world.runtime.resume(shop()).await.expect("resumes");
}

fn keys(rows: &[DeliveryRow]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.key.as_deref()).collect()
}

fn idempotency_keys(world: &World) -> Vec<String> {
    let seen = world.destinations.seen.lock();
    seen.iter().map(|sent| sent.headers["idempotency-key"].to_str().expect("text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_goes_in_one_request_and_only_failed_records_go_again() {
    let world = World::with(&batch(4, "30s")).await;
    world.destinations.answer(
        "/in",
        200,
        r#"[true,{"ok":false,"retry":true,"message":"busy"},false,{"ok":false,"message":"no such country"}]"#,
    );
    send(&world, 4).await;
    let dead = world.until("state:dead", 2).await;
    assert_eq!(keys(&dead), ["k3", "k4"]);
    assert_eq!(dead[1].message.as_deref(), Some("no such country"));
    assert_eq!(keys(&world.rows("state:delivered").await), ["k1"]);
    assert_eq!(world.destinations.bodies(), [r#"{"items":[1,2,3,4]}"#]);
    let attempts = world.store.attempts(dead[0].id).await.expect("answers");
    let batch = attempts[0].batch.as_ref().expect("it went with others");
    let ends: Vec<_> = batch.records.iter().map(|record| record.end).collect();
    assert_eq!(ends, [RecordEnd::Delivered, RecordEnd::Retrying, RecordEnd::Dead, RecordEnd::Dead]);
    assert_eq!(vec![batch.key.clone()], idempotency_keys(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_to_retry_goes_again_without_the_others() {
    let world = World::with(&batch(3, "300ms")).await;
    world.destinations.answer("/in", 200, r#"[true,{"retry":true},true]"#);
    world.destinations.answer("/in", 200, "[true]");
    gathered(&world, send(&world, 3)).await;
    let rows = world.until("state:delivered", 3).await;
    assert_eq!(world.destinations.bodies(), [r#"{"items":[1,2,3]}"#, r#"{"items":[2]}"#]);
    assert_eq!(rows.iter().map(|row| row.attempts).collect::<Vec<_>>(), [1, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_as_a_whole_goes_again_under_the_same_key() {
    let world = World::with(&batch(3, "100ms")).await;
    world.destinations.answer("/in", 503, "{}");
    world.destinations.answer("/in", 200, "[true,true,true]");
    gathered(&world, send(&world, 3)).await;
    world.until("state:delivered", 3).await;
    assert_eq!(world.destinations.bodies(), [r#"{"items":[1,2,3]}"#; 2]);
    let keys = idempotency_keys(&world);
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_fits_no_record_leaves_all_of_them_unknown_and_they_go_again() {
    let world = World::with(&batch(2, "100ms")).await;
    for answer in ["[true]", "[true,true,true]", "[]"] {
        world.destinations.answer("/in", 200, answer);
    }
    gathered(&world, send(&world, 2)).await;
    let dead = world.until("state:dead", 2).await;
    assert!(dead.iter().all(|row| row.kind == Some(FailureKind::Unknown) && row.attempts == 3), "{dead:?}");
    assert_eq!(dead[0].message.as_deref(), Some("batch.outcomes made 0 entries for 2 records"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_has_one_record_in_a_batch_and_keeps_its_order() {
    let world = World::with(&batch(100, "20ms")).await;
    for _ in 0..20 {
        world.destinations.answer("/in", 200, "[true,true]");
    }
    gathered(&world, async {
        for n in 1..=5 {
            for key in ["a", "b"] {
                world.send(&format!(r#"{{"key":"{key}","n":{n}}}"#)).await;
            }
        }
    })
    .await;
    world.until("state:delivered", 10).await;
    let rounds = (1..=5).map(|n| format!(r#"{{"items":[{n},{n}]}}"#)).collect::<Vec<_>>();
    assert_eq!(world.destinations.bodies(), rounds);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_that_has_all_refused_is_found_and_dies_alone() {
    let world = World::with(&batch(4, "30s").replace("outcomes = '.body'", "outcomes = '.records | map(true)'")).await;
    world.destinations.refuse_bodies_with("3");
    send(&world, 4).await;
    assert_eq!(keys(&world.until("state:dead", 1).await), ["k3"]);
    assert_eq!(keys(&world.until("state:delivered", 3).await), ["k1", "k2", "k4"]);
    assert_eq!(world.destinations.bodies().len(), 5, "four, two halves, two alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_json_dies_and_takes_nobody_along() {
    let outcomes = "outcomes = '.records | map(true)'";
    let world =
        World::with(&batch(3, "30s").replace("outcomes = '.body'", outcomes).replace("key = '.body.key'", "")).await;
    world.send(r#"{"n":1}"#).await;
    world.send("{not json").await;
    world.send(r#"{"n":3}"#).await;
    let dead = world.until("state:dead", 1).await;
    let message = dead[0].message.as_deref().unwrap_or_default();
    assert_eq!(dead[0].kind, Some(FailureKind::Mapping));
    assert!(message.starts_with("it cannot go into a batch, since its body is not JSON"), "{message}");
    world.until("state:delivered", 2).await;
    let sent: BTreeSet<_> = world.destinations.bodies().into_iter().collect();
    assert_eq!(sent, [r#"{"items":[1]}"#, r#"{"items":[3]}"#].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_when_the_process_went_goes_again_under_the_same_key() {
    let world = World::with(&batch(3, "100ms")).await;
    world.destinations.doors.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    gathered(&world, send(&world, 3)).await;
    let rows = world.until("state:sending", 3).await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Sending));
    let dir = world.crash().await;
    let world = World::restart(dir).await;
    world.destinations.answer("/in", 200, "[true,true,true]");
    let rows = world.until("state:delivered", 3).await;
    assert!(rows.iter().all(|row| row.attempts == 2));
    assert_eq!(world.destinations.bodies(), [r#"{"items":[1,2,3]}"#]);
}
