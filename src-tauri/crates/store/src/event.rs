//! Intake: one accepted input and the rows of its destinations, in one commit.

use bytes::Bytes;
use signalbox_model::{DeliveryId, EventId, FailureKind, GroupId, RejectedId, Stage, Timestamp};

use crate::{LaneId, StoreError, StoreFuture};

pub trait Events: Send + Sync {
    /// Answers after the commit (`synchronous=FULL`). `Err(Busy)` at once when the writer's queue is full.
    fn accept(&self, event: NewEvent) -> StoreFuture<'_, Accepted> {
        let all = self.accept_all(vec![event]);
        Box::pin(async move { all.await?.pop().ok_or(StoreError::Closed) })
    }

    /// The events of one request, all in one commit or none: answers in their order, as [`Events::accept`] does. Each
    /// has a dedupe of its own; one that repeats an earlier one of the same request is a duplicate of it.
    fn accept_all(&self, events: Vec<NewEvent>) -> StoreFuture<'_, Vec<Accepted>>;

    /// For an event accepted with [`Planned::Later`]: its steps have run now. Replaces the placeholder rows.
    fn plan(&self, event: EventId, deliveries: Vec<NewDelivery>) -> StoreFuture<'_, Vec<Placement>>;

    /// Events whose steps still have to run, oldest first, with how many boots have already tried (counted up by
    /// this call once per boot). Two crashes in its steps make an event's deliveries dead.
    fn unplanned(&self, limit: u32) -> StoreFuture<'_, Vec<Unplanned>>;

    /// Keeps a refused request; the oldest go when more than `REJECTED_KEPT` are stored.
    fn reject(&self, rejected: Rejected) -> StoreFuture<'_, ()>;

    /// Adds what the signature doctor found to a refused request that is still kept; JSON.
    fn diagnose(&self, id: RejectedId, doctor: String) -> StoreFuture<'_, ()>;
}

/// How many refused requests are kept.
pub const REJECTED_KEPT: u32 = 10_000;

#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: EventId,
    pub integration: String,
    pub version: String,
    pub received_at: Timestamp,
    /// The sender's own id, where it has one: the subject of dedupe.
    pub dedupe: Option<Dedupe>,
    pub event_type: Option<String>,
    pub key: Option<String>,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    /// As received, signatures masked.
    pub headers: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub body: Bytes,
    pub body_hash: [u8; 32],
    /// What the strict reader noticed, such as `duplicate-keys`.
    pub notes: Vec<String>,
    pub planned: Planned,
    /// For one of the events that a request was split into.
    pub part: Option<Part>,
}

/// The place of an event among those of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the events of one request share: the id of the first.
    pub request: EventId,
    /// From 1.
    pub index: u32,
    pub of: u32,
}

#[derive(Clone, Debug)]
pub struct Dedupe {
    pub source_id: String,
    pub keep_until: Timestamp,
    /// Other bytes under the same id: `false` deliver and flag, `true` hold them (rows become `dead` at stage
    /// accept with a message that says so, for a person to replay or discard).
    pub hold_conflicts: bool,
}

#[derive(Clone, Debug)]
pub enum Planned {
    Now(Vec<NewDelivery>),
    /// The steps ran over their inline budget: placeholder rows (`queued`, revision 0, not claimable) hold the
    /// places in their keys' order until [`Events::plan`].
    Later(Vec<(DeliveryId, LaneId)>),
}

#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub lane: LaneId,
    pub fate: Fate,
    /// The caller holds a permit and the gate is open: open the first attempt in this same commit if the row heads
    /// its key.
    pub may_open: bool,
}

#[derive(Clone, Debug)]
pub enum Fate {
    Send(Request),
    /// A filter step said no: which.
    Filtered {
        step: String,
    },
    Dead(Failure),
}

/// A failure that ended a delivery or an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub stage: Stage,
    pub status: Option<u16>,
    /// For people; one sentence.
    pub message: String,
    pub group: GroupId,
    /// `on_dead = "park"`: later ones of the key wait.
    pub park: bool,
}

/// The bytes of one revision, without authentication and idempotency key, which are added at each attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Path and query, joined to the system's base URL when sent.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    Stored {
        placements: Vec<Placement>,
        /// The first event with this source id, whose bytes differ.
        conflict_of: Option<EventId>,
    },
    /// The same id and bytes were accepted before; nothing was written.
    Duplicate { of: EventId },
}

/// Where a new row stands after the commit, in the order of the command's deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Attempt 1 is open under this epoch: send now.
    Opened {
        epoch: u64,
    },
    Queued,
    /// Behind an earlier delivery of its key.
    Held,
    Ended,
    /// Its steps have not run yet.
    Unplanned,
}

#[derive(Clone, Debug)]
pub struct Unplanned {
    pub event: EventId,
    pub integration: String,
    pub version: String,
    pub deliveries: Vec<(DeliveryId, LaneId)>,
    /// Boots that saw this event in its steps, this one included.
    pub boots: u32,
}

/// A request that was refused at the door.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub id: RejectedId,
    pub at: Timestamp,
    pub integration: Option<String>,
    pub path: String,
    pub status: u16,
    pub code: String,
    pub reason: String,
    pub remote: String,
    /// Signatures and credentials masked.
    pub headers: Vec<(String, String)>,
    /// At most 16 KiB.
    pub body: Bytes,
    pub size: u64,
    /// What the signature doctor found, as JSON; set by [`Events::diagnose`].
    pub doctor: Option<String>,
}
