//! A lane is one destination of one integration: the unit of order, concurrency and isolation.

use signalbox_model::{HeldReason, Timestamp};

use crate::StoreFuture;

/// Small and stable: the same (integration, destination) keeps its lane for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub i64);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub id: LaneId,
    pub integration: String,
    pub destination: String,
    /// The system that the destination names now.
    pub system: String,
}

pub trait Lanes: Send + Sync {
    /// Makes or finds the lane and sets its system.
    fn ensure_lane(&self, integration: &str, destination: &str, system: &str) -> StoreFuture<'_, Lane>;

    /// All lanes, those of removed destinations too.
    fn lanes(&self) -> StoreFuture<'_, Vec<Lane>>;

    /// Gates outlive a restart: pauses by a person, Retry-After and breakers, one row for each (scope, name, reason). When it
    /// was closed is written down too.
    fn save_gate(&self, gate: SavedGate, step: GateStep) -> StoreFuture<'_, ()>;
    fn saved_gates(&self) -> StoreFuture<'_, Vec<SavedGate>>;

    /// When gates were closed, of what reaches into the time after `from`, the oldest first: those that have not
    /// ended and the newest others, at most [`MOST_SPANS`].
    fn gate_spans(&self, from: Timestamp) -> StoreFuture<'_, Vec<GateSpan>>;
    /// Forgets those that ended before.
    fn prune_gate_spans(&self, before: Timestamp) -> StoreFuture<'_, u64>;

    /// Keeps an integration's version: its files as text, once per version.
    fn save_version(
        &self,
        integration: &str,
        version: &str,
        at: Timestamp,
        files: &[(String, String)],
    ) -> StoreFuture<'_, ()>;
    /// The files of a kept version, to recompute a trace or map exactly as then.
    fn version_files(&self, integration: &str, version: &str) -> StoreFuture<'_, Option<Vec<(String, String)>>>;
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedGate {
    pub scope: GateScope,
    /// `system`, `integration` or `integration/destination`.
    pub name: String,
    pub reason: HeldReason,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub explain: String,
}

/// What becomes of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateStep {
    /// Deliveries wait at it from its `since`. Only for [`HeldReason::Rate`] `until` says when that ends by itself.
    Closes,
    /// It is kept, and nothing waits at it: a breaker that a person forced closed.
    KeptClear,
    /// Nothing of it is kept.
    Opens,
}

/// A time over which a gate was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSpan {
    pub scope: GateScope,
    /// As in [`SavedGate`].
    pub name: String,
    pub reason: HeldReason,
    pub since: Timestamp,
    /// `None`: it is closed still, as far as the ledger knows.
    pub until: Option<Timestamp>,
}

/// The most that one answer of [`Lanes::gate_spans`] holds.
pub const MOST_SPANS: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateScope {
    System,
    Integration,
    Lane,
}
