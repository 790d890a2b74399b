//! Undoing a replay, what a dead letter outside the set parks, and what is remembered of both.

use bytes::Bytes;
use signalbox_model::replay::{NewerPolicy, ReplayState};
use signalbox_model::{DeliveryId, DeliveryState, FailureKind, ReplayId};
use signalbox_store::delivery::Next;
use signalbox_store::read::{DeliveryRow, Selection};
use signalbox_store::replay::{BodyChange, ItemState, NewRevision, ReplayMove, Requeued, RevisionOrigin};

use crate::replays::{dead_letter, plan, settings, started};
use crate::support::{Bench, bench, dead, dead_passing, failure, request, retry};

/// All that a person can tell a row by.
fn shown(row: &DeliveryRow) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (row.state, row.kind, row.stage, row.status, row.message.clone(), row.group),
        (row.attempts, row.tries_before, row.revision, row.round_started_at, row.ended_at, row.replay),
    )
}

async fn undo(bench: &Bench, replay: ReplayId) -> u64 {
    bench.store.move_replay(replay, ReplayState::Cancelled, None, bench.now()).await.unwrap();
    bench.pass_ms(1_000);
    bench.store.undo_replay(replay, bench.now()).await.unwrap()
}

#[tokio::test]
async fn what_was_not_sent_is_again_exactly_what_it_was() {
    let bench = bench().await;
    let first = dead_letter(&bench, "a").await;
    let follower = bench.queue(bench.lane, "a").await;
    let second = dead_letter(&bench, "b").await;
    let sent = dead_letter(&bench, "c").await;
    let before = [bench.row(first).await, bench.row(second).await];
    let attempts = bench.store.attempts(first).await.unwrap();
    let replay = started(&bench, "state:dead").await;
    bench.pass_ms(60_000);
    let edited = NewRevision { origin: RevisionOrigin::Edited, request: request(&Bytes::from_static(b"edited")) };
    bench.store.requeue(replay, sent, None, bench.now()).await.unwrap();
    bench.send(sent, retry(bench.now().plus(std::time::Duration::from_secs(60)))).await;
    bench.store.requeue(replay, first, Some(edited.clone()), bench.now()).await.unwrap();
    assert_eq!(bench.row(first).await.revision, 2);
    assert_eq!(undo(&bench, replay).await, 1);
    let after = [bench.row(first).await, bench.row(second).await];
    assert_eq!(shown(&after[0]), shown(&before[0]));
    assert_eq!(shown(&after[1]), shown(&before[1]), "its turn had not come");
    assert_eq!(bench.store.attempts(first).await.unwrap()[0].waited_for, attempts[0].waited_for);
    assert_eq!(bench.state(follower).await, DeliveryState::Held, "parked again");
    assert_eq!(bench.state(sent).await, DeliveryState::Retrying, "a request cannot be unsent");
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.undone, job.sent, job.pending), (1, 1, 1));
    assert_eq!(bench.store.undo_replay(replay, bench.now()).await.unwrap(), 0, "once");

    assert_eq!(bench.store.revisions(first).await.unwrap().len(), 2, "the edit stays as history");
    let again = started(&bench, &format!("id:{first}")).await;
    bench.store.requeue(again, first, Some(edited), bench.now()).await.unwrap();
    assert_eq!(bench.row(first).await.revision, 3, "other bytes never go out under the key of an earlier edit");
}

#[tokio::test]
async fn a_failed_remap_and_a_superseded_one_are_undone_too() {
    let bench = bench().await;
    let failed = dead_letter(&bench, "a").await;
    let overtaken = bench.queue(bench.lane, "b").await;
    bench.send(overtaken, dead_passing()).await;
    let before = [bench.row(failed).await, bench.row(overtaken).await];
    let replay = started(&bench, "state:dead").await;
    let newer = bench.queue(bench.lane, "b").await;
    bench.send(newer, Next::Delivered).await;
    bench.store.fail_item(replay, failed, failure(FailureKind::Mapping, None), bench.now()).await.unwrap();
    bench.store.requeue(replay, overtaken, None, bench.now()).await.unwrap();
    assert_eq!(undo(&bench, replay).await, 2);
    assert_eq!(shown(&bench.row(failed).await), shown(&before[0]));
    assert_eq!(shown(&bench.row(overtaken).await), shown(&before[1]));
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.undone, job.dead, job.skipped_newer), (2, 0, 0));
}

#[tokio::test]
async fn what_another_command_has_moved_since_is_left_alone() {
    let bench = bench().await;
    let (one, two) = (dead_letter(&bench, "a").await, dead_letter(&bench, "b").await);
    let replay = started(&bench, "state:dead").await;
    for id in [one, two] {
        bench.store.fail_item(replay, id, failure(FailureKind::Mapping, None), bench.now()).await.unwrap();
    }
    bench.pass_ms(1_000);
    let later = started(&bench, &format!("id:{one}")).await;
    bench.store.requeue(later, one, None, bench.now()).await.unwrap();
    bench.store.discard(bench.discard_id(), Selection::Ids(vec![two]), None, bench.now()).await.unwrap();
    assert_eq!(undo(&bench, replay).await, 0);
    assert_eq!((bench.state(one).await, bench.state(two).await), (DeliveryState::Queued, DeliveryState::Discarded));
}

