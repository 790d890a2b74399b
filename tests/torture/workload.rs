//! A store at work: whatever can be asked of the ledger, in an order that a seed gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use signalbox_model::replay::{NewerPolicy, ReplayMode};
use signalbox_model::retry::WaitedFor;
use signalbox_model::{
    AttemptId, Clock, DeliveryId, DiscardId, EventId, FailureKind, GroupId, HeldReason, RejectedId, ReplayId, Stage,
    Timestamp,
};
use signalbox_store::delivery::{AttemptRecord, Completed, Completion, Next};
use signalbox_store::event::{
    Accepted, Dedupe, Failure, Fate, NewDelivery, NewEvent, Placement, Planned, Rejected, Request,
};
use signalbox_store::lane::{GateScope, GateStep, SavedGate};
use signalbox_store::read::Selection;
use signalbox_store::replay::{NewReplay, NewRevision, ReplaySettings, RevisionOrigin};
use signalbox_store::series::SeriesRow;
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_store::{
    Change, Deliveries as _, Events as _, LaneId, Lanes as _, Observer, Replays as _, SeriesStore as _, StoreError,
};

use crate::disk::Disk;
use crate::seed::Dice;
use crate::sqlite::VFS;

/// Counts up by a millisecond each time somebody looks.
pub struct CountingClock(AtomicI64);

impl CountingClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_795_000_000_000_000)))
    }
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

pub struct Nobody;

impl Observer for Nobody {
    fn committed(&self, _changes: &[Change]) {}
}

pub async fn open(
    disk: &Disk,
    clock: Arc<CountingClock>,
    power_loss_safe: bool,
) -> Result<Arc<SqliteStore>, StoreError> {
    open_copying(disk, clock, power_loss_safe, SqliteOptions::default().checkpoint_frames).await
}

/// Copies the WAL beside the writer once it holds so many frames.
pub async fn open_copying(
    disk: &Disk,
    clock: Arc<CountingClock>,
    power_loss_safe: bool,
    checkpoint_frames: u32,
) -> Result<Arc<SqliteStore>, StoreError> {
    let options = SqliteOptions {
        power_loss_safe,
        vfs: Some(VFS),
        linger: Duration::ZERO,
        checkpoint_frames,
        ..SqliteOptions::default()
    };
    SqliteStore::open(&disk.dir(), options, clock, Arc::new(Nobody)).await
}

/// What the store has said yes to.
#[derive(Default)]
pub struct Promises {
    pub events: BTreeMap<EventId, Bytes>,
    pub deliveries: BTreeSet<DeliveryId>,
    /// Attempts that ended: delivery and id.
    pub attempts: BTreeSet<(DeliveryId, AttemptId)>,
}

pub struct Workload {
    pub store: Arc<SqliteStore>,
    pub clock: Arc<CountingClock>,
    pub promises: Promises,
    pub dice: Dice,
    ids: u128,
    lanes: Vec<LaneId>,
    sending: Vec<(DeliveryId, u64)>,
    dead: Vec<DeliveryId>,
    later: Vec<(EventId, Vec<(DeliveryId, LaneId)>)>,
    discards: Vec<DiscardId>,
    sources: Vec<(String, Bytes)>,
}

const KEYS: u64 = 5;

impl Workload {
    pub async fn start(store: Arc<SqliteStore>, clock: Arc<CountingClock>, seed: u64) -> Result<Self, StoreError> {
        let mut lanes = Vec::new();
        for destination in ["hubspot", "crm", "billing"] {
            lanes.push(store.ensure_lane("crm-sync", destination, destination).await?.id);
        }
        let (promises, dice) = (Promises::default(), Dice::new(seed));
        let (sending, dead, later) = (Vec::new(), Vec::new(), Vec::new());
        let (discards, sources) = (Vec::new(), Vec::new());
        Ok(Self { store, clock, promises, dice, ids: 0, lanes, sending, dead, later, discards, sources })
    }

    /// After a restart: what was open is open no more.
    pub async fn restart(&mut self, store: Arc<SqliteStore>) -> Result<(), StoreError> {
        self.store = store;
        self.store.recover(self.clock.now()).await?;
        self.sending.clear();
        for unplanned in self.store.unplanned(100).await? {
            self.later.retain(|(event, _)| *event != unplanned.event);
            self.later.push((unplanned.event, unplanned.deliveries));
        }
        Ok(())
    }

