//! Rows behind a closed gate: brought forward, passed by others, followed back with the clock, ended when too old.

use std::time::Duration;

use signalbox_model::retry::WaitedFor;
use signalbox_model::{DeliveryId, DeliveryState, FailureKind, Timestamp};
use signalbox_store::delivery::Next;
use signalbox_store::event::Failure;
use signalbox_store::read::{ClosedGates, Selection};

use crate::support::{Bench, bench, failure, retry};

fn later(bench: &Bench, secs: u64) -> Timestamp {
    bench.now().plus(Duration::from_secs(secs))
}

#[tokio::test]
async fn what_waits_after_an_outage_is_brought_forward_in_its_order_and_nothing_else_is() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "a").await;
    let second = bench.queue(bench.lane, "b").await;
    for open in bench.open(bench.lane).await {
        let secs = if open.id == first { 3_600 } else { 7_200 };
        bench.end(&open, retry(later(&bench, secs))).await;
    }
    assert_eq!(bench.open(bench.lane).await.len(), 0);
    assert_eq!(bench.store.bring_forward(bench.lane, 1, bench.now()).await.unwrap(), [first]);
    let opened = bench.open(bench.lane).await;
    assert_eq!(opened.iter().map(|row| row.id).collect::<Vec<_>>(), [first]);
    assert_eq!(bench.store.bring_forward(bench.lane, 9, bench.now()).await.unwrap(), [second]);
    assert_eq!(bench.store.bring_forward(bench.lane, 9, bench.now()).await.unwrap(), [], "it is due already");
    assert_eq!(bench.state(second).await, DeliveryState::Retrying);

    let asked = bench.queue(bench.other, "c").await;
    let rate = failure(FailureKind::Rate, None);
    bench.send(asked, Next::Wait { failure: rate, due_at: later(&bench, 60) }).await;
    assert_eq!(
        bench.store.bring_forward(bench.other, 9, bench.now()).await.unwrap(),
        [],
        "the system asked for that time"
    );
}

#[tokio::test]
async fn a_wait_that_the_system_asked_for_while_it_failed_is_not_shortened() {
    let bench = bench().await;
    let asked = bench.queue(bench.lane, "a").await;
    let due_at = later(&bench, 3_600);
    let failure = failure(FailureKind::Server, Some(502));
    bench.send(asked, Next::Retry { failure, due_at, waited_for: WaitedFor::RetryAfter }).await;
    let scheduled = bench.queue(bench.lane, "b").await;
    bench.send(scheduled, retry(later(&bench, 7_200))).await;
    assert_eq!(bench.store.bring_forward(bench.lane, 9, bench.now()).await.unwrap(), [scheduled]);
    assert_eq!(bench.open(bench.lane).await.len(), 1);
    bench.pass_ms(3_600_000);
    assert_eq!(bench.open(bench.lane).await.iter().map(|row| row.id).collect::<Vec<_>>(), [asked]);
}

#[tokio::test]
async fn live_traffic_passes_replays_that_a_quota_holds_up_and_they_read_as_held() {
    let bench = bench().await;
    let dead = crate::replays::dead_letter(&bench, "a").await;
    let replay = crate::replays::started(&bench, "state:dead").await;
    bench.store.requeue(replay, dead, None, bench.now()).await.unwrap();
    let live = bench.queue(bench.lane, "b").await;
    let gates = ClosedGates { to_replays: [bench.lane].into(), ..ClosedGates::default() };
    let cases = [
        ("state:held", vec![dead]),
        ("reason:quota", vec![dead]),
        ("reason:breaker", vec![]),
        ("state:queued", vec![live]),
        ("-reason:quota state:queued,held", vec![live]),
    ];
    for (filter, expected) in cases {
        assert_eq!(bench.list_behind(filter, gates.clone()).await, expected, "{filter}");
    }
    let waiting = |lanes: &[_]| bench.store.replays_waiting(lanes.iter().copied().collect());
    assert_eq!(waiting(&[bench.lane, bench.other]).await.unwrap(), 1, "the live one is not counted");
    assert_eq!(waiting(&[bench.other]).await.unwrap(), 0);
    let opened = bench.store.open_live_due(bench.lane, 10, bench.now()).await.unwrap();
    assert_eq!(opened.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [live]);
    assert_eq!(opened.next_due, None, "no live one is left");
    assert_eq!(bench.open(bench.lane).await[0].id, dead, "when the quota is filled up, they go");
}

