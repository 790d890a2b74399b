//! A lane is one destination of one integration: the unit of order, concurrency and isolation.

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

    /// Gates outlive a restart: pauses by a person and Retry-After. Set-or-clear by (scope, name, reason).
    fn save_gate(&self, gate: SavedGate, closed: bool) -> StoreFuture<'_, ()>;
    fn saved_gates(&self) -> StoreFuture<'_, Vec<SavedGate>>;

    /// Keeps an integration's version: its files as text, once per version.
    fn save_version(
        &self,
        integration: &str,
        version: &str,
        at: signalbox_model::Timestamp,
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
    pub reason: signalbox_model::HeldReason,
    pub since: signalbox_model::Timestamp,
    pub until: Option<signalbox_model::Timestamp>,
    pub explain: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateScope {
    System,
    Integration,
    Lane,
}