    /// Commands that share a commit, most of them the hot ones.
    pub async fn step(&mut self) -> Result<(), StoreError> {
        match self.dice.roll(20) {
            0..=6 => self.accept().await,
            7..=9 => self.claim().await,
            10..=13 => self.complete().await,
            14 => self.release().await,
            15 => self.plan_later().await,
            16 => self.discard().await,
            17 => self.replay().await,
            18 => self.notes().await,
            _ => self.reject().await,
        }
    }

    fn bits(&mut self) -> u128 {
        self.ids += 1;
        let millis = u128::try_from(self.clock.now().as_millis()).expect("after 1970");
        (millis << 80) | self.ids
    }

    fn body(&mut self) -> Bytes {
        // Some fit a page many times, some need pages of their own.
        let len = [30, 200, 900, 3_000, 9_000][self.dice.below(5)];
        let filler = self.dice.roll(26) as u8 + b'a';
        let number = self.ids;
        Bytes::from(format!("{{\"number\":{number},\"text\":\"{}\"}}", String::from(filler as char).repeat(len)))
    }

    async fn accept(&mut self) -> Result<(), StoreError> {
        let count = 1 + self.dice.below(5);
        let events: Vec<NewEvent> = (0..count).map(|_| self.event()).collect();
        let store = self.store.clone();
        let answers = join_all(events.iter().map(|event| store.accept(event.clone()))).await;
        for (event, answer) in events.into_iter().zip(answers) {
            if let Accepted::Stored { placements, .. } = answer? {
                self.accepted(event, &placements);
            }
        }
        Ok(())
    }

    fn accepted(&mut self, event: NewEvent, placements: &[Placement]) {
        match &event.planned {
            Planned::Now(deliveries) => {
                for (delivery, placement) in deliveries.iter().zip(placements) {
                    self.promises.deliveries.insert(delivery.id);
                    match placement {
                        Placement::Opened { epoch } => self.sending.push((delivery.id, *epoch)),
                        Placement::Ended if matches!(delivery.fate, Fate::Dead(_)) => self.dead.push(delivery.id),
                        _ => {}
                    }
                }
            }
            Planned::Later(places) => {
                self.promises.deliveries.extend(places.iter().map(|(id, _)| *id));
                self.later.push((event.id, places.clone()));
            }
        }
        if let Some(dedupe) = &event.dedupe {
            self.sources.push((dedupe.source_id.clone(), event.body.clone()));
        }
        self.promises.events.insert(event.id, event.body);
    }

    fn event(&mut self) -> NewEvent {
        let id = EventId::from_bits(self.bits());
        let (mut body, received_at) = (self.body(), self.clock.now());
        let key = self.dice.chance(75).then(|| format!("k{}", self.dice.roll(KEYS)));
        let repeated = self.dice.chance(10).then(|| self.dice.some_of(&self.sources, 1).pop()).flatten();
        let source_id = match repeated {
            // The same bytes again, or others under the same id.
            Some((source_id, same)) => {
                if self.dice.chance(50) {
                    body = same;
                }
                Some(source_id)
            }
            None => self.dice.chance(60).then(|| format!("msg_{}", self.ids)),
        };
        let dedupe = source_id.map(|source_id| Dedupe {
            source_id,
            keep_until: Timestamp::from_secs(received_at.as_secs() + 7 * 86_400),
            hold_conflicts: self.dice.chance(20),
        });
        let lanes = self.lanes[..1 + self.dice.below(3)].to_vec();
        let planned = if self.dice.chance(15) {
            Planned::Later(lanes.into_iter().map(|lane| (DeliveryId::from_bits(self.bits()), lane)).collect())
        } else {
            Planned::Now(lanes.into_iter().map(|lane| self.delivery(None, lane, &body)).collect())
        };
        NewEvent {
            id,
            integration: "crm-sync".into(),
            version: "v1".into(),
            received_at,
            dedupe,
            event_type: Some("contact.changed".into()),
            key,
            method: "POST".into(),
            path: "/hooks/salesforce".into(),
            query: None,
            headers: vec![("content-type".into(), "application/json".into())],
            content_type: Some("application/json".into()),
            body_hash: *blake3::hash(&body).as_bytes(),
            body,
            notes: Vec::new(),
            part: None,
            planned,
        }
    }

