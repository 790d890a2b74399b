//! One batch of news.

use serde::Serialize;
use utoipa::ToSchema;

use super::overview::Rates;
use super::replay::Replay;
use super::words::{Reason, Time};

/// What changed since a cursor, and the figures that are always on screen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LiveBatch {
    /// For the next request.
    pub cursor: String,
    pub at: Time,
    /// The cursor was too old or of another start: read everything anew.
    pub resync: bool,
    /// What to read again: `deliveries`, `dead-letters`, `overview`, `systems`, `rejected`, `integrations`, `replays`.
    pub tags: Vec<String>,
    /// Events accepted since the cursor.
    pub accepted: u64,
    /// Attempts that failed since the cursor.
    pub failed: u64,
    pub snapshot: Snapshot,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Snapshot {
    pub rates: Rates,
    pub queue: QueueNow,
    pub dead_letters: u64,
    /// Requests refused at the door since the start.
    pub rejected: u64,
    /// One for each system, and one for each destination whose gate differs; at most 100.
    pub gates: Vec<Gate>,
    /// Those that run or are paused.
    pub replays: Vec<Replay>,
    /// Things that are wrong in the workspace's files.
    pub problems: u64,
    pub ledger: LedgerState,
}

/// Whether events can be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerState {
    pub state: LedgerWord,
    /// What happened and what to do; null while all is well.
    pub text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerWord {
    Ok,
    /// Events are refused, deliveries go on.
    DiskFull,
    /// Nothing is written until a restart.
    Sealed,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct QueueNow {
    pub depth: u64,
    pub oldest_age_ms: Option<u64>,
}

/// What a system allows now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Gate {
    pub system: String,
    /// `integration/destination`; null: the whole system.
    pub destination: Option<String>,
    pub state: GateWord,
    pub reason: Option<Reason>,
    pub until: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateWord {
    Clear,
    Closed,
    Paused,
}
