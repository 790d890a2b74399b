//! Replays that change a whole set, look before they send, never overwrite newer data, and can be undone.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use signalbox_engine::view::{ControlError, PauseScope, ReplayRequest, ReplayTarget};
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, DeliveryState};
use signalbox_store::read::Selection;
use signalbox_store::replay::ItemState;
use signalbox_store::{Reads as _, Replays as _};
use world::replaying::{dead, ended, exact};
use world::{SYSTEM, World, integration};

const PASSING: &str = integration!(
    r#"request = { method = "PUT", path = '/in' }
retry = { schedule = [] }
on_dead = "pass"
"#
);

fn ids(ids: &[DeliveryId]) -> ReplayTarget {
    ReplayTarget::Selection(Selection::Ids(ids.to_vec()))
}

/// Dead letters with these bodies.
async fn dead_letters(world: &World, bodies: &[&str]) -> Vec<DeliveryId> {
    for (sent, body) in bodies.iter().enumerate() {
        world.destinations.answer("/in", 422, r#"{"detail":"zip must be a text"}"#);
        world.send(body).await;
        world.until("state:dead", sent + 1).await;
    }
    world.rows("state:dead").await.into_iter().map(|row| row.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_patch_mends_a_group_and_leaves_out_what_it_does_not_fit() {
    let world = World::with(PASSING).await;
    let all = dead_letters(&world, &[r#"{"id":"a","zip":8004}"#, r#"{"id":"b"}"#, r#"{"id":"c","zip":1.10}"#]).await;
    let patch = r#"[{"op":"move","from":"/zip","path":"/postcode"}]"#.to_owned();
    let request = ReplayRequest { patch: Some(patch), ..exact(dead(&world)) };
    let plan = world.runtime.plan_replay(request.clone()).await.expect("plans");
    let check = plan.patch.as_ref().expect("checked");
    assert_eq!((check.fits, check.misfits, check.checked), (2, 1, 3));
    assert_eq!(check.examples, [(all[1], "operation 1 (move): there is no /zip".to_owned())]);
    let sample = &plan.samples[0];
    assert_eq!(sample.body, br#"{"id":"a","postcode":8004}"#);
    let key = sample.headers.iter().find(|(name, _)| name == "idempotency-key").expect("a key");
    assert_eq!(key.1, format!("{}.r2", all[0]), "the key that will really be sent");
    let changed: Vec<&str> = sample.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["/zip", "/postcode"]);

    // What the plan says of the patch holds when it is started without saying it again.
    let start = ReplayRequest { target: ReplayTarget::Plan(plan.id), patch: None, ..request };
    let started = world.runtime.start_replay(start).await.expect("starts");
    let report = ended(&world, started.id).await;
    assert_eq!((report.delivered, report.skipped_patch, report.dead), (2, 1, 0));
    let bodies = world.destinations.bodies();
    assert_eq!(bodies[3..], [r#"{"id":"a","postcode":8004}"#, r#"{"id":"c","postcode":1.10}"#]);
    let items = world.store.replay_items(started.id, None, 10).await.expect("answers");
    assert_eq!((items[1].state, items[1].message.is_some()), (ItemState::Skipped, true));
    assert_eq!(world.rows("state:dead").await[0].id, all[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_a_remap_makes() {
    let mapped = |field: &str| {
        let step = format!("[[steps]]\nkind = \"map\"\njq = '{{ {field}: .id }}'\n\n[[destinations]]");
        PASSING.replace("[[destinations]]", &step)
    };
    let world = World::with(&mapped("old")).await;
    dead_letters(&world, &[r#"{"id":"a"}"#]).await;
    world.change(&[("integrations/sync.toml", &mapped("new"))]).await;
    let patch = Some(r#"[{"op":"test","path":"/new","value":"a"},{"op":"add","path":"/more","value":1}]"#.to_owned());
    let request = ReplayRequest { patch, mode: ReplayMode::Remap, ..exact(dead(&world)) };
    let started = world.runtime.start_replay(request).await.expect("starts");
    assert_eq!(ended(&world, started.id).await.delivered, 1);
    assert_eq!(world.destinations.bodies()[1], r#"{"new":"a","more":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_becomes_a_patch_for_its_group() {
    let world = World::with(PASSING).await;
    let all = dead_letters(&world, &[r#"{"id":"a","zip":8004}"#, r#"{"id":"b","zip":8005}"#]).await;
    let edit = br#"{"id":"a","zip":8004,"country":"CH"}"#;
    let patch = world.runtime.patch_of_edit(all[0], edit).await.expect("a patch");
    assert_eq!(patch.to_string(), r#"[{"op":"add","path":"/country","value":"CH"}]"#);
    let request = ReplayRequest { patch: Some(patch.to_string()), ..exact(dead(&world)) };
    let started = world.runtime.start_replay(request).await.expect("starts");
    assert_eq!(ended(&world, started.id).await.delivered, 2);
    assert_eq!(world.destinations.bodies()[3], r#"{"id":"b","zip":8005,"country":"CH"}"#);
    let not_json = world.runtime.patch_of_edit(all[0], b"nonsense").await;
    assert!(matches!(not_json, Err(ControlError::Invalid(_))), "{not_json:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_replay_that_is_interrupted_sends_the_edit_after_the_restart() {
    let world = World::with(PASSING).await;
    let all = dead_letters(&world, &[r#"{"id":"a"}"#]).await;
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("pauses");
    let request = ReplayRequest { edit: Some(b"edited".to_vec()), mode: ReplayMode::Remap, ..exact(ids(&all)) };
    world.runtime.start_replay(request).await.expect("starts");
    let world = World::restart(world.crash().await).await;
    world.runtime.resume(PauseScope::System("shop".into())).await.expect("resumes");
    world.until("state:delivered", 1).await;
    assert_eq!(world.destinations.bodies(), ["edited"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reads_the_record_and_says_which_fields_would_change() {
    let reading =
        PASSING.replace("retry =", "read = { path = '/contacts/{{ .id | @uri }}', body = '.body.record' }\nretry =");
    let world = World::with(&reading).await;
    dead_letters(&world, &[r#"{"id":"a/b","zip":8004}"#]).await;
    let left = [("ratelimit-policy", "\"day\";q=100;w=600"), ("ratelimit", "\"day\";r=70;t=500")];
    let record = r#"{"record":{"id":"a/b","zip":8000,"own":true}}"#;
    world.destinations.answer_with("/contacts/a%2Fb", 200, &left, record);
    let plan = world.runtime.plan_replay(exact(dead(&world))).await.expect("plans");
    let current = plan.samples[0].current.as_ref().expect("it was read");
    assert_eq!((current.status, current.readable, &current.reason), (Some(200), true, &None));
    let diff: Vec<_> =
        current.diff.iter().map(|one| (one.path.as_str(), one.from.as_ref().map(ToString::to_string))).collect();
    assert_eq!(diff, [("/zip", Some("8000".to_owned()))]);
    {
        let seen = world.destinations.seen.lock();
        let get = seen.last().expect("the GET");
        assert_eq!(get.method, http::Method::GET);
        assert!(!get.headers.contains_key("idempotency-key"), "reading repeats nothing");
    }
    let of_system = || world.runtime.system_gates("shop").expect("the system is there");
    assert_eq!(of_system().quotas[0].remaining, 70, "its headers count");
    let before = of_system().breaker;
    world.destinations.answer("/contacts/a%2Fb", 500, "{}");
    let plan = world.runtime.plan_replay(exact(dead(&world))).await.expect("plans");
    let current = plan.samples[0].current.as_ref().expect("it was tried");
    assert_eq!((current.status, current.readable), (Some(500), false));
    assert!(current.reason.as_deref().is_some_and(|why| why.contains("500")), "{current:?}");
    let after = of_system().breaker;
    assert_eq!((after.calls, after.failures), (before.calls + 1, before.failures + 1), "its failure counts");
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("pauses");
    let asked = world.destinations.seen.lock().len();
    let plan = world.runtime.plan_replay(exact(dead(&world))).await.expect("plans");
    let current = plan.samples[0].current.as_ref().expect("it was not tried");
    assert!(current.reason.as_deref().is_some_and(|why| why.contains("paused")), "{current:?}");
    assert_eq!(world.destinations.seen.lock().len(), asked, "a closed gate holds reads too");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_system_ends_the_dry_run_by_its_deadline_and_its_breaker_hears_of_it_if_a_delivery_had_failed_too() {
    let reading = PASSING.replace("retry =", "read = {}\nretry =");
    for (timeout, counts) in [("timeout = \"1s\"\n", 1), ("timeout = \"30s\"\n", 0)] {
        let system = format!("{SYSTEM}{timeout}");
        let world = World::of(&[("integrations/sync.toml", &reading), ("systems/shop.toml", &system)]).await;
        dead_letters(&world, &[r#"{"id":"a"}"#]).await;
        let breaker = || world.runtime.system_gates("shop").expect("the system is there").breaker;
        let before = breaker();
        world.destinations.doors.forget_permits(usize::MAX);
        let plan = world.runtime.plan_replay(exact(dead(&world))).await.expect("plans");
        let current = plan.samples[0].current.as_ref().expect("it was tried");
        assert!(current.reason.as_deref().is_some_and(|why| why.contains("answer")), "{current:?}");
        let after = breaker();
        assert_eq!((after.calls - before.calls, after.failures - before.failures), (counts, counts), "{timeout}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_takes_its_turn_under_the_limits_and_says_when_it_got_none() {
    let reading = PASSING.replace("retry =", "read = {}\nretry =");
    let system = format!("{SYSTEM}limits = {{ concurrent = 1 }}\n");
    let world = World::of(&[("integrations/sync.toml", &reading), ("systems/shop.toml", &system)]).await;
    let all = dead_letters(&world, &[r#"{"id":"a"}"#]).await;
    world.destinations.doors.forget_permits(usize::MAX);
    world.send(r#"{"id":"b"}"#).await;
    world.until("state:sending", 1).await;
    let plan = world.runtime.plan_replay(exact(ids(&all))).await.expect("plans");
    let current = plan.samples[0].current.as_ref().expect("it was tried");
    assert!(current.reason.as_deref().is_some_and(|why| why.contains("limits of shop")), "{current:?}");
    world.destinations.doors.add_permits(2);
    world.until("state:delivered", 1).await;
    let methods: Vec<_> = world.destinations.seen.lock().iter().map(|sent| sent.method.clone()).collect();
    assert_eq!(methods, [http::Method::PUT, http::Method::PUT], "it was never read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_a_delivery_never_hold_what_the_other_waits_for() {
    let reading = PASSING.replace("retry =", "read = {}\nconcurrency = 1\nretry =");
    let system = format!("{SYSTEM}limits = {{ concurrent = 1 }}\n");
    let world = World::of(&[("integrations/sync.toml", &reading), ("systems/shop.toml", &system)]).await;
    let all = dead_letters(&world, &[r#"{"id":"a"}"#]).await;
    world.destinations.doors.forget_permits(usize::MAX);
    world.send(r#"{"id":"b"}"#).await;
    world.until("state:sending", 1).await;
    world.send(r#"{"id":"c"}"#).await;
    waiting_for_a_turn(&world, 1).await;
    let runtime = world.runtime.clone();
    let planned = tokio::spawn(async move { runtime.plan_replay(exact(ids(&all))).await });
    waiting_for_a_turn(&world, 2).await;
    world.destinations.doors.add_permits(10);
    let plan = planned.await.expect("it ends").expect("plans");
    let current = plan.samples[0].current.as_ref().expect("it was tried");
    assert_eq!(current.status, Some(200), "{current:?}");
    world.until("state:delivered", 2).await;
}

/// Until so many wait for a turn under the system's limits.
async fn waiting_for_a_turn(world: &World, count: u32) {
    for _ in 0..4_000 {
        let gates = world.runtime.system_gates("shop").expect("the system is there");
        if gates.limits.is_some_and(|limits| limits.waiting == count) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("never {count} that wait for a turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_one_that_is_delivered_meanwhile_supersedes_the_older_dead_letter() {
    let world = World::with(PASSING).await;
    let all = dead_letters(&world, &[r#"{"id":"a","n":1}"#]).await;
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("pauses");
    world.send(r#"{"id":"a","n":2}"#).await;
    let started = world.runtime.start_replay(exact(ids(&all))).await.expect("starts");
    world.until("state:held reason:order", 1).await;
    world.runtime.resume(PauseScope::System("shop".into())).await.expect("resumes");
    let report = ended(&world, started.id).await;
    assert_eq!((report.delivered, report.skipped_newer), (0, 1));
    assert_eq!(world.destinations.bodies()[1..], [r#"{"id":"a","n":2}"#]);
    assert_eq!(world.rows("state:superseded").await[0].id, all[0]);

    let purpose = ReplayRequest { newer: NewerPolicy::Send, ..exact(ids(&all)) };
    let started = world.runtime.start_replay(purpose).await.expect("starts");
    assert_eq!(ended(&world, started.id).await.delivered, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_puts_back_what_waits_and_keeps_what_was_sent() {
    let world = World::with(PASSING).await;
    let all = dead_letters(&world, &[r#"{"id":"a"}"#, r#"{"id":"b"}"#]).await;
    let before = world.store.delivery(all[0]).await.expect("answers").expect("there");
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("pauses");
    let edit = ReplayRequest { edit: Some(b"{}".to_vec()), ..exact(ids(&all[..1])) };
    let started = world.runtime.start_replay(edit).await.expect("starts");
    world.until("state:held reason:pause", 1).await;
    let undone = world.runtime.undo_replay(started.id).await.expect("undoes");
    assert_eq!((undone.state, undone.undone), (ReplayState::Cancelled, 1));
    let after = world.store.delivery(all[0]).await.expect("answers").expect("there");
    assert_eq!(
        (after.state, &after.message, after.group, after.revision),
        (DeliveryState::Dead, &before.message, before.group, 1)
    );
    world.runtime.resume(PauseScope::System("shop".into())).await.expect("resumes");

    let started = world.runtime.start_replay(exact(dead(&world))).await.expect("starts");
    assert_eq!(ended(&world, started.id).await.delivered, 2);
    let late = world.runtime.undo_replay(started.id).await;
    let Err(ControlError::WrongState(why)) = late else { panic!("{late:?}") };
    assert!(why.contains("2 were sent") && why.contains("cannot be unsent"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_although_one_of_its_set_died_again_in_front_of_another() {
    let parking = PASSING.replace("on_dead = \"pass\"", "").replace("key = '.body.id'", "key = '.body.key'");
    let mapped = parking.replace(
        "[[destinations]]",
        "[[steps]]\nkind = \"map\"\njq = 'if .n == 2 and .mended == null then error(\"no\") else . end'\n\n[[destinations]]",
    );
    let world = World::with(&mapped).await;
    let all = dead_letters(&world, &[r#"{"key":"a","n":1}"#, r#"{"key":"a","n":2}"#]).await;
    world.change(&[("integrations/sync.toml", &parking)]).await;
    // The answer that the second one never asked for is left for the first one's second try.
    let request = ReplayRequest { mode: ReplayMode::Remap, ..exact(ids(&all)) };
    let started = world.runtime.start_replay(request).await.expect("starts");
    let report = ended(&world, started.id).await;
    assert_eq!((report.state, report.dead, report.skipped_parked), (ReplayState::Done, 1, 1));
    let states: Vec<_> = world.rows("key:a").await.into_iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Dead, DeliveryState::Dead]);
}
