//! A store with a clock that the test sets, ids that count up, and short ways to say what happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use signalbox_model::filter::Filter;
use signalbox_model::retry::WaitedFor;
use signalbox_model::{
    AttemptId, Clock, DeliveryId, DeliveryState, DiscardId, EventId, FailureKind, GroupId, ReplayId, Stage, Timestamp,
};
use signalbox_store::delivery::{AttemptRecord, Completed, Completion, Next, OpenDelivery, Response};
use signalbox_store::event::{Accepted, Dedupe, Failure, Fate, NewDelivery, NewEvent, Placement, Planned, Request};
use signalbox_store::read::{ClosedGates, DeliveryRow, ListQuery, Selection};
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_store::{Change, LaneId, Observer, Store};

/// Set by the test; starts at a round moment of 2026.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
pub struct Seen(Mutex<Vec<Change>>);

impl Observer for Seen {
    fn committed(&self, changes: &[Change]) {
        self.0.lock().extend_from_slice(changes);
    }
}

pub struct Bench {
    pub store: Arc<dyn Store>,
    pub sqlite: Arc<SqliteStore>,
    pub clock: Arc<TestClock>,
    pub seen: Arc<Seen>,
    pub dir: Arc<tempfile::TempDir>,
    ids: Arc<AtomicI64>,
    /// Lanes `crm-sync/hubspot` and `crm-sync/crm`.
    pub lane: LaneId,
    pub other: LaneId,
}

pub async fn bench() -> Bench {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock(AtomicI64::new(1_795_000_000_000_000)));
    open(dir, clock, Arc::new(AtomicI64::new(0))).await
}

async fn open(dir: Arc<tempfile::TempDir>, clock: Arc<TestClock>, ids: Arc<AtomicI64>) -> Bench {
    let seen = Arc::new(Seen::default());
    let sqlite = SqliteStore::open(dir.path(), SqliteOptions::default(), clock.clone(), seen.clone()).await.unwrap();
    let store: Arc<dyn Store> = sqlite.clone();
    let lane = store.ensure_lane("crm-sync", "hubspot", "hubspot").await.unwrap().id;
    let other = store.ensure_lane("crm-sync", "crm", "crm").await.unwrap().id;
    Bench { store, sqlite, clock, seen, dir, ids, lane, other }
}

impl Bench {
    /// Ends this process's hold on the files, as a clean stop does, and opens them again.
    pub async fn reopen(self) -> Self {
        self.sqlite.close().await;
        open(self.dir, self.clock, self.ids).await
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass_ms(&self, millis: i64) -> Timestamp {
        self.clock.0.fetch_add(millis * 1_000, Ordering::Relaxed);
        self.now()
    }

    /// Sorts by time, then by count.
    pub fn bits(&self) -> u128 {
        let count = self.ids.fetch_add(1, Ordering::Relaxed) as u128;
        ((self.now().as_millis() as u128) << 80) | count
    }

    pub fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut *self.seen.0.lock())
    }

    pub fn event(&self) -> Given<'_> {
        let body = Bytes::from_static(b"{\"email\":\"ada@acme.test\"}");
        Given { bench: self, key: None, event_type: None, body, source_id: None, hold: false, may_open: false }
    }

    /// Accepts an event with this key for one lane; the row is not opened.
    pub async fn queue(&self, lane: LaneId, key: &str) -> DeliveryId {
        self.event().key(key).to(lane).await.0
    }

    /// Opens what is due in a lane.
    pub async fn open(&self, lane: LaneId) -> Vec<OpenDelivery> {
        self.store.open_due(lane, 100, self.now()).await.unwrap().rows
    }

    pub async fn row(&self, id: DeliveryId) -> DeliveryRow {
        self.store.delivery(id).await.unwrap().unwrap()
    }

    pub async fn state(&self, id: DeliveryId) -> DeliveryState {
        self.row(id).await.state
    }

    pub async fn end(&self, open: &OpenDelivery, next: Next) -> Completed {
        self.store.complete(self.completion(open.id, open.epoch, next)).await.unwrap()
    }

    /// Opens the only due row of its lane and ends it.
    pub async fn send(&self, id: DeliveryId, next: Next) -> Completed {
        let lane = self.row(id).await.lane;
        let open = self.open(lane).await;
        let open = open.iter().find(|open| open.id == id).expect("the delivery was due");
        self.end(open, next).await
    }

    pub fn completion(&self, delivery: DeliveryId, epoch: u64, next: Next) -> Completion {
        let started_at = self.now();
        let ended_at = self.pass_ms(20);
        let (status, kind) = match &next {
            Next::Delivered => (Some(200), None),
            Next::Retry { failure, .. } | Next::Wait { failure, .. } | Next::Dead(failure) => {
                (failure.status, Some(failure.kind))
            }
        };
        let attempt = AttemptRecord {
            id: AttemptId::from_bits(self.bits()),
            started_at,
            ended_at,
            status,
            kind,
            error: kind.map(|kind| format!("failed: {}", kind.as_str())),
            wait_us: Some(15_000),
            total_us: 20_000,
            url: "http://127.0.0.1:9/contacts".to_owned(),
            response: status.map(|_| Response {
                headers: vec![("content-type".into(), "application/json".into())],
                body: Bytes::from_static(b"{}"),
                truncated: false,
                size: 2,
            }),
        };
        Completion { delivery, epoch, attempt, next }
    }

    pub async fn list(&self, filter: &str) -> Vec<DeliveryId> {
        self.list_behind(filter, ClosedGates::default()).await
    }

    pub async fn list_behind(&self, filter: &str, gates: ClosedGates) -> Vec<DeliveryId> {
        let query =
            ListQuery { filter: Filter::parse(filter).unwrap(), now: self.now(), gates, cursor: None, limit: 500 };
        self.store.list(query).await.unwrap().items.into_iter().map(|row| row.id).collect()
    }

    pub fn matching(&self, filter: &str) -> Selection {
        Selection::Filter { filter: Filter::parse(filter).unwrap(), now: self.now(), gates: ClosedGates::default() }
    }

    pub fn discard_id(&self) -> DiscardId {
        DiscardId::from_bits(self.bits())
    }

    pub fn replay_id(&self) -> ReplayId {
        ReplayId::from_bits(self.bits())
    }
}