    fn delivery(&mut self, id: Option<DeliveryId>, lane: LaneId, body: &Bytes) -> NewDelivery {
        let fate = match self.dice.roll(12) {
            0 => Fate::Dead(self.failure()),
            1 => Fate::Filtered { step: "only-active".into() },
            2..=6 => Fate::Send(request(Bytes::from(format!("mapped for {}", lane.0)))),
            _ => Fate::Send(request(body.clone())),
        };
        let id = id.unwrap_or_else(|| DeliveryId::from_bits(self.bits()));
        NewDelivery { id, lane, fate, may_open: self.dice.chance(50) }
    }

    fn failure(&mut self) -> Failure {
        let park = self.dice.chance(60);
        let message = "the destination answered 500".to_owned();
        let group = GroupId::from_bits(1 + u128::from(self.dice.roll(3)));
        Failure { kind: FailureKind::Server, stage: Stage::Deliver, status: Some(500), message, group, park }
    }

    async fn claim(&mut self) -> Result<(), StoreError> {
        let lane = self.lanes[self.dice.below(3)];
        let limit = 1 + self.dice.roll(6) as u32;
        let opened = self.store.open_due(lane, limit, self.clock.now()).await?;
        for open in &opened.rows {
            if let Some(body) = self.promises.events.get(&open.event) {
                assert!(
                    open.request.body == body || open.request.body.starts_with(b"mapped for"),
                    "wrong bytes to send"
                );
            }
        }
        self.sending.extend(opened.rows.iter().map(|open| (open.id, open.epoch)));
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), StoreError> {
        let chosen = self.dice.some_of(&self.sending, 6);
        self.sending.retain(|open| !chosen.contains(open));
        let completions: Vec<Completion> = chosen.into_iter().map(|(id, epoch)| self.completion(id, epoch)).collect();
        let store = self.store.clone();
        let answers = join_all(completions.iter().map(|completion| store.complete(completion.clone()))).await;
        for (completion, answer) in completions.into_iter().zip(answers) {
            if matches!(answer?, Completed::Applied { .. }) {
                self.promises.attempts.insert((completion.delivery, completion.attempt.id));
                if matches!(completion.next, Next::Dead(_)) {
                    self.dead.push(completion.delivery);
                }
            }
        }
        Ok(())
    }

    fn completion(&mut self, delivery: DeliveryId, epoch: u64) -> Completion {
        let next = match self.dice.roll(10) {
            0..=5 => Next::Delivered,
            6..=7 => {
                let (failure, due_at) = (self.failure(), self.clock.now());
                Next::Retry { failure, due_at, waited_for: WaitedFor::Schedule }
            }
            _ => Next::Dead(self.failure()),
        };
        let (status, kind) = match &next {
            Next::Delivered => (200, None),
            _ => (500, Some(FailureKind::Server)),
        };
        let (started_at, ended_at) = (self.clock.now(), self.clock.now());
        let response = signalbox_store::delivery::Response {
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes::from(vec![b'r'; 10 + self.dice.below(600)]),
            truncated: false,
            size: 1_000,
        };
        let attempt = AttemptRecord {
            id: AttemptId::from_bits(self.bits()),
            started_at,
            ended_at,
            status: Some(status),
            kind,
            error: None,
            wait_us: Some(900),
            total_us: 1_000,
            url: "http://127.0.0.1:9/contacts".to_owned(),
            response: Some(response),
        };
        Completion { delivery, epoch, attempt, next }
    }

    async fn release(&mut self) -> Result<(), StoreError> {
        let chosen = self.dice.some_of(&self.sending, 2);
        self.sending.retain(|open| !chosen.contains(open));
        self.store.release(chosen).await.map(|_| ())
    }

    async fn plan_later(&mut self) -> Result<(), StoreError> {
        let Some((event, places)) = self.later.pop() else { return Ok(()) };
        let body = Bytes::from_static(b"mapped for later");
        let deliveries: Vec<NewDelivery> =
            places.into_iter().map(|(id, lane)| self.delivery(Some(id), lane, &body)).collect();
        let ids: Vec<DeliveryId> = deliveries.iter().map(|delivery| delivery.id).collect();
        for (id, placement) in ids.into_iter().zip(self.store.plan(event, deliveries).await?) {
            if let Placement::Opened { epoch } = placement {
                self.sending.push((id, epoch));
            }
        }
        Ok(())
    }

