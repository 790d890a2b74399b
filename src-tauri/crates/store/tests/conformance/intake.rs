//! Acceptance, repeats, conflicts, refused requests.

use bytes::Bytes;
use signalbox_model::{DeliveryState, EventId, FailureKind, RejectedId, Stage, Timestamp};
use signalbox_store::Change;
use signalbox_store::event::{Accepted, Fate, Placement, Rejected};

use crate::support::{bench, failure, request};

#[tokio::test]
async fn an_accepted_event_is_there_with_every_byte() {
    let bench = bench().await;
    let given = bench.event().key("003").of_type("contact.changed").source_id("msg_1").body(b"\x00\xff not utf-8");
    let event = given.fates(vec![(bench.lane, Fate::Send(request(&Bytes::from_static(b"mapped"))))]);
    let id = event.id;
    bench.store.accept(event.clone()).await.unwrap();
    let row = bench.store.event(id).await.unwrap().unwrap();
    assert_eq!(
        (row.integration.as_str(), row.version.as_str(), row.received_at, row.source_id.as_deref()),
        ("crm-sync", "v1", bench.now(), Some("msg_1"))
    );
    assert_eq!((row.headers, row.notes, row.size), (event.headers, event.notes, 12));
    assert_eq!(bench.store.event_body(id).await.unwrap(), Some(Bytes::from_static(b"\x00\xff not utf-8")));
    let deliveries = bench.store.deliveries_of(id).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    let delivery = &deliveries[0];
    assert_eq!((delivery.state, delivery.attempts, delivery.revision), (DeliveryState::Queued, 0, 1));
    assert_eq!((delivery.destination.as_str(), delivery.system.as_str()), ("hubspot", "hubspot"));
    let revisions = bench.store.revisions(delivery.id).await.unwrap();
    assert_eq!(revisions[0].request, request(&Bytes::from_static(b"mapped")));
    assert_eq!(bench.store.event(EventId::from_bits(1)).await.unwrap().map(|row| row.id), None);
}

#[tokio::test]
async fn every_destination_gets_its_own_fate_in_one_commit() {
    let bench = bench().await;
    let body = Bytes::from_static(b"x");
    let third = bench.store.ensure_lane("crm-sync", "archive", "s3").await.unwrap().id;
    let accepted = bench
        .event()
        .opening()
        .accept(vec![
            (bench.lane, Fate::Send(request(&body))),
            (bench.other, Fate::Filtered { step: "only-active".into() }),
            (third, Fate::Dead(failure(FailureKind::Mapping, None))),
        ])
        .await;
    let Accepted::Stored { placements, conflict_of: None } = accepted else { panic!("{accepted:?}") };
    assert!(matches!(placements[..], [Placement::Opened { .. }, Placement::Ended, Placement::Ended]), "{placements:?}");
    assert_eq!(bench.list("state:sending").await.len(), 1);
    assert_eq!(bench.list("state:filtered").await.len(), 1);
    let dead = bench.list("state:dead kind:mapping").await;
    assert_eq!(bench.row(dead[0]).await.attempts, 0);
    let created = bench.changes().into_iter().filter(|change| matches!(change, Change::Created { .. })).count();
    assert_eq!(created, 3);
}

#[tokio::test]
async fn the_same_id_and_bytes_are_accepted_once() {
    let bench = bench().await;
    let first = bench.event().source_id("msg_1").fates(vec![]);
    let of = first.id;
    assert!(matches!(bench.store.accept(first).await.unwrap(), Accepted::Stored { conflict_of: None, .. }));
    let again = bench.event().source_id("msg_1").accept(vec![]).await;
    assert_eq!(again, Accepted::Duplicate { of });
    let other = bench.event().source_id("msg_2").accept(vec![]).await;
    assert!(matches!(other, Accepted::Stored { conflict_of: None, .. }));
}

#[tokio::test]
async fn repeats_that_arrive_together_are_accepted_once() {
    let bench = bench().await;
    let events: Vec<_> = (0..40).map(|_| bench.event().source_id("msg_1").fates(vec![])).collect();
    let all = futures(events.into_iter().map(|event| bench.store.accept(event))).await;
    let stored = all.iter().filter(|answer| matches!(answer, Ok(Accepted::Stored { .. }))).count();
    let repeated = all.iter().filter(|answer| matches!(answer, Ok(Accepted::Duplicate { .. }))).count();
    assert_eq!((stored, repeated), (1, 39));
}

