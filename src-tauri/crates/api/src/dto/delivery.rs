//! Deliveries: the row of the list and the whole of one.

use serde::Serialize;
use utoipa::ToSchema;

use super::attempt::{Attempt, Revision, TraceStep};
use super::event::Split;
use super::words::{FailedAt, Kind, Reason, State, Time};

/// What is said of a delivery in the list and alone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryFacts {
    pub id: String,
    pub event: String,
    pub integration: String,
    pub destination: String,
    pub system: String,
    pub state: State,
    /// What a held delivery waits for.
    pub reason: Option<Reason>,
    pub kind: Option<Kind>,
    pub stage: Option<FailedAt>,
    /// HTTP status of the last attempt.
    pub status: Option<u16>,
    /// Tries after which this round gives up; none where the destination was removed.
    pub max_attempts: Option<u32>,
    pub key: Option<String>,
    pub r#type: Option<String>,
    /// Of the last failure.
    pub message: Option<String>,
    pub accepted_at: Time,
    pub due_at: Option<Time>,
    pub ended_at: Option<Time>,
    /// Accepted to confirmed.
    pub latency_ms: Option<u64>,
    pub revision: u32,
    /// The failure group of a dead letter.
    pub group: Option<String>,
    /// The event that came earlier under the same id with other bytes.
    pub conflict_of: Option<String>,
    /// The replay that sent it last.
    pub replay: Option<String>,
}

/// One event on its way to one destination.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Delivery {
    #[serde(flatten)]
    pub facts: DeliveryFacts,
    /// Tries so far, over all rounds.
    pub attempts: u32,
}

/// Newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryPage {
    pub items: Vec<Delivery>,
    /// Cursor of the next page; null on the last one.
    pub next: Option<String>,
    /// All that match, counted to at most 10,000.
    pub total: u64,
    /// False where counting stopped early.
    pub total_exact: bool,
}

/// Everything about one delivery. `attempts` is the list here; their number is its length.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeliveryDetail {
    #[serde(flatten)]
    pub facts: DeliveryFacts,
    pub integration_title: String,
    pub system_title: String,
    /// The place of its event among those of one request; null where the request was one event.
    pub split: Option<Split>,
    /// Where it stands and why, in a sentence.
    pub explain: String,
    /// What it waits for, where that is a gate or an earlier delivery.
    pub waits_for: Option<WaitsFor>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    /// What happened between receiving and the first attempt.
    pub trace: Vec<TraceStep>,
    /// Where it comes from and what became of it, oldest first.
    pub lineage: Vec<LineageStep>,
    /// The same event's other deliveries.
    pub siblings: Vec<Sibling>,
    /// The bytes that were or will be sent, oldest first.
    pub revisions: Vec<Revision>,
}

/// Something that happened to a delivery as a whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineageStep {
    pub at: Time,
    /// `accepted`, `retried`, `replayed`, `edited`, `remapped`, `superseded`, `discarded` or `restored`.
    pub what: String,
    /// Of the replay (rpl_…) or discard (dsc_…).
    pub id: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitsFor {
    pub reason: Reason,
    /// Null where nobody knows.
    pub until: Option<Time>,
    /// Deliveries that go before it, counted to at most 10,000.
    pub ahead: Option<u64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sibling {
    pub id: String,
    pub destination: String,
    pub state: State,
}
