//! The engine over a real ledger: from the sender's request to the confirmed delivery, and every way in between.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use std::time::Duration;

use http::StatusCode;
use signalbox_engine::view::{PauseScope, ReplayRequest, ReplayTarget};
use signalbox_model::replay::{ReplayMode, ReplayState};
use signalbox_model::{DeliveryState, FailureKind, HeldReason, Stage};
use signalbox_store::Reads as _;
use signalbox_store::read::Selection;

use tower::ServiceExt as _;
use world::replaying::{dead, ended, exact};
use world::{SYSTEM, World, integration};

const PLAIN: &str = integration!(
    r#"request = { path = "/in" }
retry = { schedule = ["20ms", "20ms"], jitter = 0 }
"#
);

fn with_steps(steps: &str) -> String {
    PLAIN.replace("[[destinations]]", &format!("{steps}\n[[destinations]]"))
}

fn remap(target: ReplayTarget) -> ReplayRequest {
    ReplayRequest { mode: ReplayMode::Remap, ..exact(target) }
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_bytes_arrive_exactly_where_nothing_maps_them() {
    let world = World::with(PLAIN).await;
    let body = r#"{ "id":  1.10, "big": 1180591620717411303424, "id": 2 }"#;
    world.send(body).await;
    let rows = world.until("state:delivered", 1).await;
    assert_eq!(world.destinations.bodies(), [body]);
    let key = world.destinations.seen.lock()[0].headers["idempotency-key"].clone();
    assert_eq!(key.to_str().expect("text"), rows[0].id.to_string());
    let event = world.store.event(rows[0].event).await.expect("answers").expect("there");
    assert!(event.notes.iter().any(|note| note == "duplicate-keys"), "{:?}", event.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_may_pass_is_retried_on_its_schedule_under_the_same_key_and_then_dies() {
    let world = World::with(PLAIN).await;
    for _ in 0..3 {
        world.destinations.answer("/in", 500, r#"{"message":"no room"}"#);
    }
    world.send(r#"{"id":"a"}"#).await;
    let rows = world.until("state:dead", 1).await;
    assert_eq!((rows[0].attempts, rows[0].kind, rows[0].status), (3, Some(FailureKind::Server), Some(500)));
    assert!(rows[0].message.as_deref().is_some_and(|message| message.contains("no room")), "{:?}", rows[0].message);
    let keys: Vec<_> =
        world.destinations.seen.lock().iter().map(|sent| sent.headers["idempotency-key"].clone()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    assert_eq!(world.store.attempts(rows[0].id).await.expect("answers").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_parks_its_own_key_only_and_its_replay_lets_the_rest_follow_in_order() {
    let world = World::with(PLAIN).await;
    world.destinations.answer("/in", 422, r#"{"detail":"/zip is required"}"#);
    world.send(r#"{"id":"a","n":1}"#).await;
    world.until("state:dead", 1).await;
    world.send(r#"{"id":"a","n":2}"#).await;
    world.send(r#"{"id":"a","n":3}"#).await;
    world.send(r#"{"id":"b","n":4}"#).await;
    world.until("state:delivered", 1).await;
    let held = world.until("state:held reason:order key:a", 2).await;
    assert!(held.iter().all(|row| row.reason == Some(HeldReason::Order)));
    let started = world.runtime.start_replay(exact(dead(&world))).await.expect("starts");
    world.until("state:delivered", 4).await;
    let report = ended(&world, started.id).await;
    assert_eq!((report.state, report.delivered, report.dead), (ReplayState::Done, 1, 0));
    let of_a: Vec<_> = world.destinations.bodies().into_iter().filter(|body| body.contains(r#""a""#)).collect();
    assert_eq!(of_a[1..], [r#"{"id":"a","n":1}"#, r#"{"id":"a","n":2}"#, r#"{"id":"a","n":3}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_mapping_makes_dead_letters_and_a_remap_after_the_mend_delivers_them_as_revision_one() {
    let broken = with_steps("[[steps]]\nkind = \"map\"\njq = '{ name: (.name | ascii_downcase) }'\n");
    let world = World::with(&broken).await;
    world.send(r#"{"id":"a","name":null}"#).await;
    let rows = world.until("state:dead stage:map kind:mapping", 1).await;
    assert_eq!((rows[0].attempts, rows[0].stage), (0, Some(Stage::Map)));
    let plan = world.runtime.plan_replay(remap(dead(&world))).await.expect("a plan");
    assert_eq!(plan.count, 1);
    assert!(plan.samples[0].fails.is_some(), "the mapping is still wrong");
    let mended = with_steps("[[steps]]\nkind = \"map\"\njq = '{ name: (.name // \"\" | ascii_downcase) }'\n");
    world.change(&[("integrations/sync.toml", &mended)]).await;
    let started = world.runtime.start_replay(remap(ReplayTarget::Plan(plan.id))).await.expect("starts");
    world.until("state:delivered", 1).await;
    assert_eq!(ended(&world, started.id).await.delivered, 1);
    assert_eq!(world.destinations.bodies(), [r#"{"name":""}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_new_revision_with_a_new_key_and_the_original_stays() {
    let world = World::with(PLAIN).await;
    world.destinations.answer("/in", 400, "{}");
    world.send(r#"{"id":"a","zip":""}"#).await;
    let dead = world.until("state:dead", 1).await;
    let edit = Some(br#"{"id":"a","zip":"LV-1001"}"#.to_vec());
    let asked = ReplayRequest { edit, ..exact(ReplayTarget::Selection(Selection::Ids(vec![dead[0].id]))) };
    let started = world.runtime.start_replay(asked).await.expect("starts");
    world.until("state:delivered", 1).await;
    ended(&world, started.id).await;
    let keys: Vec<String> = world
        .destinations
        .seen
        .lock()
        .iter()
        .map(|sent| sent.headers["idempotency-key"].to_str().expect("text").to_owned())
        .collect();
    assert_eq!(keys, [dead[0].id.to_string(), format!("{}.r2", dead[0].id)]);
    let revisions = world.store.revisions(dead[0].id).await.expect("answers");
    assert_eq!(revisions.len(), 2);
    assert_eq!(revisions[0].request.body, r#"{"id":"a","zip":""}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_canary_leaves_the_others_dead_after_exactly_one_request() {
    let world = World::with(&PLAIN.replace("key = '.body.id'\n", "")).await;
    for _ in 0..5 {
        world.destinations.answer("/in", 400, "{}");
    }
    for n in 0..4 {
        world.send(&format!(r#"{{"id":"{n}"}}"#)).await;
    }
    world.until("state:dead", 4).await;
    let before = world.destinations.seen.lock().len();
    let asked = ReplayRequest { canary: true, ..exact(dead(&world)) };
    let started = world.runtime.start_replay(asked).await.expect("starts");
    let report = ended(&world, started.id).await;
    assert_eq!((report.state, report.dead, report.pending), (ReplayState::Stopped, 1, 3));
    assert_eq!(world.destinations.seen.lock().len() - before, 1);
    world.until("state:dead", 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_closes_the_gate_for_its_siblings_until_its_time() {
    let world = World::with(&PLAIN.replace("\"20ms\", \"20ms\"", "\"20ms\", \"20ms\", \"20ms\"")).await;
    // Long enough that the second one comes before the gate opens, on a busy machine too.
    world.destinations.answer_with("/in", 429, &[("retry-after", "4")], "{}");
    let begun = tokio::time::Instant::now();
    world.send(r#"{"id":"a"}"#).await;
    world.until("state:held reason:rate", 1).await;
    world.send(r#"{"id":"b"}"#).await;
    assert_eq!(world.until("state:held reason:rate", 2).await.len(), 2);
    assert_eq!(world.destinations.seen.lock().len(), 1, "nobody asks before the time");
    world.until("state:delivered", 2).await;
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_and_a_refused_one_hold_deliveries_instead_of_killing_them() {
    let system = format!("{SYSTEM}auth = {{ kind = \"bearer\", secret = \"shop-token\" }}\n");
    let world = World::of(&[("integrations/sync.toml", PLAIN), ("systems/shop.toml", &system)]).await;
    world.send(r#"{"id":"a"}"#).await;
    let rows = world.until("state:held reason:credential", 1).await;
    let explained = world.runtime.explain(&rows[0]).await.expect("the ledger answers").text;
    assert!(explained.contains("shop-token"), "{explained}");
    world.destinations.answer("/in", 401, "{}");
    world.set_secret("shop-token", "wrong").await;
    world.until("state:held reason:credential http:401", 1).await;
    world.send(r#"{"id":"b"}"#).await;
    world.until("state:held reason:credential", 2).await;
    assert_eq!(world.destinations.seen.lock().len(), 1, "the sibling is not sent to its death");
    world.set_secret("shop-token", "right").await;
    world.until("state:delivered", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_integration_accepts_and_holds_until_it_is_resumed() {
    let world = World::with(PLAIN).await;
    let scope = || PauseScope::Integration("sync".into());
    world.runtime.pause(scope()).await.expect("pauses");
    world.send(r#"{"id":"a"}"#).await;
    let rows = world.until("state:held reason:pause", 1).await;
    assert_eq!(rows[0].state, DeliveryState::Queued, "a gate writes nothing per row");
    world.runtime.resume(scope()).await.expect("resumes");
    world.until("state:delivered", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_open_at_a_crash_is_sent_again_under_the_same_key() {
    let world = World::with(PLAIN).await;
    world.destinations.doors.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    world.send(r#"{"id":"a"}"#).await;
    let open = world.until("state:sending", 1).await;
    let dir = world.crash().await;
    let world = World::restart(dir).await;
    let rows = world.until("state:delivered", 1).await;
    assert_eq!((rows[0].id, rows[0].attempts), (open[0].id, 2));
    let attempts = world.store.attempts(rows[0].id).await.expect("answers");
    assert_eq!(attempts[0].kind, Some(FailureKind::Unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn filtered_and_repeated_events_are_accounted_for() {
    let steps = with_steps("[[steps]]\nkind = \"filter\"\njq = '.wanted'\n")
        .replace("dedupe = \"off\"", "dedupe = { id = '.body.id' }");
    let world = World::with(&steps).await;
    world.send(r#"{"id":"a","wanted":false}"#).await;
    world.until("state:filtered", 1).await;
    world.send(r#"{"id":"b","wanted":true}"#).await;
    world.send(r#"{"id":"b","wanted":true}"#).await;
    world.until("state:delivered", 1).await;
    world.send(r#"{"id":"b","wanted":1}"#).await;
    let rows = world.until("state:delivered", 2).await;
    assert_eq!(rows[1].conflict_of, Some(rows[0].event), "other bytes under a known id are delivered and flagged");
    assert_eq!(world.runtime.signals().duplicates_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_never_ends_dies_behind_the_commit_and_stops_nobody() {
    let world = World::with(&with_steps(
        "[[steps]]\nkind = \"map\"\njq = 'if .id == \"slow\" then [limit(1e12; repeat(1))] else . end'\n",
    ))
    .await;
    world.send(r#"{"id":"slow"}"#).await;
    world.send(r#"{"id":"quick"}"#).await;
    world.until("state:delivered key:quick", 1).await;
    let rows = world.until("state:dead key:slow stage:map", 1).await;
    assert_eq!(rows[0].attempts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_and_a_wrong_method_are_refused_and_kept() {
    let world = World::with(PLAIN).await;
    assert_eq!(world.post("/hooks/other", &[], "{}").await, StatusCode::NOT_FOUND);
    let encoded = world.post("/hooks/sync", &[("content-encoding", "gzip")], "{}").await;
    assert_eq!(encoded, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let kept = world.store.rejected(None, 10).await.expect("answers");
    assert_eq!(kept.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_hangs_up_during_the_commit_leaves_nothing_behind() {
    let world = World::with(PLAIN).await;
    for n in 0..20 {
        let request = http::Request::post("/hooks/sync")
            .header("content-type", "application/json")
            .body(axum::body::Body::from(format!(r#"{{"id":"{n}"}}"#)))
            .expect("a request");
        let mut answer = Box::pin(world.runtime.ingress_router().oneshot(request));
        // Far enough to be on its way to the ledger, then gone.
        assert!(futures_util::poll!(&mut answer).is_pending());
    }
    world.until("state:delivered", 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_was_paused_before_a_restart_is_resumed_after_it() {
    let world = World::with(&PLAIN.replace("key = '.body.id'\n", "")).await;
    for _ in 0..3 {
        world.destinations.answer("/in", 400, "{}");
        world.send("{}").await;
    }
    world.until("state:dead", 3).await;
    // The slowest that there is: the third waits for ten seconds.
    let slow = ReplayRequest { rate: Some(0.1), ..exact(dead(&world)) };
    let started = world.runtime.start_replay(slow).await.expect("starts");
    world.until("state:delivered", 1).await;
    world.runtime.pause_replay(started.id).await.expect("pauses");
    let world = World::restart(world.crash().await).await;
    let resumed = world.runtime.resume_replay(started.id).await.expect("resumes");
    assert_eq!(resumed.state, ReplayState::Running);
    world.until("state:delivered", 2).await;
    world.runtime.cancel_replay(started.id).await.expect("cancels");
    assert_eq!(ended(&world, started.id).await.state, ReplayState::Cancelled);
    world.until("state:dead", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pausing_and_resuming_a_replay_makes_it_no_faster() {
    let world = World::with(&PLAIN.replace("key = '.body.id'\n", "")).await;
    for _ in 0..6 {
        world.destinations.answer("/in", 400, "{}");
        world.send("{}").await;
    }
    world.until("state:dead", 6).await;
    // The second waits for ten seconds.
    let slow = ReplayRequest { rate: Some(0.1), ..exact(dead(&world)) };
    let started = world.runtime.start_replay(slow).await.expect("starts");
    world.until("state:delivered", 1).await;
    for _ in 0..20 {
        world.runtime.pause_replay(started.id).await.expect("pauses");
        world.runtime.resume_replay(started.id).await.expect("resumes");
    }
    world.runtime.cancel_replay(started.id).await.expect("cancels");
    assert_eq!(ended(&world, started.id).await.state, ReplayState::Cancelled);
    assert_eq!(world.rows("state:dead").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_from_the_first_moment_after_a_restart() {
    let world = World::with(PLAIN).await;
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("pauses");
    world.send(r#"{"id":"a"}"#).await;
    world.until("state:held reason:pause", 1).await;
    let world = World::restart(world.crash().await).await;
    world.until("state:held reason:pause", 1).await;
    assert!(world.destinations.seen.lock().is_empty());
    world.runtime.resume(PauseScope::System("shop".into())).await.expect("resumes");
    world.until("state:delivered", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_steps_need_more_than_the_inline_budget_is_delivered_behind_the_commit() {
    let heavy = with_steps("[[steps]]\nkind = \"map\"\njq = '{ sum: (reduce range(30000) as $i (0; . + $i)) }'\n");
    let world = World::with(&heavy).await;
    world.send(r#"{"id":"a"}"#).await;
    world.send(r#"{"id":"a"}"#).await;
    world.until("state:delivered", 2).await;
    assert_eq!(world.destinations.bodies(), [r#"{"sum":449985000}"#; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_a_split_request_is_delivered_even_where_its_steps_take_long() {
    let heavy = with_steps("[[steps]]\nkind = \"map\"\njq = '{ id, sum: (reduce range(30000) as $i (0; . + $i)) }'\n");
    let world = World::with(&heavy.replace("dedupe =", "split = '.body'\ndedupe =")).await;
    world.send(r#"[{"id":"a"},{"id":"b"},{"id":"a"}]"#).await;
    let rows = world.until("state:delivered", 3).await;
    assert_eq!(rows.iter().filter(|row| row.key.as_deref() == Some("a")).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_event_that_died_is_read_again_as_its_part() {
    let wrong = with_steps("[[steps]]\nkind = \"map\"\njq = '{ name: (.name | ascii_downcase) }'\n");
    let split = |text: &str| text.replace("dedupe =", "split = '.body.all'\nformat = \"json\"\ndedupe =");
    let world = World::with(&split(&wrong)).await;
    world.send(r#"{"all":[{"id":"a","name":1},{"id":"b","name":"B"}]}"#).await;
    world.until("state:delivered", 1).await;
    world.until("state:dead kind:mapping", 1).await;
    let mended = with_steps("[[steps]]\nkind = \"map\"\njq = '{ name: (.name | tostring) }'\n");
    world.change(&[("integrations/sync.toml", &split(&mended))]).await;
    let replay = world.runtime.start_replay(remap(dead(&world))).await.expect("a replay");
    ended(&world, replay.id).await;
    world.until("state:delivered", 2).await;
    assert_eq!(world.destinations.bodies(), [r#"{"name":"b"}"#, r#"{"name":"1"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_who_a_sender_is_is_not_kept_whatever_its_header_is_called() {
    let keyed = PLAIN.replace(
        r#"verify = { scheme = "none" }"#,
        r#"verify = { scheme = "api-key", header = "X-Shop-Token", secret = "shop-key" }"#,
    );
    let world = World::with(&keyed).await;
    world.set_secret("shop-key", "the-very-key").await;
    assert_eq!(world.post("/hooks/sync", &[("x-shop-token", "the-very-key")], r#"{"id":"a"}"#).await, StatusCode::OK);
    let wrong = world.post("/hooks/sync", &[("x-shop-token", "nearly-the-key")], r#"{"id":"b"}"#).await;
    assert_eq!(wrong, StatusCode::UNAUTHORIZED);
    let rows = world.until("state:delivered", 1).await;
    let event = world.store.event(rows[0].event).await.expect("answers").expect("there");
    let refused = world.store.rejected(None, 10).await.expect("answers");
    for headers in [&event.headers, &refused[0].headers] {
        let kept = headers.iter().find(|(name, _)| name == "x-shop-token").expect("its name is kept");
        assert_eq!(kept.1, "••••••••");
    }
}
