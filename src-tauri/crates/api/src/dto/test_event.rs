//! An event that a person makes: what would become of it, or that it was taken.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attempt::SentRequest;
use super::words::FailedAt;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestBody {
    /// Sent byte for byte; at most the source's `max_body`.
    pub body: String,
    /// `application/json` unless set.
    pub content_type: Option<String>,
    /// Value by name: at most 100, 16 KiB together.
    pub headers: Option<BTreeMap<String, String>>,
    /// True unless set: nothing is stored or sent.
    pub dry_run: Option<bool>,
}

/// What would become of the event. Nothing was stored or sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestDryRun {
    /// How many events the source makes of it.
    pub count: usize,
    /// The first of them: at most 20, fewer where their steps took longer than 10 s.
    pub events: Vec<TriedEvent>,
}

/// An event as its source reads it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedEvent {
    pub r#type: Option<String>,
    pub key: Option<String>,
    /// By which repeats are known; null where the source knows none. Whether it came before is not looked up.
    pub source_id: Option<String>,
    pub content_type: Option<String>,
    /// What is odd about it: `duplicate-keys`, or an expression that failed.
    pub notes: Vec<String>,
    /// In the order of the integration's file.
    pub destinations: Vec<TriedDelivery>,
}

/// What would happen for one destination.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriedDelivery {
    pub destination: String,
    pub system: String,
    pub outcome: TriedOutcome,
    /// Where it would be sent: exactly that, with an example of an idempotency key. A destination that batches would put
    /// it into one request with others.
    pub request: Option<SentRequest>,
    /// Where it would be sent: what it would wait for first. One sentence; null where it could go at once.
    pub waits: Option<String>,
    /// Where it would be dead.
    pub stage: Option<FailedAt>,
    /// Which step filters it, or why it would be dead.
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum TriedOutcome {
    Sent,
    Filtered,
    Dead,
}

/// It is in the ledger, and on its way as any other.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestAccepted {
    /// In the order of the body.
    pub events: Vec<AcceptedEvent>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AcceptedEvent {
    pub event: String,
    /// The same id and bytes were in the ledger already, as this event: nothing was added.
    pub duplicate: bool,
    /// The event that had the same id with other bytes.
    pub conflict_of: Option<String>,
}
