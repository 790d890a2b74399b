//! The events of one request: one commit, each its own dedupe.

use bytes::Bytes;
use signalbox_model::{DeliveryState, EventId};
use signalbox_store::event::{Accepted, Fate, NewEvent, Part, Placement};

use crate::intake::futures;
use crate::support::{Bench, Given, bench, request};

/// As a source makes them: one request, `parts` in their order.
fn of_one_request<'a>(bench: &Bench, parts: impl IntoIterator<Item = Given<'a>>) -> Vec<NewEvent> {
    let fate = || vec![(bench.lane, Fate::Send(request(&Bytes::from_static(b"{}"))))];
    let mut events: Vec<NewEvent> = parts.into_iter().map(|given| given.opening().fates(fate())).collect();
    let (request, of) = (events[0].id, events.len() as u32);
    for (event, index) in events.iter_mut().zip(1..) {
        event.part = Some(Part { request, index, of });
    }
    events
}

fn ids(events: &[NewEvent]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn the_events_of_one_request_are_stored_together_and_know_each_other() {
    let bench = bench().await;
    let events = of_one_request(&bench, [bench.event().body(b"1"), bench.event().body(b"2"), bench.event().body(b"3")]);
    let ids = ids(&events);
    let answers = bench.store.accept_all(events).await.unwrap();
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        assert!(
            matches!(answer, Accepted::Stored { placements, .. } if matches!(placements[..], [Placement::Opened { .. }]))
        );
    }
    assert_eq!(bench.store.events_of(ids[0]).await.unwrap(), ids);
    let second = bench.store.event(ids[1]).await.unwrap().unwrap();
    assert_eq!(second.part, Some(Part { request: ids[0], index: 2, of: 3 }));
    assert_eq!(bench.store.event_body(ids[1]).await.unwrap(), Some(Bytes::from_static(b"2")));
    assert_eq!(bench.store.events_of(ids[1]).await.unwrap(), []);
}

#[tokio::test]
async fn an_event_of_its_own_has_no_part() {
    let bench = bench().await;
    let event = bench.event().fates(vec![]);
    let id = event.id;
    bench.store.accept(event).await.unwrap();
    assert_eq!(bench.store.event(id).await.unwrap().unwrap().part, None);
    assert_eq!(bench.store.events_of(id).await.unwrap(), []);
}

#[tokio::test]
async fn a_repeated_request_answers_each_event_by_itself() {
    let bench = bench().await;
    let given = |id: &str| bench.event().source_id(id);
    let first = of_one_request(&bench, [given("a"), given("b")]);
    let known = ids(&first);
    bench.store.accept_all(first).await.unwrap();
    let again = bench.store.accept_all(of_one_request(&bench, [given("b"), given("new"), given("a")])).await.unwrap();
    assert_eq!(again[0], Accepted::Duplicate { of: known[1] });
    assert!(matches!(again[1], Accepted::Stored { .. }));
    assert_eq!(again[2], Accepted::Duplicate { of: known[0] });
}

#[tokio::test]
async fn an_event_that_comes_twice_in_one_request_is_stored_once() {
    let bench = bench().await;
    let events = of_one_request(&bench, [bench.event().source_id("a"), bench.event().source_id("a")]);
    let ids = ids(&events);
    let answers = bench.store.accept_all(events).await.unwrap();
    assert_eq!(answers[1], Accepted::Duplicate { of: ids[0] });
    assert_eq!(bench.store.events_of(ids[0]).await.unwrap(), [ids[0]]);
}

#[tokio::test]
async fn one_key_keeps_the_order_of_the_request() {
    let bench = bench().await;
    let events = of_one_request(&bench, [bench.event().key("003"), bench.event().key("003"), bench.event().key("004")]);
    let ids = ids(&events);
    bench.store.accept_all(events).await.unwrap();
    let mut states = Vec::new();
    for id in ids {
        states.push(bench.store.deliveries_of(id).await.unwrap()[0].state);
    }
    assert_eq!(states, [DeliveryState::Sending, DeliveryState::Held, DeliveryState::Sending]);
}

#[tokio::test]
async fn a_request_is_stored_whole_or_not_at_all_and_spoils_no_other() {
    let bench = bench().await;
    let stored = bench.event().fates(vec![]);
    bench.store.accept(stored.clone()).await.unwrap();
    let mut bad = of_one_request(&bench, [bench.event(), bench.event(), bench.event()]);
    // The last of it cannot be stored: its id is taken.
    bad[2].id = stored.id;
    let bad_ids = ids(&bad);
    let good = of_one_request(&bench, [bench.event(), bench.event()]);
    let good_ids = ids(&good);
    let answers = futures([bad, good].into_iter().map(|events| bench.store.accept_all(events))).await;
    assert!(answers[0].is_err());
    assert_eq!(answers[1].as_ref().unwrap().len(), 2);
    for id in &bad_ids[..2] {
        assert!(bench.store.event(*id).await.unwrap().is_none());
        assert!(bench.store.deliveries_of(*id).await.unwrap().is_empty());
    }
    for id in good_ids {
        assert!(bench.store.event(id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_thousand_events_of_one_request_are_one_commit() {
    let bench = bench().await;
    let events = of_one_request(&bench, (0..1_000).map(|_| bench.event()));
    let first = events[0].id;
    let bench = {
        bench.store.accept_all(events).await.unwrap();
        bench.reopen().await
    };
    assert_eq!(bench.store.events_of(first).await.unwrap().len(), 1_000);
}