#[tokio::test]
async fn due_times_follow_a_clock_that_was_set_back() {
    let bench = bench().await;
    let late = bench.queue(bench.lane, "b").await;
    let was_due = later(&bench, 90);
    bench.send(late, retry(was_due)).await;
    let soon = bench.queue(bench.lane, "a").await;
    let hour = Duration::from_secs(3_600);
    let now = bench.now().minus(hour);
    let mut after = None;
    loop {
        after = bench.store.follow_clock_back(bench.lane, after, hour, 1, now).await.unwrap();
        if after.is_none() {
            break;
        }
    }
    let due = |id| {
        let store = bench.store.clone();
        async move { store.delivery(id).await.unwrap().unwrap().due_at.unwrap() }
    };
    assert_eq!(due(late).await, was_due.minus(hour));
    assert!(due(soon).await <= now.plus(Duration::from_secs(1)), "what was due is due");
}

/// A part of the open rows after `after` is looked through, and what is too old ends: how many, and where to go on.
async fn end_old_ones(
    bench: &Bench,
    started_before: Timestamp,
    failure: &Failure,
    after: Option<DeliveryId>,
    limit: u32,
) -> (u64, Option<DeliveryId>) {
    let found = bench.store.too_old(bench.lane, started_before, after, limit).await.unwrap();
    let ended = bench.store.expire(found.ids, started_before, failure.clone(), bench.now()).await.unwrap();
    (ended, if ended > 0 { after } else { found.next })
}

#[tokio::test]
async fn rows_of_an_old_round_end_and_let_the_next_of_their_key_go() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "a").await;
    let follower = bench.queue(bench.lane, "a").await;
    let failure = Failure { park: false, ..failure(FailureKind::Network, None) };
    let minute_ago = bench.now().minus(Duration::from_secs(60));
    let none = bench.store.too_old(bench.lane, minute_ago, None, 10).await.unwrap();
    assert_eq!((none.ids, none.next), (vec![], None));
    assert!(none.oldest.is_some());
    let day = later(&bench, 86_400);
    assert_eq!(end_old_ones(&bench, day, &failure, None, 10).await.0, 1);
    assert_eq!(bench.state(old).await, DeliveryState::Dead);
    assert_eq!(bench.state(follower).await, DeliveryState::Queued);
    assert_eq!(end_old_ones(&bench, day, &failure, None, 10).await.0, 1, "the one that was promoted is as old");
}

#[tokio::test]
async fn what_was_found_too_old_and_is_sent_or_begun_anew_meanwhile_does_not_end() {
    let bench = bench().await;
    let sent = bench.queue(bench.lane, "a").await;
    let anew = bench.queue(bench.lane, "b").await;
    let minute = bench.pass_ms(60_000);
    let found = bench.store.too_old(bench.lane, minute, None, 10).await.unwrap();
    assert_eq!(found.ids, [sent, anew]);
    assert_eq!(bench.store.open_due(bench.lane, 1, bench.now()).await.unwrap().rows[0].id, sent);
    bench.store.discard(bench.discard_id(), Selection::Ids(vec![anew]), None, bench.now()).await.unwrap();
    let failure = failure(FailureKind::Network, None);
    assert_eq!(bench.store.expire(found.ids.clone(), minute, failure.clone(), bench.now()).await.unwrap(), 0);
    assert_eq!(bench.state(sent).await, DeliveryState::Sending);
    assert_eq!(bench.state(anew).await, DeliveryState::Discarded);
    let young = bench.queue(bench.lane, "c").await;
    assert_eq!(bench.store.expire(vec![young], minute, failure, bench.now()).await.unwrap(), 0);
    assert_eq!(bench.state(young).await, DeliveryState::Queued);
}

#[tokio::test]
async fn an_old_row_ends_however_late_it_is_due_and_however_many_are_due_before_it() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "old").await;
    bench.send(old, retry(later(&bench, 7_200))).await;
    bench.pass_ms(3_600_000);
    for at in 0..20 {
        bench.queue(bench.lane, &format!("young-{at}")).await;
    }
    let (half_an_hour_ago, failure) =
        (bench.now().minus(Duration::from_secs(1_800)), failure(FailureKind::Network, None));
    let mut next = None;
    for _ in 0..3 {
        next = end_old_ones(&bench, half_an_hour_ago, &failure, next, 1).await.1;
    }
    assert_eq!(next, None, "what was accepted too late to be too old is not walked");
    assert_eq!(bench.list("state:dead").await, [old]);
}

#[tokio::test]
async fn what_stands_before_a_row_is_counted_and_the_first_of_it_named() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "a").await;
    bench.queue(bench.lane, "a").await;
    let last = bench.queue(bench.lane, "a").await;
    bench.queue(bench.lane, "b").await;
    let ahead = bench.store.ahead(last).await.unwrap().unwrap();
    assert_eq!(ahead.of_key, 2);
    assert_eq!(ahead.head.map(|head| (head.id, head.state)), Some((first, DeliveryState::Queued)));
    bench.send(first, crate::support::dead()).await;
    let parked = bench.store.ahead(last).await.unwrap().unwrap();
    assert_eq!(parked.head.map(|head| head.state), Some(DeliveryState::Dead));
    assert_eq!(bench.store.ahead(first).await.unwrap().unwrap().of_key, 0);
}
