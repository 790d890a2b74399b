//! Claims, ends, releases, recovery.

use bytes::Bytes;
use signalbox_model::{DeliveryState, FailureKind};
use signalbox_store::Change;
use signalbox_store::delivery::{Completed, Next};
use signalbox_store::event::{Fate, Placement};

use crate::support::{bench, dead, failure, request, retry};

#[tokio::test]
async fn a_claim_opens_attempts_oldest_due_first_and_hands_out_their_bytes() {
    let bench = bench().await;
    let (first, _) = bench.event().ending_as(bench.lane, Fate::Send(request(&Bytes::from_static(b"mapped")))).await;
    bench.pass_ms(5);
    let (second, _) = bench.event().to(bench.lane).await;
    bench.event().to(bench.other).await;
    let batch = bench.store.open_due(bench.lane, 1, bench.now()).await.unwrap();
    assert_eq!(batch.rows.len(), 1);
    let open = &batch.rows[0];
    assert_eq!((open.id, open.attempt, open.tries, open.revision), (first, 1, 1, 1));
    assert_eq!(open.request, request(&Bytes::from_static(b"mapped")));
    let rest = bench.store.open_due(bench.lane, 10, bench.now()).await.unwrap();
    assert_eq!(rest.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [second]);
    assert_eq!(
        rest.rows[0].request.body,
        Bytes::from_static(b"{\"email\":\"ada@acme.test\"}"),
        "the event's own bytes"
    );
    assert_eq!(rest.next_due, None);
    let attempts = bench.store.attempts(first).await.unwrap();
    assert_eq!((attempts[0].number, attempts[0].ended_at), (1, None), "the open attempt is visible");
}

#[tokio::test]
async fn a_confirmed_delivery_has_its_latency_and_its_attempt() {
    let bench = bench().await;
    let (id, placement) = bench.event().opening().to(bench.lane).await;
    let Placement::Opened { epoch } = placement else { panic!("{placement:?}") };
    let completion = bench.completion(id, epoch, Next::Delivered);
    let record = completion.attempt.clone();
    assert_eq!(bench.store.complete(completion).await.unwrap(), Completed::Applied { promoted: false });
    let row = bench.row(id).await;
    assert_eq!(
        (row.state, row.latency_us, row.status, row.kind),
        (DeliveryState::Delivered, Some(20_000), Some(200), None)
    );
    let attempts = bench.store.attempts(id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].id, attempts[0].status, attempts[0].waited_for.as_deref()), (record.id, Some(200), None));
    let response = attempts[0].response.clone().unwrap();
    assert_eq!((response.body, response.headers), (Bytes::from_static(b"{}"), record.response.unwrap().headers));
    let figures = bench.store.lane_figures().await.unwrap();
    assert_eq!(figures[0].last_delivered_at, Some(record.ended_at));
    let ended = |change: &Change| {
        matches!(change, Change::Moved { to: DeliveryState::Delivered, latency_us: Some(20_000), .. })
    };
    assert!(bench.changes().iter().any(ended));
}

#[tokio::test]
async fn a_failed_attempt_is_due_again_when_it_says_and_counts_its_tries() {
    let bench = bench().await;
    let (id, _) = bench.event().to(bench.lane).await;
    let due = signalbox_model::Timestamp::from_micros(bench.now().as_micros() + 5_000_000);
    bench.send(id, retry(due)).await;
    let row = bench.row(id).await;
    assert_eq!((row.state, row.kind, row.due_at), (DeliveryState::Retrying, Some(FailureKind::Server), Some(due)));
    let early = bench.store.open_due(bench.lane, 10, bench.now()).await.unwrap();
    assert_eq!((early.rows.len(), early.next_due), (0, Some(due)));
    bench.pass_ms(5_000);
    let open = bench.open(bench.lane).await;
    assert_eq!((open[0].attempt, open[0].tries), (2, 2));
    bench.end(&open[0], Next::Delivered).await;
    let attempts = bench.store.attempts(id).await.unwrap();
    assert_eq!((attempts[0].waited_for.as_deref(), attempts[0].next_due_at), (Some("schedule"), Some(due)));
    assert_eq!(attempts.len(), 2);
}

