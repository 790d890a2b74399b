//! An older dead letter never overwrites newer data of its key: not when its turn comes, not when its attempt opens.

use signalbox_model::DeliveryState;
use signalbox_model::replay::NewerPolicy;
use signalbox_store::delivery::Next;
use signalbox_store::read::Selection;
use signalbox_store::replay::{ItemState, ReplayMove, Requeued};

use crate::replays::{plan, settings, started};
use crate::support::{bench, dead_passing};

#[tokio::test]
async fn one_that_waited_behind_a_newer_one_is_superseded_when_its_attempt_would_open() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "a").await;
    bench.send(old, dead_passing()).await;
    let newer = bench.queue(bench.lane, "a").await;
    let active = bench.open(bench.lane).await.remove(0);
    let replay = started(&bench, "state:dead").await;
    assert_eq!(bench.store.requeue(replay, old, None, bench.now()).await.unwrap(), Requeued::Held { lane: bench.lane });
    bench.end(&active, Next::Delivered).await;
    assert_eq!(bench.state(old).await, DeliveryState::Queued, "its turn has come");
    let later = bench.queue(bench.lane, "a").await;
    assert!(bench.open(bench.lane).await.is_empty(), "nothing of it is sent");
    let row = bench.row(old).await;
    assert_eq!((row.state, row.attempts, row.tries_before), (DeliveryState::Superseded, 1, 1));
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.sent, job.pending, job.skipped_newer), (0, 0, 1));
    let items = bench.store.replay_items(replay, None, 10).await.unwrap();
    assert_eq!(items[0].state, ItemState::Skipped);
    assert!(items[0].message.as_deref().unwrap().contains(&newer.to_string()), "{items:?}");
    assert_eq!(bench.state(later).await, DeliveryState::Queued, "the next of the key goes on");
    bench.send(later, Next::Delivered).await;
}

#[tokio::test]
async fn without_a_key_nothing_is_newer() {
    let bench = bench().await;
    let (old, _) = bench.event().to(bench.lane).await;
    bench.send(old, dead_passing()).await;
    let (newer, _) = bench.event().to(bench.lane).await;
    bench.send(newer, Next::Delivered).await;
    let replay = started(&bench, "state:dead").await;
    bench.store.requeue(replay, old, None, bench.now()).await.unwrap();
    assert_eq!(bench.open(bench.lane).await[0].id, old);
}

#[tokio::test]
async fn a_superseded_one_is_sent_on_purpose_only() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "a").await;
    bench.send(old, dead_passing()).await;
    let replay = started(&bench, "state:dead").await;
    let newer = bench.queue(bench.lane, "a").await;
    bench.send(newer, Next::Delivered).await;
    assert_eq!(bench.store.requeue(replay, old, None, bench.now()).await.unwrap(), Requeued::SkippedNewer);
    assert_eq!(bench.state(old).await, DeliveryState::Superseded);

    let (_, planned) = plan(&bench, Selection::Ids(vec![old]), NewerPolicy::Skip).await;
    assert_eq!((planned.count, planned.skipped_newer), (0, 1));
    let (replay, planned) = plan(&bench, Selection::Ids(vec![old]), NewerPolicy::Send).await;
    assert_eq!((planned.count, planned.with_key), (1, 1));
    assert_eq!(bench.store.start_replay(replay, settings(), None, bench.now()).await.unwrap(), ReplayMove::Moved);
    let requeued = bench.store.requeue(replay, old, None, bench.now()).await.unwrap();
    assert_eq!(requeued, Requeued::Queued { lane: bench.lane });
    bench.send(old, Next::Delivered).await;
}
