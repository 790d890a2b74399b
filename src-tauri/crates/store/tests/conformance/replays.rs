//! Replays: the frozen set, what each item becomes, progress.

use bytes::Bytes;
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, DeliveryState, FailureKind, ReplayId};
use signalbox_store::delivery::{Completed, Next};
use signalbox_store::event::Fate;
use signalbox_store::read::Selection;
use signalbox_store::replay::{
    ItemState, NewReplay, NewRevision, PlannedReplay, ReplayMove, ReplaySettings, Requeued, RevisionOrigin,
};

use crate::support::{Bench, bench, dead, dead_passing, failure, request};

pub fn settings() -> ReplaySettings {
    ReplaySettings { mode: ReplayMode::Exact, rate: 5.0, canary: false, reason: Some("mended".into()) }
}

pub async fn plan(bench: &Bench, selection: Selection, newer: NewerPolicy) -> (ReplayId, PlannedReplay) {
    let id = bench.replay_id();
    let plan = NewReplay { id, selection, settings: settings(), newer, change: None, created_at: bench.now() };
    (id, bench.store.plan_replay(plan).await.unwrap())
}

pub async fn started(bench: &Bench, filter: &str) -> ReplayId {
    let (id, _) = plan(bench, bench.matching(filter), NewerPolicy::Skip).await;
    assert_eq!(bench.store.start_replay(id, settings(), None, bench.now()).await.unwrap(), ReplayMove::Moved);
    id
}

pub async fn dead_letter(bench: &Bench, key: &str) -> DeliveryId {
    let id = bench.queue(bench.lane, key).await;
    bench.send(id, dead()).await;
    id
}

#[tokio::test]
async fn a_plan_freezes_dead_letters_oldest_first() {
    let bench = bench().await;
    let first = dead_letter(&bench, "a").await;
    let second = dead_letter(&bench, "b").await;
    bench.queue(bench.lane, "c").await;
    let (id, planned) = plan(&bench, bench.matching("destination:hubspot"), NewerPolicy::Skip).await;
    assert_eq!((planned.count, planned.skipped_state, planned.skipped_newer, planned.with_key), (2, 1, 0, 2));
    assert_eq!((planned.by_lane, planned.samples), (vec![(bench.lane, 2)], vec![first]));
    dead_letter(&bench, "d").await;
    assert_eq!(bench.store.next_items(id, 10).await.unwrap(), [first, second], "later ones are not in it");
    let row = bench.store.replay(id).await.unwrap().unwrap();
    assert_eq!((row.state, row.total, row.pending, row.settings), (ReplayState::Planned, 2, 2, settings()));
}

#[tokio::test]
async fn a_replayed_delivery_starts_a_new_round_with_the_same_bytes() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let follower = bench.queue(bench.lane, "a").await;
    let replay = started(&bench, "state:dead").await;
    bench.pass_ms(60_000);
    let requeued = bench.store.requeue(replay, id, None, bench.now()).await.unwrap();
    assert_eq!(requeued, Requeued::Queued { lane: bench.lane });
    let open = bench.open(bench.lane).await;
    assert_eq!((open[0].id, open[0].attempt, open[0].tries, open[0].revision), (id, 2, 1, 1));
    assert_eq!((open[0].replay, open[0].round_started_at), (Some(replay), open[0].round_started_at));
    assert_eq!(bench.end(&open[0], Next::Delivered).await, Completed::Applied { promoted: true });
    assert_eq!(bench.state(follower).await, DeliveryState::Queued);
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.pending, row.sent, row.delivered, row.dead), (0, 0, 1, 0));
    assert_eq!(bench.store.item_state(replay, id).await.unwrap(), Some(ItemState::Delivered));
    assert_eq!(bench.store.attempts(id).await.unwrap()[0].waited_for.as_deref(), Some("replay"));
}