#[tokio::test]
async fn other_bytes_under_the_same_id_are_delivered_and_flagged() {
    let bench = bench().await;
    let first = bench.event().source_id("msg_1").body(b"a").fates(vec![]);
    let first_id = first.id;
    bench.store.accept(first).await.unwrap();
    let second = bench.event().source_id("msg_1").body(b"b").opening();
    let (id, placement) = {
        let event = second.fates(vec![(bench.lane, Fate::Send(request(&Bytes::from_static(b"b"))))]);
        let id = event.id;
        match bench.store.accept(event).await.unwrap() {
            Accepted::Stored { placements, conflict_of } => {
                assert_eq!(conflict_of, Some(first_id));
                (id, placements[0])
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(placement, Placement::Opened { .. }));
    assert_eq!(bench.store.event(id).await.unwrap().unwrap().conflict_of, Some(first_id));
    assert_eq!(bench.store.deliveries_of(id).await.unwrap()[0].conflict_of, Some(first_id));
    let repeat = bench.event().source_id("msg_1").body(b"b").accept(vec![]).await;
    assert_eq!(repeat, Accepted::Duplicate { of: id }, "the conflicting bytes are remembered too");
}

#[tokio::test]
async fn a_source_may_hold_conflicts_for_a_person() {
    let bench = bench().await;
    bench.event().source_id("msg_1").body(b"a").accept(vec![]).await;
    let body = Bytes::from_static(b"b");
    let (id, placement) = bench
        .event()
        .source_id("msg_1")
        .body(b"b")
        .hold_conflicts()
        .opening()
        .ending_as(bench.lane, Fate::Send(request(&body)))
        .await;
    assert_eq!(placement, Placement::Ended);
    let row = bench.row(id).await;
    assert_eq!((row.state, row.stage), (DeliveryState::Dead, Some(Stage::Accept)));
    assert!(row.message.unwrap().contains("same id"));
    assert_eq!(bench.store.revisions(id).await.unwrap().len(), 1, "it can be replayed as it is");
}

#[tokio::test]
async fn an_id_may_return_after_its_window() {
    let bench = bench().await;
    bench.event().source_id("msg_1").accept(vec![]).await;
    bench.pass_ms(7 * 86_400_000 - 1);
    assert!(matches!(bench.event().source_id("msg_1").accept(vec![]).await, Accepted::Duplicate { .. }));
    bench.pass_ms(1);
    assert!(matches!(
        bench.event().source_id("msg_1").accept(vec![]).await,
        Accepted::Stored { conflict_of: None, .. }
    ));
    assert!(matches!(bench.event().source_id("msg_1").accept(vec![]).await, Accepted::Duplicate { .. }));
}

#[tokio::test]
async fn a_command_that_cannot_be_written_spoils_no_other() {
    let bench = bench().await;
    let good: Vec<_> = (0..20).map(|_| bench.event().fates(vec![])).collect();
    let mut events = good.clone();
    // The same event twice: the second cannot be stored.
    events.insert(10, good[3].clone());
    let answers = futures(events.into_iter().map(|event| bench.store.accept(event))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    for event in good {
        assert!(bench.store.event(event.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_refused_request_is_kept_and_the_newest_comes_first() {
    let bench = bench().await;
    let rejected = |bits: u128| Rejected {
        doctor: None,
        id: RejectedId::from_bits(bits),
        at: bench.now(),
        integration: Some("crm-sync".into()),
        path: "/hooks/salesforce".into(),
        status: 401,
        code: "signature".into(),
        reason: "no signature matches".into(),
        remote: "127.0.0.1".into(),
        headers: vec![("webhook-id".into(), "msg_1".into())],
        body: Bytes::from_static(b"{}"),
        size: 2,
    };
    for bits in 1..=3 {
        bench.store.reject(rejected(bits)).await.unwrap();
    }
    let page = bench.store.rejected(None, 2).await.unwrap();
    assert_eq!(page.iter().map(|row| row.id.bits()).collect::<Vec<_>>(), [3, 2]);
    let rest = bench.store.rejected(Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest.iter().map(|row| row.id.bits()).collect::<Vec<_>>(), [1]);
    assert_eq!(rest[0].headers, rejected(1).headers);
    assert_eq!(rest[0].at, Timestamp::from_micros(1_795_000_000_000_000));
    assert_eq!(rest[0].doctor, None);
    bench.store.diagnose(rest[0].id, "{}".to_owned()).await.unwrap();
    bench.store.diagnose(RejectedId::from_bits(99), "{}".to_owned()).await.unwrap();
    let rest = bench.store.rejected(Some(page[1].id), 2).await.unwrap();
    assert_eq!(rest[0].doctor.as_deref(), Some("{}"));
}

/// Runs all at once, so that they share batches.
pub async fn futures<T: Send + 'static>(
    all: impl Iterator<Item = signalbox_store::StoreFuture<'_, T>>,
) -> Vec<Result<T, signalbox_store::StoreError>> {
    let mut waiting: Vec<_> = all.map(Some).collect();
    let mut answers: Vec<Option<_>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, answer) in waiting.iter_mut().zip(&mut answers) {
            let Some(running) = future else { continue };
            match running.as_mut().poll(context) {
                std::task::Poll::Ready(ready) => {
                    *answer = Some(ready);
                    *future = None;
                }
                std::task::Poll::Pending => pending = true,
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    answers.into_iter().flatten().collect()
}
