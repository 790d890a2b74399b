//! Keys keep their order: promotion, parking, passing.

use signalbox_model::{DeliveryState, FailureKind};
use signalbox_store::delivery::{Completed, Next};
use signalbox_store::event::{Failure, Fate, Placement};

use crate::support::{bench, dead, dead_passing, failure, retry};

#[tokio::test]
async fn a_follower_waits_until_its_head_has_ended() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let third = bench.queue(bench.lane, "003").await;
    assert_eq!(bench.state(second).await, DeliveryState::Held);
    assert_eq!(bench.send(first, retry(bench.now())).await, Completed::Applied { promoted: false });
    assert_eq!(bench.state(second).await, DeliveryState::Held, "a retry keeps the place");
    assert_eq!(bench.send(first, Next::Delivered).await, Completed::Applied { promoted: true });
    assert_eq!((bench.state(second).await, bench.state(third).await), (DeliveryState::Queued, DeliveryState::Held));
    assert_eq!(bench.open(bench.lane).await.len(), 1);
}

#[tokio::test]
async fn keys_lanes_and_events_without_key_do_not_wait_for_each_other() {
    let bench = bench().await;
    bench.queue(bench.lane, "003").await;
    let other_key = bench.queue(bench.lane, "004").await;
    let other_lane = bench.queue(bench.other, "003").await;
    let (keyless, _) = bench.event().to(bench.lane).await;
    for id in [other_key, other_lane, keyless] {
        assert_eq!(bench.state(id).await, DeliveryState::Queued);
    }
}

#[tokio::test]
async fn followers_that_arrive_together_get_one_head() {
    let bench = bench().await;
    let events: Vec<_> = (0..30)
        .map(|_| {
            let given = bench.event().key("003").opening();
            given.fates(vec![(bench.lane, Fate::Send(crate::support::request(&"x".into())))])
        })
        .collect();
    let answers = crate::intake::futures(events.into_iter().map(|event| bench.store.accept(event))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(bench.list("state:sending").await.len(), 1);
    assert_eq!(bench.list("state:held").await.len(), 29);
}

#[tokio::test]
async fn a_dead_letter_parks_its_own_key_only() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let other = bench.queue(bench.lane, "004").await;
    assert_eq!(bench.send(first, dead()).await, Completed::Applied { promoted: false });
    assert_eq!(bench.state(second).await, DeliveryState::Held);
    // Opened together with the first above, still on its way.
    assert_eq!(bench.state(other).await, DeliveryState::Sending);
    let third = bench.queue(bench.lane, "003").await;
    assert_eq!(bench.state(third).await, DeliveryState::Held, "later ones of the key wait too");
}

#[tokio::test]
async fn with_pass_later_ones_go_on() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    assert_eq!(bench.send(first, dead_passing()).await, Completed::Applied { promoted: true });
    assert_eq!(bench.state(second).await, DeliveryState::Queued);
}

#[tokio::test]
async fn a_mapping_failure_in_the_middle_parks_what_comes_after_it() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let broken = Fate::Dead(failure(FailureKind::Mapping, None));
    let (middle, placement) = bench.event().key("003").ending_as(bench.lane, broken).await;
    assert_eq!(placement, Placement::Ended);
    let last = bench.queue(bench.lane, "003").await;
    assert_eq!(bench.send(first, Next::Delivered).await, Completed::Applied { promoted: false });
    assert_eq!(bench.state(last).await, DeliveryState::Held);
    bench.store.discard(bench.discard_id(), bench.matching(&format!("id:{middle}")), None, bench.now()).await.unwrap();
    assert_eq!(bench.state(last).await, DeliveryState::Queued, "a person let it go on");
}

#[tokio::test]
async fn what_ended_at_once_and_does_not_park_holds_nobody() {
    let bench = bench().await;
    let passing = Fate::Dead(Failure { park: false, ..failure(FailureKind::Mapping, None) });
    bench.event().key("003").ending_as(bench.lane, passing).await;
    bench.event().key("003").ending_as(bench.lane, Fate::Filtered { step: "s".into() }).await;
    let id = bench.queue(bench.lane, "003").await;
    assert_eq!(bench.state(id).await, DeliveryState::Queued);
}