#[tokio::test]
async fn changed_bytes_become_the_next_revision() {
    let bench = bench().await;
    let broken = Fate::Dead(failure(FailureKind::Mapping, None));
    let (id, _) = bench.event().key("a").ending_as(bench.lane, broken).await;
    let replay = started(&bench, "state:dead").await;
    let revision = |origin, body: &'static [u8]| NewRevision { origin, request: request(&Bytes::from_static(body)) };
    let remapped = Some(revision(RevisionOrigin::Remapped, b"mapped"));
    bench.store.requeue(replay, id, remapped, bench.now()).await.unwrap();
    bench.send(id, dead()).await;
    let again = started(&bench, "state:dead").await;
    let edited = Some(revision(RevisionOrigin::Edited, b"edited"));
    bench.store.requeue(again, id, edited, bench.now()).await.unwrap();
    let open = bench.open(bench.lane).await;
    assert_eq!((open[0].revision, &open[0].request.body[..]), (2, &b"edited"[..]));
    let revisions = bench.store.revisions(id).await.unwrap();
    assert_eq!(
        revisions.iter().map(|row| (row.number, row.origin)).collect::<Vec<_>>(),
        [(1, RevisionOrigin::Remapped), (2, RevisionOrigin::Edited)]
    );
}

#[tokio::test]
async fn with_nothing_to_send_an_exact_replay_skips() {
    let bench = bench().await;
    let (id, _) = bench.event().ending_as(bench.lane, Fate::Dead(failure(FailureKind::Mapping, None))).await;
    let replay = started(&bench, "state:dead").await;
    assert_eq!(bench.store.requeue(replay, id, None, bench.now()).await.unwrap(), Requeued::SkippedState);
    assert_eq!(bench.state(id).await, DeliveryState::Dead);
}

#[tokio::test]
async fn a_dead_letter_that_was_overtaken_is_skipped_and_superseded() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "a").await;
    bench.send(old, dead_passing()).await;
    let late = bench.queue(bench.lane, "b").await;
    bench.send(late, dead_passing()).await;
    let newer = bench.queue(bench.lane, "a").await;
    bench.send(newer, Next::Delivered).await;
    let (_, planned) = plan(&bench, bench.matching("state:dead"), NewerPolicy::Skip).await;
    assert_eq!((planned.count, planned.skipped_newer), (1, 1), "left out of the plan");
    let (sends, planned) = plan(&bench, bench.matching("state:dead"), NewerPolicy::Send).await;
    assert_eq!((planned.count, planned.skipped_newer), (2, 1));
    // Overtaken between the plan and its turn.
    let replay = started(&bench, "state:dead").await;
    let newest = bench.queue(bench.lane, "b").await;
    bench.send(newest, Next::Delivered).await;
    assert_eq!(bench.store.requeue(replay, late, None, bench.now()).await.unwrap(), Requeued::SkippedNewer);
    assert_eq!(bench.state(late).await, DeliveryState::Superseded);
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.pending, row.skipped_newer, row.sent), (0, 2, 0), "one by the plan, one at its turn");
    bench.store.start_replay(sends, settings(), None, bench.now()).await.unwrap();
    let requeued = bench.store.requeue(sends, old, None, bench.now()).await.unwrap();
    assert_eq!(requeued, Requeued::Queued { lane: bench.lane }, "newer: send");
}

#[tokio::test]
async fn a_replayed_delivery_waits_behind_an_active_one_of_its_key() {
    let bench = bench().await;
    let old = bench.queue(bench.lane, "a").await;
    bench.send(old, dead_passing()).await;
    let (active, _) = bench.event().key("a").opening().to(bench.lane).await;
    let replay = started(&bench, "state:dead").await;
    assert_eq!(bench.store.requeue(replay, old, None, bench.now()).await.unwrap(), Requeued::Held { lane: bench.lane });
    let epoch = bench.row(active).await;
    assert_eq!(epoch.state, DeliveryState::Sending);
    assert_eq!(bench.open(bench.lane).await.len(), 0);
}

#[tokio::test]
async fn a_later_dead_letter_of_a_parked_key_waits_for_the_earlier_one() {
    let bench = bench().await;
    let first = dead_letter(&bench, "a").await;
    let broken = Fate::Dead(failure(FailureKind::Server, None));
    let middle = bench.queue(bench.lane, "a").await;
    let (last, _) = bench.event().key("a").ending_as(bench.lane, broken).await;
    let replay = started(&bench, "state:dead").await;
    let revision = Some(NewRevision { origin: RevisionOrigin::Remapped, request: request(&"x".into()) });
    assert_eq!(
        bench.store.requeue(replay, last, revision, bench.now()).await.unwrap(),
        Requeued::Held { lane: bench.lane }
    );
    assert_eq!(
        bench.store.requeue(replay, first, None, bench.now()).await.unwrap(),
        Requeued::Queued { lane: bench.lane }
    );
    for id in [first, middle, last] {
        assert_eq!(bench.send(id, Next::Delivered).await, Completed::Applied { promoted: id != last });
    }
}

