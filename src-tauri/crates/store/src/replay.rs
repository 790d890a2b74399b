//! Replay jobs in the ledger: a frozen set, its progress, each item's fate.

use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, ReplayId, Timestamp};

use crate::event::Request;
use crate::read::Selection;
use crate::{LaneId, StoreFuture};

/// The most deliveries one replay may hold.
pub const REPLAY_MAX: u64 = 1_000_000;

pub trait Replays: Send + Sync {
    /// Freezes the set: dead letters of the selection, oldest first. Those with a newer delivered one of their key are
    /// counted as `newer` and, by policy, left out; rows that are not dead as `state`.
    fn plan_replay(&self, plan: NewReplay) -> StoreFuture<'_, PlannedReplay>;

    /// Planned → running. Changes to rate, canary, mode made since the plan are taken over.
    fn start_replay(&self, id: ReplayId, settings: ReplaySettings, now: Timestamp) -> StoreFuture<'_, ReplayMove>;

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
    /// that becomes the current revision first. Skips what is no longer dead, and `newer` by policy (that row becomes
    /// `superseded`).
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
    pub created_at: Timestamp,
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
    /// Distinct order keys in the set.
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    Pending,
    Sent,
    Delivered,
    Dead,
    Skipped,
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
    pub pending: u64,
}
