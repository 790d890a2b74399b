//! Deliveries: claim, complete, release, recover. One method, one transition.

use std::time::Duration;

use bytes::Bytes;
use signalbox_model::retry::WaitedFor;
use signalbox_model::{AttemptId, DeliveryId, DiscardId, EventId, FailureKind, ReplayId, Timestamp};

use crate::event::{Failure, Request};
use crate::read::Selection;
use crate::{LaneId, StoreFuture};

pub trait Deliveries: Send + Sync {
    /// Opens an attempt for up to `limit` due rows of a lane, oldest due first, and hands out their bytes.
    fn open_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch>;

    /// The same, of live traffic alone: what waits of replays is left where it is, and costs nothing to pass.
    fn open_live_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch>;

    /// The end of an attempt: attempt, state, next due, promotion of the next of the key, replay item; one commit.
    fn complete(&self, completion: Completion) -> StoreFuture<'_, Completed>;

    /// The same for attempts that went out in one request, all in one commit; one answer each, in their order.
    fn complete_batch(&self, batch: EndedBatch) -> StoreFuture<'_, Vec<Completed>>;

    /// Rows that were opened but never sent (the gate closed first) go back to what they were; no attempt is counted.
    fn release(&self, opened: Vec<(DeliveryId, u64)>) -> StoreFuture<'_, u64>;

    /// Up to `limit` rows of the lane that wait after a failure of kind `server`, `network` or `unknown` become due now,
    /// those first that would have been due first; none that waits for as long as its system asked for. Answers which,
    /// in no order.
    fn bring_forward(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, Vec<DeliveryId>>;

    /// The clock was set back by `by`: of up to `limit` open rows of the lane after `after`, due times that lie ahead go
    /// back with it, none before `now`. Answers where to go on; `None`: that was all.
    fn follow_clock_back(
        &self,
        lane: LaneId,
        after: Option<DeliveryId>,
        by: Duration,
        limit: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Option<DeliveryId>>;

    /// Those of these that are still ready, and whose round began before `started_before`, end as `dead` with this failure;
    /// the next of each key is promoted. Returns how many ended.
    fn expire(
        &self,
        found: Vec<DeliveryId>,
        started_before: Timestamp,
        failure: Failure,
        now: Timestamp,
    ) -> StoreFuture<'_, u64>;

    /// At start: attempts left open by an earlier boot close as `unknown`, their deliveries become `retrying` and due
    /// now. Returns how many. Also raises the boot epoch.
    fn recover(&self, now: Timestamp) -> StoreFuture<'_, u64>;

    /// `dead`, `held`, `queued` and `retrying` rows become `discarded`; the next of each key is promoted.
    /// The set is remembered under `id` for [`Deliveries::undo_discard`].
    fn discard(
        &self,
        id: DiscardId,
        selection: Selection,
        reason: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, u64>;

    /// Back to what each row was (a row that was waiting becomes due now); a row that was waiting and whose key has
    /// delivered something newer becomes `superseded`. `None`: no such discard.
    fn undo_discard(&self, id: DiscardId, now: Timestamp) -> StoreFuture<'_, Option<UndoneDiscard>>;
}

/// What became of a discard's rows when it was undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoneDiscard {
    pub restored: u64,
    /// Not sent any more: that would undo something newer of their keys.
    pub superseded: u64,
}

#[derive(Clone, Debug, Default)]
pub struct OpenedBatch {
    pub rows: Vec<OpenDelivery>,
    /// When fewer than `limit` rows were due: when the next one is, if any.
    pub next_due: Option<Timestamp>,
}

/// A delivery whose attempt is open: everything needed to send it.
#[derive(Clone, Debug)]
pub struct OpenDelivery {
    pub id: DeliveryId,
    pub event: EventId,
    pub lane: LaneId,
    /// Of the attempt now open; 1 is the first of the delivery's life.
    pub attempt: u32,
    /// Tries of this round including this one.
    pub tries: u32,
    pub epoch: u64,
    pub revision: u32,
    pub accepted_at: Timestamp,
    pub round_started_at: Timestamp,
    pub key: Option<String>,
    pub event_type: Option<String>,
    pub replay: Option<ReplayId>,
    pub request: Request,
}

#[derive(Clone, Debug)]
pub struct Completion {
    pub delivery: DeliveryId,
    pub epoch: u64,
    pub attempt: AttemptRecord,
    pub next: Next,
}

/// The end of a request that carried several deliveries.
#[derive(Clone, Debug)]
pub struct EndedBatch {
    /// The attempt of its first record.
    pub id: AttemptId,
    /// The idempotency key that the request carried.
    pub key: String,
    /// In the order in which the request carried them.
    pub completions: Vec<Completion>,
}

#[derive(Clone, Debug)]
pub struct AttemptRecord {
    pub id: AttemptId,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub status: Option<u16>,
    pub kind: Option<FailureKind>,
    pub error: Option<String>,
    /// Microseconds until the response's headers.
    pub wait_us: Option<u64>,
    pub total_us: u64,
    /// Absolute URL that was requested, query credentials masked.
    pub url: String,
    pub response: Option<Response>,
}

/// Capped at 64 KiB of body and 64 headers.
#[derive(Clone, Debug)]
pub struct Response {
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub truncated: bool,
    /// Bytes that arrived before reading stopped.
    pub size: u64,
}

#[derive(Clone, Debug)]
pub enum Next {
    Delivered,
    Retry {
        failure: Failure,
        due_at: Timestamp,
        waited_for: WaitedFor,
    },
    /// The gate closed for a reason that is not the delivery's (a refused credential): due again at `due_at`, the try
    /// does not count towards the schedule.
    Wait {
        failure: Failure,
        due_at: Timestamp,
    },
    Dead(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// `promoted`: the next of the key became ready in this lane.
    Applied { promoted: bool },
    /// Another boot or a person ended it meanwhile: the result was dropped and counted.
    Stale,
}