#[tokio::test]
async fn an_item_that_is_no_longer_dead_is_skipped() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let replay = started(&bench, "state:dead").await;
    bench.store.discard(bench.discard_id(), Selection::Ids(vec![id]), None, bench.now()).await.unwrap();
    assert_eq!(bench.store.requeue(replay, id, None, bench.now()).await.unwrap(), Requeued::SkippedState);
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.pending, row.skipped_state), (0, 1));
}

#[tokio::test]
async fn a_mapping_that_fails_again_ends_the_item_with_its_new_failure() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let replay = started(&bench, "state:dead").await;
    bench.store.fail_item(replay, id, failure(FailureKind::Mapping, None), bench.now()).await.unwrap();
    let row = bench.row(id).await;
    assert_eq!((row.state, row.kind, row.attempts), (DeliveryState::Dead, Some(FailureKind::Mapping), 1));
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.pending, row.dead), (0, 1));
    assert_eq!(bench.store.item_state(replay, id).await.unwrap(), Some(ItemState::Dead));
}

#[tokio::test]
async fn a_replay_moves_only_where_it_can() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let (replay, _) = plan(&bench, bench.matching("state:dead"), NewerPolicy::Skip).await;
    let to = |state| bench.store.move_replay(replay, state, Some("why".into()), bench.now());
    assert_eq!(to(ReplayState::Paused).await.unwrap(), ReplayMove::WrongState(ReplayState::Planned));
    assert_eq!(
        bench.store.requeue(replay, id, None, bench.now()).await.unwrap(),
        Requeued::SkippedState,
        "not started"
    );
    let canary = ReplaySettings { canary: true, ..settings() };
    assert_eq!(bench.store.start_replay(replay, canary.clone(), None, bench.now()).await.unwrap(), ReplayMove::Moved);
    assert_eq!(bench.store.replay(replay).await.unwrap().unwrap().settings, canary);
    let again = bench.store.start_replay(replay, settings(), None, bench.now()).await.unwrap();
    assert_eq!(again, ReplayMove::WrongState(ReplayState::Running));
    assert_eq!(to(ReplayState::Paused).await.unwrap(), ReplayMove::Moved);
    assert_eq!(bench.store.replays(true, 10).await.unwrap().len(), 1, "a paused one is open");
    assert_eq!(to(ReplayState::Running).await.unwrap(), ReplayMove::Moved);
    assert_eq!(bench.store.replays(true, 10).await.unwrap().len(), 1);
    assert_eq!(to(ReplayState::Cancelled).await.unwrap(), ReplayMove::Moved);
    assert_eq!(to(ReplayState::Running).await.unwrap(), ReplayMove::WrongState(ReplayState::Cancelled));
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.stopped_because.as_deref(), row.ended_at.is_some()), (Some("why"), true));
    let unknown = bench.store.move_replay(bench.replay_id(), ReplayState::Done, None, bench.now()).await.unwrap();
    assert_eq!(unknown, ReplayMove::Missing);
    assert_eq!(bench.state(id).await, DeliveryState::Dead, "what had not started stays dead");
}

#[tokio::test]
async fn a_running_replay_survives_a_restart() {
    let bench = bench().await;
    let first = dead_letter(&bench, "a").await;
    let second = dead_letter(&bench, "b").await;
    let replay = started(&bench, "state:dead").await;
    bench.store.requeue(replay, first, None, bench.now()).await.unwrap();
    let bench = bench.reopen().await;
    bench.store.recover(bench.now()).await.unwrap();
    assert_eq!(bench.store.next_items(replay, 10).await.unwrap(), [second]);
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.state, row.sent, row.pending), (ReplayState::Running, 1, 1));
    bench.send(first, dead()).await;
    let row = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((row.sent, row.dead), (0, 1));
}
