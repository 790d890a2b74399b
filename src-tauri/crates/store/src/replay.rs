//! Replay jobs in the ledger: a frozen set, its progress, each item's fate.

use bytes::Bytes;
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, DiscardId, ReplayId, Timestamp};

use crate::event::Request;
use crate::read::Selection;
use crate::{LaneId, StoreFuture};

/// The most deliveries one replay may hold.
pub const REPLAY_MAX: u64 = 1_000_000;

pub trait Replays: Send + Sync {
    /// Freezes the set: dead letters of the selection, oldest first. Those with a newer delivered one of their key are
    /// counted as `newer` and, by policy, left out; rows that are not dead as `state`.
    fn plan_replay(&self, plan: NewReplay) -> StoreFuture<'_, PlannedReplay>;

    /// Planned → running. Changes to rate, canary, mode made since the plan are taken over, and the `change` where
    /// there is one; without, the plan's stays.
    fn start_replay(
        &self,
        id: ReplayId,
        settings: ReplaySettings,
        change: Option<BodyChange>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove>;

    /// Pause, resume, cancel, stop, done. `because` is for people.
    fn move_replay(
        &self,
        id: ReplayId,
        to: ReplayState,
        because: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove>;

    /// Items not started yet, in order.
    fn next_items(&self, id: ReplayId, limit: u32) -> StoreFuture<'_, Vec<DeliveryId>>;

    /// One item: dead → queued (or held behind an active one of its key) with a new round, due now. With `revision`,
    /// that becomes the current revision first. Skips what is no longer dead, what a dead letter outside the set parks,
    /// and `newer` by policy (that row becomes `superseded`; the same is looked at again when its attempt opens).
    fn requeue(
        &self,
        id: ReplayId,
        delivery: DeliveryId,
        revision: Option<NewRevision>,
        now: Timestamp,
    ) -> StoreFuture<'_, Requeued>;

    /// The steps failed again on remap: the item ends as `dead` with its new failure, nothing is sent.
    fn fail_item(
        &self,
        id: ReplayId,
        delivery: DeliveryId,
        failure: crate::event::Failure,
        now: Timestamp,
    ) -> StoreFuture<'_, ()>;

    /// The set's patch does not fit this one: it stays as it is and ends as skipped, for `reason`.
    fn skip_item(&self, id: ReplayId, delivery: DeliveryId, reason: String, now: Timestamp) -> StoreFuture<'_, ()>;

    /// Items that wait behind a parked dead letter, which would keep the job running for ever: back to what they were,
    /// and skipped. Returns how many.
    fn let_go(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64>;

    /// Every delivery that this replay has moved and that was not sent since is again exactly what it was: state,
    /// message, group, park, revision. Returns how many. The job itself is to be ended before.
    fn undo_replay(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64>;

    /// What it does to the bodies of its set.
    fn body_change(&self, id: ReplayId) -> StoreFuture<'_, Option<BodyChange>>;

    /// Oldest delivery first, after `cursor`.
    fn replay_items(&self, id: ReplayId, cursor: Option<DeliveryId>, limit: u32)
    -> StoreFuture<'_, Vec<ReplayItemRow>>;

    /// The replays and discards that a delivery was part of.
    fn history(&self, delivery: DeliveryId) -> StoreFuture<'_, DeliveryHistory>;

    fn replay(&self, id: ReplayId) -> StoreFuture<'_, Option<ReplayRow>>;
    /// Newest first; `only_open`: running and paused ones.
    fn replays(&self, only_open: bool, limit: u32) -> StoreFuture<'_, Vec<ReplayRow>>;
    /// The state of one item, for the canary.
    fn item_state(&self, id: ReplayId, delivery: DeliveryId) -> StoreFuture<'_, Option<ItemState>>;
}

#[derive(Clone, Debug)]
pub struct NewReplay {
    pub id: ReplayId,
    pub selection: Selection,
    pub settings: ReplaySettings,
    pub newer: NewerPolicy,
    pub change: Option<BodyChange>,
    pub created_at: Timestamp,
}

/// What a replay does to the bodies that it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyChange {
    /// The new body of the set's one delivery.
    Edit(Bytes),
    /// JSON text of an RFC 6902 patch for the body of each.
    Patch(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplaySettings {
    pub mode: ReplayMode,
    /// Per second, `0.1..=1000.0`.
    pub rate: f64,
    pub canary: bool,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct PlannedReplay {
    pub count: u64,
    pub by_lane: Vec<(LaneId, u64)>,
    pub skipped_newer: u64,
    pub skipped_state: u64,
    /// Deliveries of the set that have a key.
    pub with_key: u64,
    /// Up to 3, for sample requests.
    pub samples: Vec<DeliveryId>,
}

#[derive(Clone, Debug)]
pub struct NewRevision {
    pub origin: RevisionOrigin,
    pub request: Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionOrigin {
    Mapped,
    Remapped,
    Edited,
}

impl RevisionOrigin {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Remapped => "remapped",
            Self::Edited => "edited",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mapped, Self::Remapped, Self::Edited].into_iter().find(|origin| origin.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayMove {
    Moved,
    /// The move is not possible from this state.
    WrongState(ReplayState),
    Missing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeued {
    Queued {
        lane: LaneId,
    },
    Held {
        lane: LaneId,
    },
    SkippedNewer,
    /// No longer dead.
    SkippedState,
    /// An earlier dead letter of its key that is not part of the set parks it.
    SkippedParked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    Pending,
    Sent,
    Delivered,
    Dead,
    Skipped,
}

impl ItemState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Delivered, Self::Dead, Self::Skipped]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

#[derive(Clone, Debug)]
pub struct ReplayRow {
    pub id: ReplayId,
    pub state: ReplayState,
    pub settings: ReplaySettings,
    pub newer: NewerPolicy,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub stopped_because: Option<String>,
    pub total: u64,
    /// Started and not ended.
    pub sent: u64,
    pub delivered: u64,
    pub dead: u64,
    pub skipped_newer: u64,
    pub skipped_state: u64,
    /// The patch did not fit them.
    pub skipped_patch: u64,
    /// A dead letter of the same key was in their way.
    pub skipped_parked: u64,
    /// Taken back before they were sent.
    pub undone: u64,
    pub pending: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayItemRow {
    pub delivery: DeliveryId,
    pub state: ItemState,
    /// Why it was skipped or died.
    pub message: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct DeliveryHistory {
    /// Oldest first; those whose turn has not come are left out.
    pub replays: Vec<ReplayedOnce>,
    /// Oldest first.
    pub discards: Vec<DiscardedOnce>,
}

#[derive(Clone, Debug)]
pub struct ReplayedOnce {
    pub replay: ReplayId,
    pub at: Timestamp,
    pub state: ItemState,
    pub message: Option<String>,
    /// Something newer of its key had been delivered.
    pub superseded: bool,
    pub undone_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct DiscardedOnce {
    pub discard: DiscardId,
    pub at: Timestamp,
    pub reason: Option<String>,
    pub restored_at: Option<Timestamp>,
}
