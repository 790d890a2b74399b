//! Attempts, revisions and the trace of a delivery.

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{Header, Kind, Time};

/// One try.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attempt {
    pub id: String,
    /// From 1, over all rounds.
    pub number: u32,
    pub revision: u32,
    pub started_at: Time,
    /// Null while it runs.
    pub ended_at: Option<Time>,
    pub status: Option<u16>,
    /// Null where the destination confirmed.
    pub kind: Option<Kind>,
    pub error: Option<String>,
    /// What set the wait after this attempt: `schedule`, `retry-after`, `replay`, `restart`.
    pub waited_for: Option<String>,
    pub next_due_at: Option<Time>,
    pub timing: Timing,
    /// Of a delivery that shared its request, its own record without the others.
    pub request: Option<SentRequest>,
    /// Of a delivery that shared its request, its own part of the answer.
    pub response: Option<ReceivedResponse>,
    /// The base URL of the failover that it went to; null for the system's own.
    pub endpoint: Option<String>,
    /// The request that it shared with others; null where it went alone.
    pub batch: Option<AttemptBatch>,
}

/// A request that carried several deliveries.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttemptBatch {
    /// The request's idempotency key: the same for the same set.
    pub key: String,
    /// How many went.
    pub size: u32,
    pub delivered: u32,
    pub failed: u32,
    /// In the order in which they went.
    pub records: Vec<BatchRecord>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchRecord {
    pub delivery: String,
    /// What this request did to it, whatever became of it later.
    pub status: RecordStatus,
    /// Why it failed.
    pub message: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RecordStatus {
    Delivered,
    Retrying,
    Dead,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Timing {
    pub total_ms: Option<u64>,
    /// To the response's headers.
    pub wait_ms: Option<u64>,
}

/// A request as it went out, or would; credentials are masked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SentRequest {
    pub method: String,
    pub url: String,
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: Vec<Header>,
    /// Where the bytes are UTF-8; else null.
    pub body: Option<String>,
    /// Where the bytes are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The body is longer than the 64 KiB that are shown.
    pub truncated: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReceivedResponse {
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: Vec<Header>,
    pub body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// More arrived than is kept.
    pub truncated: bool,
    /// Bytes that arrived before reading stopped.
    pub size: u64,
}

/// The bytes of a delivery after a mapping or an edit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Revision {
    pub number: u32,
    /// `mapped`, `remapped` or `edited`.
    pub origin: String,
    pub created_at: Time,
    pub body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// The body is longer than the 1 MiB that is shown.
    pub truncated: bool,
}

/// One thing that happened to the event before it was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TraceStep {
    /// `received`, `verified`, the kinds of the steps, `request`.
    pub step: String,
    pub at: Option<Time>,
    /// Microseconds.
    pub took_us: Option<u64>,
    /// `ok`, `failed`, `filtered` or `skipped`.
    pub outcome: String,
    pub detail: String,
    /// JSON text, cut at 64 KiB.
    pub input: Option<String>,
    pub output: Option<String>,
}
