//! Pages over windows so small that most of them end early.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use signalbox_model::{EventId, SystemClock};

use super::*;
use crate::event::{Fate, NewDelivery, NewEvent, Planned, Request};
use crate::observe::NoObserver;
use crate::read::ClosedGates;
use crate::sqlite::readers::step;
use crate::sqlite::{SqliteOptions, SqliteStore};
use crate::{Events, LaneId, Lanes};

fn event(number: u128, lanes: &[LaneId]) -> NewEvent {
    let body = Bytes::from(format!(r#"{{"n":{number}}}"#));
    let request = Request { method: "POST".into(), path: "/".into(), headers: Vec::new(), body: body.clone() };
    let deliveries = lanes.iter().zip(0_u128..).map(|(lane, at)| NewDelivery {
        id: DeliveryId::from_bits(number * 2 + at),
        lane: *lane,
        fate: Fate::Send(request.clone()),
        may_open: number.is_multiple_of(3),
    });
    NewEvent {
        id: EventId::from_bits(number),
        integration: "i".into(),
        version: "v".into(),
        received_at: Timestamp::from_millis(1),
        dedupe: None,
        event_type: Some(if number.is_multiple_of(17) { "rare" } else { "common" }.into()),
        key: number.is_multiple_of(5).then(|| "k".to_owned()),
        method: "POST".into(),
        path: "/".into(),
        query: None,
        headers: Vec::new(),
        content_type: None,
        body_hash: *blake3::hash(&body).as_bytes(),
        body,
        notes: Vec::new(),
        planned: Planned::Now(deliveries.collect()),
        part: None,
    }
}

#[tokio::test]
async fn windows_that_end_early_lose_no_row_and_show_none_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let store = SqliteStore::open(dir.path(), SqliteOptions::default(), clock, Arc::new(NoObserver)).await.unwrap();
    let lanes =
        [store.ensure_lane("i", "a", "a").await.unwrap().id, store.ensure_lane("i", "b", "b").await.unwrap().id];
    for number in 1..=90 {
        store.accept(event(number, &lanes)).await.unwrap();
    }
    let known = store.known_lanes();
    let filters = [
        ("type:rare", 10),
        ("type:rare destination:a", 5),
        ("type:rare state:queued,sending,held", 10),
        ("state:held attempts:0", 34),
        ("body.n:17,34,51", 6),
        ("attempts:1", 48),
        ("type:none", 0),
    ];
    for (text, expected) in filters {
        let known = Arc::clone(&known);
        let (found, pages) = store
            .readers
            .read(move |conn| {
                step(async move {
                    let (filter, gates) = (Filter::parse(text).unwrap(), ClosedGates::default());
                    let scope = Scope { lanes: &known, gates: &gates, now: Timestamp::from_millis(1) };
                    let mut selecting = Selecting::new(&filter, &scope);
                    selecting.windows = Windows { rows: 12, bodies: 9, least: 4 };
                    let (mut found, mut cursor, mut pages) = (Vec::new(), None, 0);
                    loop {
                        let page = selecting.page(conn, cursor, 7).await?;
                        pages += 1;
                        found.extend(page.ids);
                        cursor = page.next;
                        if cursor.is_none() {
                            return Ok((found, pages));
                        }
                    }
                })
            })
            .await
            .unwrap();
        assert!(found.windows(2).all(|pair| pair[0] > pair[1]), "{text}: newest first, none twice");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), expected, "{text}");
        assert!(pages > 3, "{text}: {pages} pages, the windows did not end early");
    }
}
