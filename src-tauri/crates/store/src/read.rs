//! Reads: lists are keyset-paged and bounded, counts are capped and say so.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use signalbox_model::filter::Filter;
use signalbox_model::{
    DeliveryId, DeliveryState, EventId, FailureKind, GroupId, HeldReason, RejectedId, ReplayId, Stage, Timestamp,
};

use crate::delivery::Response;
use crate::event::{Part, Rejected, Request};
use crate::replay::RevisionOrigin;
use crate::{LaneId, StoreError, StoreFuture};

/// The most rows of one page.
pub const PAGE_MAX: u32 = 500;
/// Counting stops here; the answer then says that it is not exact.
pub const COUNT_MAX: u64 = 10_000;

/// Gates that are closed now: a `queued` or `retrying` row behind one reads as `held` with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClosedGates {
    /// Closed to everything.
    pub lanes: BTreeMap<LaneId, HeldReason>,
    /// Closed to replays' deliveries alone: only the reserve of a quota is left. None of `lanes`.
    pub to_replays: BTreeSet<LaneId>,
}

impl ClosedGates {
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.to_replays.is_empty()
    }
}

/// Which deliveries a bulk action means.
#[derive(Clone, Debug)]
pub enum Selection {
    /// At least one term; `now` resolves relative times; gates resolve derived reasons.
    Filter {
        filter: Filter,
        now: Timestamp,
        gates: ClosedGates,
    },
    Ids(Vec<DeliveryId>),
}

pub trait Reads: Send + Sync {
    /// Newest first. `cursor` is the last id of the page before.
    fn list(&self, query: ListQuery) -> StoreFuture<'_, Page>;
    fn delivery(&self, id: DeliveryId) -> StoreFuture<'_, Option<DeliveryRow>>;
    /// What stands before a waiting delivery; `None`: there is no such delivery.
    fn ahead(&self, id: DeliveryId) -> StoreFuture<'_, Option<Ahead>>;
    fn attempts(&self, id: DeliveryId) -> StoreFuture<'_, Vec<AttemptRow>>;
    fn revisions(&self, id: DeliveryId) -> StoreFuture<'_, Vec<RevisionRow>>;
    fn event(&self, id: EventId) -> StoreFuture<'_, Option<EventRow>>;
    /// The events that one request was split into, in their order; see [`Part::request`].
    fn events_of(&self, request: EventId) -> StoreFuture<'_, Vec<EventId>>;
    fn event_body(&self, id: EventId) -> StoreFuture<'_, Option<Bytes>>;
    fn deliveries_of(&self, event: EventId) -> StoreFuture<'_, Vec<DeliveryRow>>;
    /// Groups of dead letters, largest newest first, at most 200.
    fn groups(&self, filter: &Filter, now: Timestamp, gates: &ClosedGates) -> StoreFuture<'_, Vec<GroupRow>>;
    /// Newest first.
    fn rejected(&self, cursor: Option<RejectedId>, limit: u32) -> StoreFuture<'_, Vec<Rejected>>;
    /// Per lane: open rows by stored state, dead rows, and the oldest open row's acceptance.
    fn lane_figures(&self) -> StoreFuture<'_, Vec<LaneFigures>>;
    /// Cheap whatever the backlog: per lane with open rows, when the oldest was accepted.
    fn oldest_open(&self) -> StoreFuture<'_, Vec<(LaneId, Timestamp)>>;
    /// Deliveries of replays that wait for their turn in these lanes, counted up to [`COUNT_MAX`].
    fn replays_waiting(&self, lanes: BTreeSet<LaneId>) -> StoreFuture<'_, u64>;
    /// Of the lane's ready rows those whose round began before `started_before`. Looks at up to `limit` open rows after
    /// `after`, the oldest first.
    fn too_old(
        &self,
        lane: LaneId,
        started_before: Timestamp,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> StoreFuture<'_, TooOld>;
    /// Dead letters: all, distinct groups, and those that ended since.
    fn dead_figures(&self, since: Timestamp) -> StoreFuture<'_, DeadFigures>;
    /// Why no event is taken now: the disk is full, or the ledger is sealed. `None`: they are taken.
    fn trouble(&self) -> Option<StoreError> {
        None
    }
    /// Size on disk of ledger and WAL, bytes.
    fn size_on_disk(&self) -> StoreFuture<'_, u64>;
}

/// A part of a lane's open rows that was looked through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TooOld {
    /// The oldest first.
    pub ids: Vec<DeliveryId>,
    /// When the oldest round began of the others; of no meaning where there is more to look at.
    pub oldest: Option<Timestamp>,
    /// Where to go on; `None`: that was all.
    pub next: Option<DeliveryId>,
}

