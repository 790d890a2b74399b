//! A machine that slept for eight hours, and a clock that somebody sets by an hour: the wall jumps and timers do not. What
//! waits goes once and within its limits; no wait becomes an hour longer; nothing is sent twice.

use std::collections::BTreeSet;
use std::time::Duration;

use signalbox_engine::view::ReplayRequest;
use signalbox_model::DeliveryState;
use signalbox_model::replay::ReplayMode;

use crate::clock::pass;
use crate::scenario::everything_dead;
use crate::stage::{Headers, Seen, Stage};

const NIGHT: i64 = 8 * 3_600;
const HOUR: i64 = 3_600;
/// The longest that a sleeping lane takes to notice, and a moment.
const NOTICED: Duration = Duration::from_secs(6);

const INTEGRATION: &str = r#"
[source]
kind = "webhook"
path = "/hooks/sync"
verify = { scheme = "none" }
key = '.body.n | tostring'
dedupe = { id = '.body.n' }

[[destinations]]
name = "shop"
system = "shop"
request = { path = "/shop" }
retry = { schedule = ["20s", "20s"], jitter = 0 }
"#;

/// What was confirmed was sent once.
fn assert_once(seen: &[Seen]) {
    let mut confirmed = BTreeSet::new();
    for seen in seen.iter().filter(|seen| seen.status == 200) {
        assert!(confirmed.insert(&seen.body), "{} was confirmed twice", seen.body);
    }
}

/// The most requests that began within any second.
fn most_in_a_second(seen: &[Seen]) -> usize {
    let within = |first: &Seen| {
        seen.iter().filter(|seen| (first.at..first.at + Duration::from_secs(1)).contains(&seen.at)).count()
    };
    seen.iter().map(within).max().unwrap_or(0)
}

const LIMITED: &str = "limits = { per_second = 10, burst = 5, concurrent = 4 }";

#[test]
fn after_a_night_what_waits_goes_once_and_within_its_limits() {
    Stage::play(INTEGRATION, LIMITED, async |night: &Stage| {
        night.shop.says(503, &[]);
        night.send(0..80).await;
        pass(10_000).await;
        let before = night.shop.seen.lock().len();
        assert!((20..40).contains(&before), "the breaker is open: {before}");
        night.shop.says(200, &[]);
        let woke = night.jump(NIGHT);
        pass(30_000).await;
        let seen = night.shop.seen_since(woke);
        assert!(seen[0].at - woke < NOTICED, "{:?}", seen[0].at - woke);
        assert_eq!(seen.len(), 80, "one request each");
        assert_once(&seen);
        assert!(most_in_a_second(&seen) <= 15, "{} in a second", most_in_a_second(&seen));
        assert!(seen.iter().all(|seen| seen.flying <= 4), "{seen:?}");
        night.assert_all(DeliveryState::Delivered, 80);
    });
}

#[test]
fn a_system_that_is_still_dead_in_the_morning_is_asked_by_one() {
    Stage::play(INTEGRATION, LIMITED, async |night: &Stage| {
        night.shop.says(503, &[]);
        night.send(0..80).await;
        pass(10_000).await;
        let tries: u32 = night.rows().iter().map(|row| row.attempts).sum();
        let woke = night.jump(NIGHT);
        pass(50_000).await;
        assert_eq!(night.shop.seen_since(woke).len(), 1, "the breaker's probe");
        let now: u32 = night.rows().iter().map(|row| row.attempts).sum();
        assert!(now <= tries + 1, "waiting uses no tries: {tries} before, {now} after");
    });
}

#[test]
fn a_replay_keeps_its_rate_over_a_night() {
    Stage::play(INTEGRATION, "", async |night: &Stage| {
        night.shop.says(422, &[]);
        night.send(0..40).await;
        pass(2_000).await;
        night.assert_all(DeliveryState::Dead, 40);
        night.shop.says(200, &[]);
        let request = everything_dead(&night.engine, ReplayMode::Exact, false);
        let replay = night.engine.start_replay(ReplayRequest { rate: Some(2.0), ..request }).await.expect("it starts");
        pass(5_000).await;
        let woke = night.jump(NIGHT);
        pass(60_000).await;
        let seen = night.shop.seen_since(woke);
        assert!(seen.len() >= 25, "it goes on: {}", seen.len());
        assert!(most_in_a_second(&seen) <= 4, "{} in a second", most_in_a_second(&seen));
        assert_once(&night.shop.seen.lock());
        night.assert_all(DeliveryState::Delivered, 40);
        let ended = night.engine.replay(replay.id).await.expect("the ledger answers").expect("it is there");
        assert_eq!(ended.total, 40);
    });
}

/// A system's settings, and what it says that makes its deliveries wait for 20 s.
const WAITS: [(&str, u16, Headers); 3] = [
    ("breaker = \"off\"", 429, &[("retry-after", "20")]),
    ("breaker = \"off\"", 503, &[]),
    ("breaker = { window = \"10s\", minimum = 5, open = \"20s\" }", 503, &[]),
];

#[test]
fn no_wait_becomes_an_hour_longer_or_shorter_when_the_clock_is_set_back() {
    for (system, status, headers) in WAITS {
        Stage::play(INTEGRATION, system, async |night: &Stage| {
            night.shop.says(status, headers);
            night.send(0..5).await;
            pass(5_000).await;
            night.shop.says(200, &[]);
            let set = night.jump(-HOUR);
            pass(40_000).await;
            let seen = night.shop.seen_since(set);
            let waited = seen[0].at - set;
            // 15 of the 20 s were left. A system's gates stand still between two looks, which are up to 5 s apart.
            assert!((13..=21).contains(&waited.as_secs()), "{system}, {status}: {waited:?}");
            assert_once(&seen);
            night.assert_all(DeliveryState::Delivered, 5);
        });
    }
}

#[test]
fn a_clock_that_is_set_forward_sends_what_is_due_then_once() {
    for (system, status, headers) in WAITS {
        Stage::play(INTEGRATION, system, async |night: &Stage| {
            night.shop.says(status, headers);
            night.send(0..5).await;
            pass(5_000).await;
            night.shop.says(200, &[]);
            let set = night.jump(HOUR);
            pass(20_000).await;
            let seen = night.shop.seen_since(set);
            assert!(seen[0].at - set < NOTICED, "{system}, {status}: {:?}", seen[0].at - set);
            assert_eq!(seen.len(), 5);
            night.assert_all(DeliveryState::Delivered, 5);
        });
    }
}

#[test]
fn a_quota_that_is_spent_is_not_spent_for_an_hour_longer() {
    for (jump, earliest, latest) in [(-HOUR, 13, 21), (NIGHT, 0, 6)] {
        Stage::play(INTEGRATION, "quota = { reserve = 0.1 }", async |night: &Stage| {
            night.shop.says(200, &[("ratelimit-policy", "\"minute\";q=10;w=60"), ("ratelimit", "\"minute\";r=0;t=20")]);
            night.send(0..1).await;
            pass(1_000).await;
            night.shop.says(200, &[]);
            night.send(1..5).await;
            pass(4_000).await;
            assert_eq!(night.shop.seen.lock().len(), 1, "the quota is spent");
            let set = night.jump(jump);
            pass(40_000).await;
            let seen = night.shop.seen_since(set);
            let waited = (seen[0].at - set).as_secs();
            assert!((earliest..=latest).contains(&waited), "{jump}: {waited} s");
            assert_once(&seen);
            night.assert_all(DeliveryState::Delivered, 5);
        });
    }
}