#[tokio::test]
async fn a_gate_that_closes_uses_up_no_try() {
    let bench = bench().await;
    let (id, _) = bench.event().to(bench.lane).await;
    let due_at = bench.now();
    bench.send(id, Next::Wait { failure: failure(FailureKind::Auth, Some(401)), due_at }).await;
    let open = bench.open(bench.lane).await;
    assert_eq!((open[0].attempt, open[0].tries), (2, 1));
}

#[tokio::test]
async fn a_result_counts_once_and_only_under_its_epoch() {
    let bench = bench().await;
    let (id, _) = bench.event().to(bench.lane).await;
    let open = bench.open(bench.lane).await;
    let wrong = bench.completion(id, open[0].epoch + 1, Next::Delivered);
    assert_eq!(bench.store.complete(wrong).await.unwrap(), Completed::Stale);
    assert_eq!(bench.state(id).await, DeliveryState::Sending);
    let twice = [bench.completion(id, open[0].epoch, Next::Delivered), bench.completion(id, open[0].epoch, dead())];
    let [first, second] = twice.map(|completion| bench.store.complete(completion));
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap(), second.unwrap()), (Completed::Applied { promoted: false }, Completed::Stale));
    assert_eq!(bench.state(id).await, DeliveryState::Delivered);
    assert!(bench.changes().contains(&Change::StaleCompletion { lane: bench.lane }));
}

#[tokio::test]
async fn a_released_row_is_what_it_was() {
    let bench = bench().await;
    let (fresh, _) = bench.event().to(bench.lane).await;
    let open = bench.open(bench.lane).await;
    assert_eq!(bench.store.release(vec![(fresh, open[0].epoch)]).await.unwrap(), 1);
    let row = bench.row(fresh).await;
    assert_eq!((row.state, row.attempts), (DeliveryState::Queued, 0));
    bench.send(fresh, retry(bench.now())).await;
    let open = bench.open(bench.lane).await;
    assert_eq!(bench.store.release(vec![(fresh, open[0].epoch + 1)]).await.unwrap(), 0, "another boot's");
    assert_eq!(bench.store.release(vec![(fresh, open[0].epoch)]).await.unwrap(), 1);
    let row = bench.row(fresh).await;
    assert_eq!((row.state, row.attempts), (DeliveryState::Retrying, 1));
    assert_eq!(bench.open(bench.lane).await.len(), 1);
}

#[tokio::test]
async fn a_new_boot_closes_open_attempts_as_unknown_and_repeats_them_at_once() {
    let bench = bench().await;
    let (id, placement) = bench.event().opening().to(bench.lane).await;
    let Placement::Opened { epoch } = placement else { panic!("{placement:?}") };
    bench.pass_ms(1_000);
    let bench = bench.reopen().await;
    assert_eq!(bench.store.recover(bench.now()).await.unwrap(), 1);
    let row = bench.row(id).await;
    assert_eq!(
        (row.state, row.kind, row.due_at),
        (DeliveryState::Retrying, Some(FailureKind::Unknown), Some(bench.now()))
    );
    let attempts = bench.store.attempts(id).await.unwrap();
    assert_eq!((attempts[0].kind, attempts[0].waited_for.as_deref()), (Some(FailureKind::Unknown), Some("restart")));
    let late = bench.completion(id, epoch, Next::Delivered);
    assert_eq!(bench.store.complete(late.clone()).await.unwrap(), Completed::Stale);
    let open = bench.open(bench.lane).await;
    assert_eq!((open[0].attempt, open[0].revision), (2, 1), "the same bytes, the same idempotency key");
    assert_eq!(bench.store.complete(late).await.unwrap(), Completed::Stale, "fenced by the epoch while open again");
    assert_eq!(bench.store.recover(bench.now()).await.unwrap(), 1, "recovering again finds the new one");
}