#[derive(Clone, Debug)]
pub struct ListQuery {
    pub filter: Filter,
    pub now: Timestamp,
    pub gates: ClosedGates,
    pub cursor: Option<String>,
    /// 1..=[`PAGE_MAX`]
    pub limit: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Page {
    pub items: Vec<DeliveryRow>,
    pub next: Option<String>,
    pub total: u64,
    pub total_exact: bool,
}

#[derive(Clone, Debug)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub event: EventId,
    pub lane: LaneId,
    pub integration: String,
    pub destination: String,
    pub system: String,
    /// As stored; see `ClosedGates` for what is derived.
    pub state: DeliveryState,
    pub reason: Option<HeldReason>,
    pub kind: Option<FailureKind>,
    pub stage: Option<Stage>,
    pub status: Option<u16>,
    pub message: Option<String>,
    pub group: Option<GroupId>,
    pub attempts: u32,
    /// Attempts of earlier rounds; `attempts - tries_before` are this round's.
    pub tries_before: u32,
    pub revision: u32,
    pub key: Option<String>,
    pub event_type: Option<String>,
    pub accepted_at: Timestamp,
    pub round_started_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// Accept → confirmed.
    pub latency_us: Option<u64>,
    /// Since when the open attempt runs, for `sending`.
    pub sending_since: Option<Timestamp>,
    pub conflict_of: Option<EventId>,
    pub replay: Option<ReplayId>,
}

/// What stands before a delivery that waits; each count stops at 10,000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Earlier ones of its key that have not ended, and parked dead letters.
    pub of_key: u64,
    /// The first of these.
    pub head: Option<Head>,
    /// Ready rows of its lane that are due before it.
    pub of_lane: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub id: DeliveryId,
    pub state: DeliveryState,
    pub due_at: Option<Timestamp>,
    pub kind: Option<FailureKind>,
}

#[derive(Clone, Debug)]
pub struct AttemptRow {
    pub number: u32,
    pub revision: u32,
    pub id: signalbox_model::AttemptId,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub status: Option<u16>,
    pub kind: Option<FailureKind>,
    pub error: Option<String>,
    pub wait_us: Option<u64>,
    pub total_us: Option<u64>,
    pub url: Option<String>,
    /// What set the wait after this attempt: `schedule`, `retry-after`, `restart`; `None`: it was the last.
    pub waited_for: Option<String>,
    pub next_due_at: Option<Timestamp>,
    pub response: Option<Response>,
    /// The request that it shared with others.
    pub batch: Option<AttemptBatch>,
}

/// A request that carried several deliveries.
#[derive(Clone, Debug)]
pub struct AttemptBatch {
    /// Its idempotency key.
    pub key: String,
    /// Records that went; `records` has fewer where some are no longer in the ledger.
    pub size: u32,
    /// In the order in which they went.
    pub records: Vec<BatchRecord>,
}

#[derive(Clone, Debug)]
pub struct BatchRecord {
    pub delivery: DeliveryId,
    pub end: RecordEnd,
    /// Why it failed.
    pub message: Option<String>,
}

/// What the attempt did to a record's delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    Delivered,
    Retrying,
    Dead,
}

#[derive(Clone, Debug)]
pub struct RevisionRow {
    pub number: u32,
    pub origin: RevisionOrigin,
    pub created_at: Timestamp,
    pub request: Request,
}

#[derive(Clone, Debug)]
pub struct EventRow {
    pub id: EventId,
    pub integration: String,
    pub version: String,
    pub received_at: Timestamp,
    pub source_id: Option<String>,
    pub event_type: Option<String>,
    pub key: Option<String>,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub headers: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub size: u64,
    pub notes: Vec<String>,
    pub conflict_of: Option<EventId>,
    /// Steps still have to run.
    pub unplanned: bool,
    /// For one of the events that a request was split into.
    pub part: Option<Part>,
}

#[derive(Clone, Debug)]
pub struct GroupRow {
    pub id: GroupId,
    pub lane: LaneId,
    pub count: u64,
    pub stage: Stage,
    pub kind: FailureKind,
    pub status: Option<u16>,
    pub message: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub sample: DeliveryId,
    pub key_count: u64,
    /// 24 equal parts of first..=last.
    pub series: [u32; 24],
}

#[derive(Clone, Debug, Default)]
pub struct LaneFigures {
    pub lane: LaneId,
    pub queued: u64,
    pub sending: u64,
    pub retrying: u64,
    pub held: u64,
    pub dead: u64,
    pub oldest_open: Option<Timestamp>,
    pub next_due: Option<Timestamp>,
    pub last_delivered_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct DeadFigures {
    pub count: u64,
    pub groups: u64,
    pub new_since: u64,
}
