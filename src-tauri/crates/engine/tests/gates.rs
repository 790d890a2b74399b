//! Gates at work over a real ledger: every reason explains itself, and one system's trouble stays its own.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use std::time::Duration;

use signalbox_engine::gates::Hold;
use signalbox_engine::view::{Explained, PauseScope};
use signalbox_model::{DeliveryState, HeldReason, Timestamp};
use signalbox_store::Lanes as _;
use signalbox_store::lane::{GateScope, GateStep, SavedGate};
use tokio::sync::Semaphore;

use world::replaying::{dead, exact};
use world::{SYSTEM, World, integration};

const SYNC: &str = integration!(
    r#"request = { path = "/in" }
retry = { schedule = ["1h", "1h"], jitter = 0 }
"#
);

/// The one delivery that waits, explained.
async fn waiting(world: &World) -> Explained {
    let rows = world.until("state:held", 1).await;
    let (state, ..) = world.runtime.shown_state(&rows[0]);
    assert_eq!(state, DeliveryState::Held);
    world.runtime.explain(&rows[0]).await.expect("the ledger answers")
}

fn assert_waits(explained: &Explained, reason: HeldReason, words: &str) {
    assert_eq!(explained.waits_for.map(|waits| waits.reason), Some(reason), "{}", explained.text);
    assert!(explained.text.contains(words), "{}", explained.text);
}

