//! How fast the ledger is: events with two deliveries, each opened at acceptance and then ended, one in fifty of them as
//! a dead letter, one event in twenty left in the queue; then a start and the common lists over what is there.
//!
//! `cargo run --release -p signalbox-store --example ledger_bench -- [FOLDER] [EVENTS] [IN FLIGHT]`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use signalbox_model::filter::Filter;
use signalbox_model::{AttemptId, Clock, DeliveryId, EventId, FailureKind, GroupId, Stage, SystemClock};
use signalbox_store::delivery::{AttemptRecord, Completion, Next, Response};
use signalbox_store::event::{Accepted, Dedupe, Failure, Fate, NewDelivery, NewEvent, Placement, Planned, Request};
use signalbox_store::observe::NoObserver;
use signalbox_store::read::{ClosedGates, ListQuery, Reads};
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_store::{Deliveries, Events, LaneId, Lanes};

struct Load {
    store: Arc<SqliteStore>,
    lanes: [LaneId; 2],
    next: AtomicU64,
    events: u64,
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().map_or_else(|| std::env::temp_dir().join("signalbox-bench"), PathBuf::from);
    let events: u64 = args.next().map_or(Ok(50_000), |text| text.parse())?;
    let in_flight: u64 = args.next().map_or(Ok(128), |text| text.parse())?;
    std::fs::create_dir_all(&dir)?;
    let store = SqliteStore::open(&dir, SqliteOptions::default(), Arc::new(SystemClock), Arc::new(NoObserver)).await?;
    let lanes = [
        store.ensure_lane("bench", "hubspot", "hubspot").await?.id,
        store.ensure_lane("bench", "crm", "crm").await?.id,
    ];
    let load = Arc::new(Load { store: Arc::clone(&store), lanes, next: AtomicU64::new(0), events });
    let (started, cpu) = (tokio::time::Instant::now(), cpu_ticks());
    let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(run(Arc::clone(&load)))).collect();
    for task in tasks {
        task.await??;
    }
    let seconds = started.elapsed().as_secs_f64();
    // Ticks of 10 ms.
    let cpu_us = (cpu_ticks() - cpu) * 10_000;
    println!(
        "{events} events, {in_flight} in flight: {:.0} events/s, {} us CPU per event",
        events as f64 / seconds,
        cpu_us / events
    );
    store.close().await;
    let started = tokio::time::Instant::now();
    let store = SqliteStore::open(&dir, SqliteOptions::default(), Arc::new(SystemClock), Arc::new(NoObserver)).await?;
    println!("start: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    reads(&store).await?;
    store.close().await;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the figures are what it is for")]
async fn reads(store: &SqliteStore) -> Result<(), Box<dyn std::error::Error>> {
    let filters = [
        "",
        "state:dead",
        "state:queued,held",
        "destination:crm",
        "state:dead destination:crm",
        "http:5xx",
        "kind:server",
        "key:0037",
        "type:contact.*",
        "type:none",
        "since:1h",
        "until:1h",
        "latency:>2s",
        "attempts:>3",
        "-state:delivered",
        "body.email:77@*",
    ];
    for text in filters {
        let (filter, gates) = (Filter::parse(text)?, ClosedGates::default());
        let started = tokio::time::Instant::now();
        let page = store.list(ListQuery { filter, now: SystemClock.now(), gates, cursor: None, limit: 100 }).await?;
        let taken = started.elapsed().as_secs_f64() * 1e3;
        println!("list {text:28} {taken:7.1} ms, {} rows, total {} {}", page.items.len(), page.total, page.total_exact);
    }
    let started = tokio::time::Instant::now();
    let groups = store.groups(&Filter::default(), SystemClock.now(), &ClosedGates::default()).await?;
    println!("groups {:.1} ms, {}", started.elapsed().as_secs_f64() * 1e3, groups.len());
    let started = tokio::time::Instant::now();
    store.lane_figures().await?;
    println!("lane figures {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

async fn run(load: Arc<Load>) -> Result<(), signalbox_store::StoreError> {
    loop {
        let number = load.next.fetch_add(1, Ordering::Relaxed);
        if number >= load.events {
            return Ok(());
        }
        let event = event(&load, number);
        let ids: Vec<DeliveryId> = match &event.planned {
            Planned::Now(deliveries) => deliveries.iter().map(|delivery| delivery.id).collect(),
            Planned::Later(_) => Vec::new(),
        };
        let Accepted::Stored { placements, .. } = load.store.accept(event).await? else { continue };
        let mut ends = Vec::new();
        for (id, placement) in ids.into_iter().zip(placements) {
            if let Placement::Opened { epoch } = placement {
                ends.push(load.store.complete(end(id, epoch, number % 50 == 7)));
            }
        }
        for end in ends {
            end.await?;
        }
    }
}

fn bits(number: u64) -> u128 {
    ((SystemClock.now().as_millis() as u128) << 80) | u128::from(number)
}

fn event(load: &Load, number: u64) -> NewEvent {
    let padding = "x".repeat(900);
    let body = Bytes::from(format!(r#"{{"email":"{number}@acme.test","text":"{padding}"}}"#));
    let mapped = Bytes::from(format!(r#"{{"inputs":[{{"id":"{number}@acme.test","text":"{padding}"}}]}}"#));
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("webhook-id".into(), format!("msg_{number}")),
    ];
    let delivery = |at: u64, lane| NewDelivery {
        id: DeliveryId::from_bits(bits(number * 2 + at)),
        lane,
        fate: Fate::Send(Request {
            method: "POST".into(),
            path: "/contacts".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: mapped.clone(),
        }),
        may_open: number % 20 != 3,
    };
    let now = SystemClock.now();
    NewEvent {
        id: EventId::from_bits(bits(number)),
        integration: "bench".into(),
        version: "v1".into(),
        received_at: now,
        dedupe: Some(Dedupe {
            source_id: format!("msg_{}", blake3::hash(&number.to_le_bytes()).to_hex()),
            keep_until: now.plus(std::time::Duration::from_secs(7 * 86_400)),
            hold_conflicts: false,
        }),
        event_type: Some("contact.changed".into()),
        key: Some(format!("003{number}")),
        method: "POST".into(),
        path: "/hooks/bench".into(),
        query: None,
        headers,
        content_type: Some("application/json".into()),
        body_hash: *blake3::hash(&body).as_bytes(),
        body,
        notes: Vec::new(),
        planned: Planned::Now(vec![delivery(0, load.lanes[0]), delivery(1, load.lanes[1])]),
        part: None,
    }
}

fn end(delivery: DeliveryId, epoch: u64, dies: bool) -> Completion {
    let now = SystemClock.now();
    let attempt = AttemptRecord {
        id: AttemptId::from_bits(delivery.bits()),
        started_at: now,
        ended_at: now,
        status: Some(if dies { 500 } else { 200 }),
        kind: dies.then_some(FailureKind::Server),
        error: None,
        wait_us: Some(900),
        total_us: 1_000,
        url: "http://127.0.0.1:9/contacts".into(),
        response: Some(Response {
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes::from_static(b"{\"status\":\"COMPLETE\"}"),
            truncated: false,
            size: 21,
        }),
    };
    let failure = Failure {
        kind: FailureKind::Server,
        stage: Stage::Deliver,
        status: Some(500),
        message: "the destination answered 500".into(),
        group: GroupId::from_bits(7),
        park: true,
    };
    Completion { delivery, epoch, attempt, next: if dies { Next::Dead(failure) } else { Next::Delivered } }
}

/// User and system time of this process, `/proc/self/stat` fields 14 and 15.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}
