//! Discarding and taking it back.

use signalbox_model::DeliveryState;
use signalbox_store::delivery::{Next, UndoneDiscard};
use signalbox_store::read::Selection;

use crate::support::{bench, dead, retry};

fn restored(restored: u64) -> UndoneDiscard {
    UndoneDiscard { restored, superseded: 0 }
}

#[tokio::test]
async fn what_waits_or_is_dead_can_be_discarded_and_the_next_of_its_key_goes() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let third = bench.queue(bench.lane, "003").await;
    bench.send(first, dead()).await;
    let ids = Selection::Ids(vec![first, second]);
    assert_eq!(bench.store.discard(bench.discard_id(), ids, Some("test".into()), bench.now()).await.unwrap(), 2);
    assert_eq!(bench.state(first).await, DeliveryState::Discarded);
    assert_eq!(bench.state(second).await, DeliveryState::Discarded);
    assert_eq!(bench.state(third).await, DeliveryState::Queued);
}

#[tokio::test]
async fn what_is_on_its_way_or_delivered_is_left_alone() {
    let bench = bench().await;
    let (open, _) = bench.event().opening().to(bench.lane).await;
    let (done, _) = bench.event().to(bench.other).await;
    bench.send(done, Next::Delivered).await;
    let ids = Selection::Ids(vec![open, done]);
    assert_eq!(bench.store.discard(bench.discard_id(), ids, None, bench.now()).await.unwrap(), 0);
    let all = bench.matching("integration:crm-sync");
    assert_eq!(bench.store.discard(bench.discard_id(), all, None, bench.now()).await.unwrap(), 0);
}

#[tokio::test]
async fn undo_gives_back_what_each_row_was() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let (keyless, _) = bench.event().to(bench.other).await;
    bench.send(keyless, retry(bench.now())).await;
    bench.send(first, dead()).await;
    let before = bench.row(first).await;
    let id = bench.discard_id();
    let all = bench.matching("state:dead,held,retrying");
    assert_eq!(bench.store.discard(id, all, None, bench.now()).await.unwrap(), 3);
    bench.pass_ms(1_000);
    assert_eq!(bench.store.undo_discard(id, bench.now()).await.unwrap(), Some(restored(3)));
    let after = bench.row(first).await;
    assert_eq!(
        (after.state, after.message, after.group, after.ended_at),
        (before.state, before.message, before.group, before.ended_at)
    );
    assert_eq!(bench.state(second).await, DeliveryState::Held, "still parked");
    let row = bench.row(keyless).await;
    assert_eq!((row.state, row.due_at), (DeliveryState::Retrying, Some(bench.now())), "due now");
    assert_eq!(bench.store.undo_discard(id, bench.now()).await.unwrap(), Some(restored(0)), "once");
    assert_eq!(bench.store.undo_discard(bench.discard_id(), bench.now()).await.unwrap(), None);
}

#[tokio::test]
async fn undo_stands_in_line_behind_what_started_meanwhile() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let id = bench.discard_id();
    bench.store.discard(id, Selection::Ids(vec![first]), None, bench.now()).await.unwrap();
    let open = bench.open(bench.lane).await;
    assert_eq!(open[0].id, second);
    bench.store.undo_discard(id, bench.now()).await.unwrap();
    assert_eq!(bench.state(first).await, DeliveryState::Held);
    bench.end(&open[0], Next::Delivered).await;
    assert_eq!(bench.state(first).await, DeliveryState::Queued);
}

#[tokio::test]
async fn undo_never_sends_what_is_older_than_what_its_key_has_delivered() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    let second = bench.queue(bench.lane, "003").await;
    let parked = bench.queue(bench.other, "003").await;
    bench.send(parked, dead()).await;
    let id = bench.discard_id();
    bench.store.discard(id, Selection::Ids(vec![first, parked]), None, bench.now()).await.unwrap();
    bench.send(second, Next::Delivered).await;
    let undone = bench.store.undo_discard(id, bench.now()).await.unwrap();
    assert_eq!(undone, Some(UndoneDiscard { restored: 1, superseded: 1 }));
    assert_eq!(bench.state(first).await, DeliveryState::Superseded);
    assert_eq!(bench.state(parked).await, DeliveryState::Dead, "a dead letter sends nothing by itself");
}

#[tokio::test]
async fn one_given_back_behind_a_newer_one_is_superseded_when_that_is_delivered() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    bench.queue(bench.lane, "003").await;
    let id = bench.discard_id();
    bench.store.discard(id, Selection::Ids(vec![first]), None, bench.now()).await.unwrap();
    let newer = bench.open(bench.lane).await.remove(0);
    assert_eq!(bench.store.undo_discard(id, bench.now()).await.unwrap(), Some(restored(1)));
    bench.end(&newer, Next::Delivered).await;
    let last = bench.queue(bench.lane, "003").await;
    assert!(bench.open(bench.lane).await.is_empty(), "nothing of the older one is sent");
    let row = bench.row(first).await;
    assert_eq!((row.state, row.attempts), (DeliveryState::Superseded, 0));
    assert_eq!(bench.open(bench.lane).await[0].id, last, "the next of the key goes on");
}

#[tokio::test]
async fn a_bulk_command_without_a_filter_is_refused() {
    let bench = bench().await;
    bench.queue(bench.lane, "003").await;
    assert!(bench.store.discard(bench.discard_id(), bench.matching(""), None, bench.now()).await.is_err());
}

#[tokio::test]
async fn thousands_are_discarded_and_given_back() {
    let bench = bench().await;
    for round in 0..25 {
        let events: Vec<_> = (0..100)
            .map(|_| {
                let given = bench.event().key(&format!("key {round}"));
                given
                    .fates(vec![(bench.lane, signalbox_store::event::Fate::Send(crate::support::request(&"x".into())))])
            })
            .collect();
        for answer in crate::intake::futures(events.into_iter().map(|event| bench.store.accept(event))).await {
            answer.unwrap();
        }
    }
    let id = bench.discard_id();
    assert_eq!(bench.store.discard(id, bench.matching("destination:hubspot"), None, bench.now()).await.unwrap(), 2_500);
    assert_eq!(bench.list("state:queued,held").await.len(), 0);
    assert_eq!(bench.store.undo_discard(id, bench.now()).await.unwrap(), Some(restored(2_500)));
    assert_eq!(bench.list("state:queued").await.len(), 25, "one head for each key");
}