    async fn discard(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if self.dice.chance(40)
            && let Some(id) = self.discards.pop()
        {
            return self.store.undo_discard(id, now).await.map(|_| ());
        }
        let all: Vec<DeliveryId> = self.promises.deliveries.iter().copied().collect();
        let (id, chosen) = (DiscardId::from_bits(self.bits()), self.dice.some_of(&all, 4));
        self.store.discard(id, Selection::Ids(chosen), Some("not needed".into()), now).await?;
        self.discards.push(id);
        Ok(())
    }

    async fn replay(&mut self) -> Result<(), StoreError> {
        let chosen = self.dice.some_of(&self.dead, 5);
        if chosen.is_empty() {
            return Ok(());
        }
        let (id, created_at) = (ReplayId::from_bits(self.bits()), self.clock.now());
        let settings = ReplaySettings { mode: ReplayMode::Exact, rate: 5.0, canary: false, reason: None };
        let newer = if self.dice.chance(50) { NewerPolicy::Skip } else { NewerPolicy::Send };
        let plan = NewReplay {
            id,
            selection: Selection::Ids(chosen),
            settings: settings.clone(),
            newer,
            change: None,
            created_at,
        };
        self.store.plan_replay(plan).await?;
        self.store.start_replay(id, settings, None, created_at).await?;
        for item in self.store.next_items(id, 100).await? {
            let now = self.clock.now();
            if self.dice.chance(20) {
                let failure = self.failure();
                self.store.fail_item(id, item, failure, now).await?;
                continue;
            }
            let edited =
                NewRevision { origin: RevisionOrigin::Edited, request: request(Bytes::from("mapped for edit")) };
            let revision = self.dice.chance(40).then_some(edited);
            self.store.requeue(id, item, revision, now).await?;
            self.dead.retain(|dead| *dead != item);
        }
        Ok(())
    }

    /// What is written besides: gates, versions, figures.
    async fn notes(&mut self) -> Result<(), StoreError> {
        let at = self.clock.now();
        let (scope, name, reason) = (GateScope::System, "hubspot".to_owned(), HeldReason::Pause);
        let gate = SavedGate { scope, name, reason, since: at, until: None, explain: "paused by a person".into() };
        let step = if self.dice.chance(60) { GateStep::Closes } else { GateStep::Opens };
        let row =
            SeriesRow { bucket: at.as_secs() / 30 * 30, lane: self.lanes[0], accepted: 3, ..SeriesRow::default() };
        let files = [("integrations/crm-sync.toml".to_owned(), "[source]".to_owned())];
        self.store.save_gate(gate, step).await?;
        self.store.save_version("crm-sync", &format!("v{}", self.ids % 7), at, &files).await?;
        self.store.save_series(vec![row]).await
    }

    async fn reject(&mut self) -> Result<(), StoreError> {
        let rejected = Rejected {
            doctor: None,
            id: RejectedId::from_bits(self.bits()),
            at: self.clock.now(),
            integration: None,
            path: "/nothing".into(),
            status: 404,
            code: "path-unknown".into(),
            reason: "no integration listens on /nothing".into(),
            remote: "127.0.0.1:1".into(),
            headers: Vec::new(),
            body: Bytes::new(),
            size: 0,
        };
        self.store.reject(rejected).await
    }
}

/// An event of its own key, to be sent to one lane.
pub fn plain_event(number: u64, lane: LaneId, received_at: Timestamp) -> NewEvent {
    let millis = u128::try_from(received_at.as_millis()).expect("after 1970");
    let bits = (millis << 80) | u128::from(number) << 1;
    let body = Bytes::from(format!("{{\"type\":\"a\",\"key\":\"b{number}\",\"number\":{number}}}"));
    let fate = Fate::Send(request(body.clone()));
    let delivery = NewDelivery { id: DeliveryId::from_bits(bits | 1), lane, fate, may_open: false };
    NewEvent {
        id: EventId::from_bits(bits),
        integration: "sync".into(),
        version: "v1".into(),
        received_at,
        dedupe: None,
        event_type: Some("a".into()),
        key: Some(format!("b{number}")),
        method: "POST".into(),
        path: "/hooks/sync".into(),
        query: None,
        headers: vec![("content-type".into(), "application/json".into())],
        content_type: Some("application/json".into()),
        body_hash: *blake3::hash(&body).as_bytes(),
        body,
        notes: Vec::new(),
        part: None,
        planned: Planned::Now(vec![delivery]),
    }
}

fn request(body: Bytes) -> Request {
    Request {
        method: "POST".into(),
        path: "/contacts".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body,
    }
}