#[tokio::test]
async fn what_a_dead_letter_outside_the_set_parks_is_skipped_with_its_reason() {
    let bench = bench().await;
    let outside = dead_letter(&bench, "a").await;
    let later = died_behind(&bench, "a").await;
    let (replay, _) = plan(&bench, Selection::Ids(vec![later]), NewerPolicy::Skip).await;
    bench.store.start_replay(replay, settings(), None, bench.now()).await.unwrap();
    let revision = NewRevision { origin: RevisionOrigin::Remapped, request: request(&Bytes::from_static(b"x")) };
    let requeued = bench.store.requeue(replay, later, Some(revision), bench.now()).await.unwrap();
    assert_eq!(requeued, Requeued::SkippedParked);
    assert_eq!(bench.state(later).await, DeliveryState::Dead);
    let items = bench.store.replay_items(replay, None, 10).await.unwrap();
    assert!(items[0].message.as_deref().unwrap().contains(&outside.to_string()), "{items:?}");
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.pending, job.sent, job.skipped_parked), (0, 0, 1));
}

#[tokio::test]
async fn what_waits_behind_one_that_died_again_is_let_go() {
    let bench = bench().await;
    let first = dead_letter(&bench, "a").await;
    let later = died_behind(&bench, "a").await;
    let before = bench.row(later).await;
    let replay = started(&bench, "state:dead").await;
    let revision = NewRevision { origin: RevisionOrigin::Remapped, request: request(&Bytes::from_static(b"x")) };
    bench.store.requeue(replay, first, None, bench.now()).await.unwrap();
    let held = bench.store.requeue(replay, later, Some(revision), bench.now()).await.unwrap();
    assert_eq!(held, Requeued::Held { lane: bench.lane });
    assert_eq!(bench.store.let_go(replay, bench.now()).await.unwrap(), 0, "the first may still be delivered");
    bench.send(first, dead()).await;
    assert_eq!(bench.store.let_go(replay, bench.now()).await.unwrap(), 1);
    assert_eq!(shown(&bench.row(later).await), shown(&before));
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.sent, job.dead, job.skipped_parked), (0, 1, 1));
}

/// A dead letter that its steps killed, behind another one of its key.
async fn died_behind(bench: &Bench, key: &str) -> DeliveryId {
    let broken = signalbox_store::event::Fate::Dead(failure(FailureKind::Mapping, None));
    bench.event().key(key).ending_as(bench.lane, broken).await.0
}

#[tokio::test]
async fn a_replay_keeps_its_change_from_plan_to_restart() {
    let bench = bench().await;
    dead_letter(&bench, "a").await;
    let (replay, _) = plan(&bench, bench.matching("state:dead"), NewerPolicy::Skip).await;
    assert_eq!(bench.store.body_change(replay).await.unwrap(), None);
    let edit = BodyChange::Edit(Bytes::from_static(b"\xff edited"));
    let started = bench.store.start_replay(replay, settings(), Some(edit.clone()), bench.now()).await.unwrap();
    assert_eq!(started, ReplayMove::Moved);
    let bench = bench.reopen().await;
    assert_eq!(bench.store.body_change(replay).await.unwrap(), Some(edit));
}

#[tokio::test]
async fn a_patch_that_does_not_fit_ends_the_item_as_skipped() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let replay = started(&bench, "state:dead").await;
    bench.store.skip_item(replay, id, "there is no /email".into(), bench.now()).await.unwrap();
    let items = bench.store.replay_items(replay, None, 10).await.unwrap();
    assert_eq!((items[0].state, items[0].message.as_deref()), (ItemState::Skipped, Some("there is no /email")));
    assert_eq!(bench.store.replay_items(replay, Some(id), 10).await.unwrap(), []);
    let job = bench.store.replay(replay).await.unwrap().unwrap();
    assert_eq!((job.pending, job.skipped_patch), (0, 1));
    assert_eq!(bench.state(id).await, DeliveryState::Dead);
}

#[tokio::test]
async fn a_delivery_remembers_its_replays_and_discards() {
    let bench = bench().await;
    let id = dead_letter(&bench, "a").await;
    let first = started(&bench, "state:dead").await;
    let at = bench.pass_ms(1_000);
    bench.store.requeue(first, id, None, at).await.unwrap();
    assert_eq!(undo(&bench, first).await, 1);
    let discard = bench.discard_id();
    let reason = Some("test data".to_owned());
    bench.store.discard(discard, Selection::Ids(vec![id]), reason.clone(), bench.pass_ms(1_000)).await.unwrap();
    let restored = bench.pass_ms(1_000);
    assert_eq!(bench.store.undo_discard(discard, restored).await.unwrap().map(|undone| undone.restored), Some(1));
    let history = bench.store.history(id).await.unwrap();
    assert_eq!((history.replays.len(), history.replays[0].replay, history.replays[0].at), (1, first, at));
    assert!(history.replays[0].undone_at.is_some());
    let kept = &history.discards[0];
    assert_eq!((kept.discard, &kept.reason, kept.restored_at), (discard, &reason, Some(restored)));
}