/// An event in the making.
pub struct Given<'a> {
    bench: &'a Bench,
    key: Option<String>,
    event_type: Option<String>,
    body: Bytes,
    source_id: Option<String>,
    hold: bool,
    may_open: bool,
}

impl Given<'_> {
    pub fn key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    pub fn of_type(self, event_type: &str) -> Self {
        Self { event_type: Some(event_type.to_owned()), ..self }
    }

    pub fn body(self, body: &'static [u8]) -> Self {
        Self { body: Bytes::from_static(body), ..self }
    }

    pub fn source_id(self, id: &str) -> Self {
        Self { source_id: Some(id.to_owned()), ..self }
    }

    pub fn hold_conflicts(self) -> Self {
        Self { hold: true, ..self }
    }

    pub fn opening(self) -> Self {
        Self { may_open: true, ..self }
    }

    pub fn planned(&self, planned: Planned) -> NewEvent {
        let at = self.bench.now();
        NewEvent {
            id: EventId::from_bits(self.bench.bits()),
            integration: "crm-sync".into(),
            version: "v1".into(),
            received_at: at,
            dedupe: self.source_id.as_ref().map(|source_id| Dedupe {
                source_id: source_id.clone(),
                keep_until: Timestamp::from_secs(at.as_secs() + 7 * 86_400),
                hold_conflicts: self.hold,
            }),
            event_type: self.event_type.clone(),
            key: self.key.clone(),
            method: "POST".into(),
            path: "/hooks/salesforce".into(),
            query: None,
            headers: vec![("content-type".into(), "application/json".into())],
            content_type: Some("application/json".into()),
            body: self.body.clone(),
            body_hash: *blake3::hash(&self.body).as_bytes(),
            notes: vec!["duplicate-keys".into()],
            planned,
            part: None,
        }
    }

    pub fn fates(&self, fates: Vec<(LaneId, Fate)>) -> NewEvent {
        let deliveries = fates.into_iter().map(|(lane, fate)| NewDelivery {
            id: DeliveryId::from_bits(self.bench.bits()),
            lane,
            fate,
            may_open: self.may_open,
        });
        self.planned(Planned::Now(deliveries.collect()))
    }

    pub async fn accept(self, fates: Vec<(LaneId, Fate)>) -> Accepted {
        self.bench.store.accept(self.fates(fates)).await.unwrap()
    }

    /// One delivery that is to be sent.
    pub async fn to(self, lane: LaneId) -> (DeliveryId, Placement) {
        self.ending_as(lane, Fate::Send(request(&self.body))).await
    }

    pub async fn ending_as(&self, lane: LaneId, fate: Fate) -> (DeliveryId, Placement) {
        let event = self.fates(vec![(lane, fate)]);
        let Planned::Now(deliveries) = &event.planned else { panic!("planned now") };
        let id = deliveries[0].id;
        match self.bench.store.accept(event).await.unwrap() {
            Accepted::Stored { placements, .. } => (id, placements[0]),
            duplicate => panic!("{duplicate:?}"),
        }
    }
}

pub fn request(body: &Bytes) -> Request {
    Request {
        method: "POST".into(),
        path: "/contacts".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.clone(),
    }
}

pub fn failure(kind: FailureKind, status: Option<u16>) -> Failure {
    Failure {
        kind,
        stage: Stage::Deliver,
        status,
        message: format!("the destination answered {status:?}"),
        group: GroupId::from_bits(kind.index() as u128 + 1),
        park: true,
    }
}

pub fn dead() -> Next {
    Next::Dead(failure(FailureKind::Server, Some(500)))
}

/// Later ones of the key go on.
pub fn dead_passing() -> Next {
    Next::Dead(Failure { park: false, ..failure(FailureKind::Server, Some(500)) })
}

pub fn retry(due_at: Timestamp) -> Next {
    let failure = failure(FailureKind::Server, Some(503));
    Next::Retry { failure, due_at, waited_for: WaitedFor::Schedule }
}