#[tokio::test]
async fn a_paused_destination_says_so() {
    let world = World::with(SYNC).await;
    let scope = PauseScope::Destination { integration: "sync".into(), destination: "shop".into() };
    world.runtime.pause(scope).await.expect("it is paused");
    world.send(r#"{"id":"1"}"#).await;
    assert_waits(&waiting(&world).await, HeldReason::Pause, "This destination is paused");
}

#[tokio::test]
async fn a_paused_system_says_so() {
    let world = World::with(SYNC).await;
    world.runtime.pause(PauseScope::System("shop".into())).await.expect("it is paused");
    world.send(r#"{"id":"1"}"#).await;
    assert_waits(&waiting(&world).await, HeldReason::Pause, "shop is paused");
}

#[tokio::test]
async fn a_breaker_held_open_says_so() {
    let world = World::with(SYNC).await;
    world.runtime.hold_breaker("shop", Hold::Open, Some("they move house".into())).await.expect("it is held");
    world.send(r#"{"id":"1"}"#).await;
    assert_waits(&waiting(&world).await, HeldReason::Breaker, "they move house");
    world.runtime.hold_breaker("shop", Hold::Auto, None).await.expect("it is let go");
    world.until("state:delivered", 1).await;
}

#[tokio::test]
async fn a_missing_secret_says_so() {
    let system = format!("{SYSTEM}auth = {{ kind = \"bearer\", secret = \"shop-token\" }}\n");
    let world = World::of(&[("integrations/sync.toml", SYNC), ("systems/shop.toml", &system)]).await;
    world.send(r#"{"id":"1"}"#).await;
    assert_waits(&waiting(&world).await, HeldReason::Credential, "signalbox secret set shop-token");
}

#[tokio::test]
async fn a_retry_after_says_until_when() {
    let world = World::with(SYNC).await;
    world.destinations.answer_with("/in", 429, &[("retry-after", "90")], "{}");
    world.send(r#"{"id":"1"}"#).await;
    let explained = waiting(&world).await;
    assert_waits(&explained, HeldReason::Rate, "asked to wait");
    assert!(explained.waits_for.and_then(|waits| waits.until).is_some());
}

#[tokio::test]
async fn a_spent_quota_holds_live_traffic_until_it_is_reset() {
    let world = World::with(SYNC).await;
    let spent = [("ratelimit-policy", "\"day\";q=10;w=60"), ("ratelimit", "\"day\";r=0;t=50")];
    world.destinations.answer_with("/in", 200, &spent, "{}");
    world.send(r#"{"id":"1"}"#).await;
    world.until("state:delivered", 1).await;
    world.send(r#"{"id":"2"}"#).await;
    assert_waits(&waiting(&world).await, HeldReason::Quota, "nothing of 10 left of its quota 'day'");
}

#[tokio::test]
async fn at_the_reserve_of_a_quota_live_traffic_goes_and_replays_wait_as_one() {
    let world = World::with(&SYNC.replace("jitter = 0 }", "jitter = 0 }\non_dead = \"pass\"")).await;
    for id in 1..=3 {
        world.destinations.answer("/in", 422, "{}");
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
        world.until("state:dead", id).await;
    }
    let left = |left: &'static str| [("ratelimit-policy", "\"day\";q=100;w=600"), ("ratelimit", left)];
    world.destinations.answer_with("/in", 200, &left("\"day\";r=5;t=500"), "{}");
    world.send(r#"{"id":"4"}"#).await;
    world.until("state:delivered", 1).await;

    world.runtime.start_replay(exact(dead(&world))).await.expect("starts");
    let waiting = world.until("reason:quota state:held", 3).await;
    for row in &waiting {
        let (state, reason, _) = world.runtime.shown_state(row);
        assert_eq!((state, reason), (DeliveryState::Held, Some(HeldReason::Quota)));
        let explained = world.runtime.explain(row).await.expect("the ledger answers");
        assert_waits(
            &explained,
            HeldReason::Quota,
            "5 of 100 left of its quota 'day', and 10 are kept for live traffic",
        );
        assert_eq!(row.due_at, Some(row.round_started_at), "nothing was written of its wait");
    }
    world.destinations.answer_with("/in", 200, &left("\"day\";r=4;t=499"), "{}");
    world.send(r#"{"id":"5"}"#).await;
    world.until("state:delivered", 2).await;
    assert_eq!(world.rows("reason:quota").await.len(), 3);

    world.destinations.answer_with("/in", 200, &left("\"day\";r=90;t=600"), "{}");
    world.send(r#"{"id":"6"}"#).await;
    world.until("state:delivered", 6).await;
}

#[tokio::test]
async fn a_hostile_quota_header_stops_nothing() {
    let world = World::with(SYNC).await;
    for value in ["\"a\";r=-1;t=9", "\"a\";r=NaN", ";;;", "\"a\";r=0"] {
        world.destinations.answer_with("/in", 200, &[("ratelimit", value)], "{}");
    }
    for id in 1..=8 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
        world.until("state:delivered", id).await;
    }
}

#[tokio::test]
async fn a_storm_of_429_is_one_request_and_one_wait() {
    let world = World::with(&SYNC.replace("jitter = 0 }", "jitter = 0 }\nconcurrency = 1")).await;
    for _ in 0..200 {
        world.destinations.answer_with("/in", 429, &[("retry-after", "300")], "{}");
    }
    for id in 0..200 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("reason:rate", 200).await;
    assert_eq!(world.destinations.seen.lock().len(), 1);
}

#[tokio::test]
async fn an_outage_ends_and_everything_goes_at_once() {
    let system = format!("{SYSTEM}breaker = {{ window = \"60s\", minimum = 5, open = \"1s\" }}\n");
    let world = World::of(&[("integrations/sync.toml", SYNC), ("systems/shop.toml", &system)]).await;
    for _ in 0..40 {
        world.destinations.answer("/in", 503, "{}");
    }
    for id in 0..60 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("reason:breaker", 60).await;
    let during = world.destinations.seen.lock().len();
    assert!(during < 40, "the breaker let {during} requests through");
    // The scripted failures that are left fail the probes; nobody waits for an hour.
    world.destinations.heal("/in");
    world.until("state:delivered", 60).await;
}

#[tokio::test]
async fn a_probe_that_is_told_when_to_come_back_is_the_last_before_that_time() {
    let sync = SYNC.replace("[\"1h\", \"1h\"]", "[\"1h\"]");
    let system = format!("{SYSTEM}breaker = {{ window = \"60s\", minimum = 1, open = \"1s\" }}\n");
    for status in [502, 503] {
        let world = World::of(&[("integrations/sync.toml", &sync), ("systems/shop.toml", &system)]).await;
        world.destinations.answer("/in", 500, "{}");
        world.destinations.answer_with("/in", status, &[("retry-after", "600")], "{}");
        world.send(r#"{"id":"1"}"#).await;
        world.until("attempts:>1 reason:breaker", 1).await;
        assert_comes_back_late(&world, status);
        let world = World::restart(world.crash().await).await;
        world.until("attempts:>1 reason:breaker", 1).await;
        assert_comes_back_late(&world, status);
        assert_eq!(world.destinations.seen.lock().len(), 0, "{status}: no probe went after the restart");
    }
}

fn assert_comes_back_late(world: &World, status: u16) {
    let breaker = world.runtime.system_gates("shop").expect("the system is there").breaker;
    let next = breaker.next_probe_at.expect("the breaker is open");
    let wait = next.since(world.runtime.clock().now());
    let asked = Duration::from_secs(590)..=Duration::from_secs(600);
    assert!(asked.contains(&wait), "{status}: the next probe comes in {wait:?}");
}

#[tokio::test]
async fn after_a_restart_what_an_outage_left_waiting_need_not_wait_for_its_schedule() {
    let world = World::with(SYNC).await;
    world.destinations.always("/in", 503);
    for id in 0..5 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("state:retrying", 5).await;
    let dead = World::restart_before(world.crash().await, "/in", 503).await;
    dead.until("attempts:>1 state:retrying", 1).await;
    assert_eq!(dead.destinations.seen.lock().len(), 1, "one asks for all whether the outage is over");
    let well = World::restart(dead.crash().await).await;
    well.until("state:delivered", 5).await;
}

#[tokio::test]
async fn what_fails_after_a_start_waits_for_its_schedule_although_others_are_confirmed() {
    let world = World::with(SYNC).await;
    world.destinations.answer("/in", 503, "{}");
    world.send(r#"{"id":"1"}"#).await;
    world.until("state:retrying", 1).await;
    world.send(r#"{"id":"2"}"#).await;
    world.until("state:delivered", 1).await;
    world.send(r#"{"id":"3"}"#).await;
    world.until("state:delivered", 2).await;
    assert_eq!(world.destinations.seen.lock().len(), 3, "the first waits for its hour");
}

#[tokio::test]
async fn a_restart_shortens_no_wait_that_the_destination_asked_for() {
    let world = World::with(SYNC).await;
    world.destinations.answer("/in", 503, "{}");
    world.send(r#"{"id":"1"}"#).await;
    world.until("state:retrying", 1).await;
    world.destinations.answer_with("/in", 429, &[("retry-after", "3600")], "{}");
    world.send(r#"{"id":"2"}"#).await;
    world.until("reason:rate", 2).await;
    let again = World::restart(world.crash().await).await;
    again.send(r#"{"id":"3"}"#).await;
    again.until("reason:rate", 3).await;
    assert_eq!(again.destinations.seen.lock().len(), 0);
}

#[tokio::test]
async fn whoever_looks_back_sees_when_a_system_was_closed_and_why() {
    let system = format!("{SYSTEM}breaker = {{ window = \"60s\", minimum = 3, open = \"1s\" }}\n");
    let world = World::of(&[("integrations/sync.toml", SYNC), ("systems/shop.toml", &system)]).await;
    let hour = Duration::from_secs(3_600);
    let spans = async |world: &World| {
        let spans = world.runtime.closed_spans(hour).await.expect("the ledger answers");
        let of_shop = spans.get("shop").cloned().unwrap_or_default();
        of_shop.iter().map(|span| (span.reason, span.until.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(spans(&world).await, []);
    world.destinations.always("/in", 503);
    for id in 0..3 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("reason:breaker", 3).await;
    assert_eq!(spans(&world).await, [(HeldReason::Breaker, false)]);
    world.destinations.always("/in", 200);
    world.until("state:delivered", 3).await;
    assert_eq!(spans(&world).await, [(HeldReason::Breaker, true)], "its probe closed it");
    world.runtime.pause(PauseScope::Integration("sync".into())).await.expect("pauses");
    let seen = [(HeldReason::Breaker, true), (HeldReason::Pause, false)];
    assert_eq!(spans(&world).await, seen);
    let world = World::restart(world.crash().await).await;
    assert_eq!(spans(&world).await, seen, "it outlives the process");
    world.runtime.hold_breaker("shop", Hold::Open, None).await.expect("holds");
    world.change(&[("systems/shop.toml", &format!("{SYSTEM}breaker = \"off\"\n"))]).await;
    let was = [(HeldReason::Breaker, true), (HeldReason::Pause, false), (HeldReason::Breaker, true)];
    assert_eq!(spans(&world).await, was, "a breaker that was switched off holds nothing");
    assert!(world.store.saved_gates().await.expect("gates").iter().all(|gate| gate.reason != HeldReason::Breaker));
    world.change(&[("systems/shop.toml", &system)]).await;
    world.runtime.hold_breaker("shop", Hold::Open, None).await.expect("holds");
    assert_eq!(spans(&world).await.len(), 4, "and is no part of the time when another one is open");
}

#[tokio::test]
async fn a_wait_that_is_made_longer_is_one_wait_in_the_history() {
    let world = World::with(SYNC).await;
    for seconds in ["1", "2"] {
        world.destinations.answer_with("/in", 429, &[("retry-after", seconds)], "{}");
    }
    world.destinations.doors.forget_permits(Semaphore::MAX_PERMITS);
    for id in 0..2 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("state:sending", 2).await;
    world.destinations.doors.add_permits(2);
    world.until("state:retrying", 2).await;
    let spans = world.store.gate_spans(Timestamp::default()).await.expect("the ledger answers");
    let [wait] = spans.as_slice() else { panic!("one wait: {spans:?}") };
    let lasts = wait.until.expect("it said until when").since(wait.since);
    assert!(lasts > Duration::from_millis(1_500), "as long as the later one asked for: {lasts:?}");
}

#[tokio::test]
async fn a_wait_that_was_saved_while_the_clock_was_ahead_lasts_as_long_as_it_was_meant_to() {
    let world = World::with(SYNC).await;
    let hour = Duration::from_secs(3_600);
    let ahead = world.runtime.clock().now().plus(hour);
    let wait = SavedGate {
        scope: GateScope::Lane,
        name: "sync/shop".to_owned(),
        reason: HeldReason::Rate,
        since: ahead,
        until: Some(ahead.plus(Duration::from_secs(4))),
        explain: "429".to_owned(),
    };
    world.store.save_gate(wait, GateStep::Closes).await.expect("it is kept");
    let again = World::restart(world.crash().await).await;
    again.send(r#"{"id":"1"}"#).await;
    again.until("reason:rate", 1).await;
    again.until("state:delivered", 1).await;
}

#[tokio::test]
async fn a_restart_shortens_no_wait_that_a_failing_system_asked_for() {
    let world = World::with(SYNC).await;
    for id in 0..3 {
        world.destinations.answer_with("/in", 502, &[("retry-after", "7200")], "{}");
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("state:retrying", 3).await;
    let again = World::restart(world.crash().await).await;
    for (id, delivered) in [("new", 1), ("newer", 2)] {
        again.send(&format!(r#"{{"id":"{id}"}}"#)).await;
        again.until("state:delivered", delivered).await;
    }
    assert_eq!(again.rows("state:retrying").await.len(), 3);
    assert_eq!(again.destinations.seen.lock().len(), 2);
}

#[tokio::test]
async fn an_answer_that_confirm_refuses_does_not_end_an_outage() {
    let world = World::with(&SYNC.replace("jitter = 0 }", "jitter = 0 }\nconfirm = '.body.ok'")).await;
    world.destinations.always("/in", 503);
    for id in 0..5 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("state:retrying", 5).await;
    // A proxy's page: 200, and nobody was asked.
    let page = World::restart_before(world.crash().await, "/in", 200).await;
    for (id, dead) in [("new", 2), ("newer", 3)] {
        page.send(&format!(r#"{{"id":"{id}"}}"#)).await;
        page.until("state:dead", dead).await;
    }
    assert_eq!(page.destinations.seen.lock().len(), 3, "one that asked, and the two that came");
    assert_eq!(page.rows("state:retrying").await.len(), 4);
}

#[tokio::test]
async fn restarts_during_an_outage_use_no_tries() {
    let mut world = World::with(&SYNC.replace(r#"["1h", "1h"]"#, r#"["1h"]"#)).await;
    world.destinations.always("/in", 503);
    world.send(r#"{"id":"1"}"#).await;
    world.until("state:retrying", 1).await;
    for restart in 1..=3 {
        world = World::restart_before(world.crash().await, "/in", 503).await;
        let waits = world.until(&format!("state:retrying attempts:>{restart}"), 1).await;
        assert!(waits[0].due_at.is_some_and(|due| due > world.runtime.clock().now()), "and not at once again");
        assert_eq!(world.destinations.seen.lock().len(), 1);
    }
    let well = World::restart(world.crash().await).await;
    well.until("state:delivered", 1).await;
}

#[tokio::test]
async fn behind_an_open_breaker_the_old_ones_end_however_many_they_are() {
    let world = World::with(&SYNC.replace(r#"["1h", "1h"], jitter = 0"#, r#"[], max_age = "1s""#)).await;
    world.runtime.hold_breaker("shop", Hold::Open, None).await.expect("the breaker is held");
    // More than two parts of the walk.
    for id in 0..1_100 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("state:held", 0).await;
    assert_eq!(world.rows("state:dead").await.len(), 500, "a full page");
    assert_eq!(world.destinations.seen.lock().len(), 0);
}

#[tokio::test]
async fn a_thousand_dead_destinations_move_nobody_else() {
    let mut files: Vec<(String, String)> = Vec::new();
    for number in 0..20 {
        let mut text = SYNC.replace("/hooks/sync", &format!("/hooks/dead{number}"));
        for more in 0..49 {
            text +=
                &format!("[[destinations]]\nname = \"d{more}\"\nsystem = \"dead\"\nrequest = {{ path = \"/dead\" }}\n");
        }
        text = text.replace("system = \"shop\"", "system = \"dead\"").replace("path = \"/in\"", "path = \"/dead\"");
        files.push((format!("integrations/dead{number}.toml"), text));
    }
    files.push(("integrations/sync.toml".into(), SYNC.into()));
    files.push(("systems/shop.toml".into(), SYSTEM.into()));
    files.push(("systems/dead.toml".into(), SYSTEM.into()));
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let world = World::of(&borrowed).await;
    world.destinations.always("/dead", 503);
    for number in 0..20 {
        for id in 0..3 {
            let status = world.post(&format!("/hooks/dead{number}"), &[], format!(r#"{{"id":"{id}"}}"#)).await;
            assert!(status.is_success());
        }
    }
    for id in 1..=20 {
        world.send(&format!(r#"{{"id":"{id}"}}"#)).await;
    }
    world.until("destination:shop integration:sync state:delivered", 20).await;
    let asked = world.destinations.seen.lock().iter().filter(|sent| sent.url.ends_with("/dead")).count();
    assert!(asked < 1_500, "3,000 deliveries to a dead system made {asked} requests");
    tokio::time::timeout(Duration::from_secs(10), world.runtime.drain(Duration::from_secs(5))).await.expect("it stops");
}
