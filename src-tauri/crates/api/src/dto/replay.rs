//! Replays and discards: what is asked, the plan, the progress.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::attempt::SentRequest;
use super::change::FieldChange;
use super::live::Gate;
use super::words::Time;

/// Exactly one of `filter`, `ids` and `plan`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    /// At least one term; its dead letters.
    pub filter: Option<String>,
    /// Deliveries, at most 10,000.
    pub ids: Option<Vec<String>>,
    /// The id of an earlier plan: exactly its set.
    pub plan: Option<String>,
    /// `remap` (default) runs the steps as they are now, `exact` sends the same bytes.
    pub mode: Option<ReplayModeWord>,
    /// A new body for exactly one delivery: JSON, or a string that is sent as it is.
    #[schema(value_type = Option<Object>)]
    pub edit: Option<Box<RawValue>>,
    /// JSON Patch (RFC 6902) for the body that each of the set would send, after the remap where there is one. Those it
    /// does not fit are skipped.
    #[schema(value_type = Option<Vec<Object>>)]
    pub patch: Option<Box<RawValue>>,
    /// Per second; 0.1 to 1000, 5 unless set.
    pub rate: Option<f64>,
    /// Send one first, and the others only when it was confirmed.
    pub canary: Option<bool>,
    /// A dead letter whose key has a newer delivered one is left out (`skip`, default) or sent (`send`).
    pub newer: Option<NewerWord>,
    /// For the record; at most 500 characters.
    pub reason: Option<String>,
    /// Plan only: freezes the set and says what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplayModeWord {
    Remap,
    Exact,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NewerWord {
    Skip,
    Send,
}

/// What a replay would do. Its set is frozen under `plan`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReplayPlan {
    pub plan: String,
    pub count: u64,
    /// By `integration/destination`.
    pub by_destination: BTreeMap<String, u64>,
    pub skipped: Skipped,
    /// Deliveries that have a key, whose order is kept.
    pub with_key: u64,
    /// Gates that the replay would wait for; empty: none.
    pub gate: Vec<Gate>,
    /// At the planned rate, once the gates allow.
    pub seconds: f64,
    pub sample_requests: Vec<SampleRequest>,
    /// What the patch fits; null without one.
    pub patch: Option<PatchCheck>,
}

/// A patch tried on a set, oldest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PatchCheck {
    pub fits: u64,
    pub misfits: u64,
    /// Deliveries it was tried on: at most 1,000, fewer where that took too long.
    pub checked: u64,
    /// The first misfits.
    pub examples: Vec<Misfit>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Misfit {
    pub delivery: String,
    pub reason: String,
}

/// A request as it would go out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleRequest {
    pub delivery: String,
    #[serde(flatten)]
    pub request: SentRequest,
    /// It would stay dead: why. The steps fail on it as they are now, or the patch does not fit.
    pub fails: Option<String>,
    /// Against the request that was sent last.
    pub changes: Vec<FieldChange>,
    /// What the system holds now; null where the destination has no `read`.
    pub current: Option<CurrentRecord>,
}

/// The record that a request would change, read for the dry run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CurrentRecord {
    pub status: Option<u16>,
    pub readable: bool,
    /// Why it could not be read, or what is special about it.
    pub reason: Option<String>,
    /// What the request would change, among the fields that it sends.
    pub diff: Vec<FieldChange>,
}

/// The new body of one delivery.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditBody {
    /// dlv_…
    pub delivery: String,
    /// JSON, or a string that is the body itself.
    #[schema(value_type = Object)]
    pub edit: Box<RawValue>,
}

/// The same edit as JSON Patch (RFC 6902), for a whole set.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EditPatch {
    #[schema(value_type = Vec<Object>)]
    pub patch: serde_json::Value,
}

/// The items of a replay, oldest delivery first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReplayItems {
    pub items: Vec<ReplayItem>,
    /// Cursor of the next page; null on the last one.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReplayItem {
    pub delivery: String,
    /// `pending`, `sent`, `delivered`, `dead` or `skipped`.
    pub state: String,
    /// Why it was skipped or died.
    pub message: Option<String>,
}

/// Left out of a replay, and why.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Skipped {
    /// A newer one of the same key was delivered.
    pub newer: u64,
    /// Not dead.
    pub state: u64,
    /// The patch did not fit.
    pub patch: u64,
    /// An earlier dead letter of the same key is in the way.
    pub parked: u64,
}

/// A replay's progress, and in the end its report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Replay {
    pub id: String,
    /// `planned`, `running`, `paused`, `done`, `cancelled` or `stopped` (by itself: see `stopped_because`).
    pub state: String,
    pub mode: ReplayModeWord,
    /// Per second.
    pub rate: f64,
    pub canary: bool,
    pub newer: NewerWord,
    pub reason: Option<String>,
    pub created_at: Time,
    pub ended_at: Option<Time>,
    pub total: u64,
    /// Started so far, those that have ended among them.
    pub sent: u64,
    pub delivered: u64,
    /// Died again.
    pub dead: u64,
    pub skipped: Skipped,
    /// Taken back by an undo before they were sent.
    pub undone: u64,
    /// Null where there is no canary, or it has not ended.
    pub canary_ok: Option<bool>,
    /// For what has not started, at the rate set; null when not running.
    pub eta_seconds: Option<f64>,
    pub stopped_because: Option<String>,
}

/// Exactly one of `filter` and `ids`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardBody {
    /// At least one term. What is on its way or has ended otherwise than dead stays as it is.
    pub filter: Option<String>,
    /// Deliveries, at most 10,000.
    pub ids: Option<Vec<String>>,
    /// For the record; at most 500 characters.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Discarded {
    /// To undo it by.
    pub id: String,
    pub count: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Restored {
    pub id: String,
    /// What they were, and due now where they waited.
    pub restored: u64,
    /// Not sent any more: something newer of their key was delivered while they were discarded.
    pub superseded: u64,
}
