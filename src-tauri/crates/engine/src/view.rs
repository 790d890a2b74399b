//! What the runtime shows of itself: the types that the API reads.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use signalbox_model::limits::Concurrency;
use signalbox_model::replay::{NewerPolicy, ReplayMode};
use signalbox_model::{DeliveryId, HeldReason, ReplayId, Stage, Timestamp};
use signalbox_store::read::Selection;
use signalbox_store::{LaneId, StoreError};

pub use crate::diff::FieldChange;

/// What a lane's system allows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GateState {
    Clear,
    Closed,
    Paused,
}

#[derive(Clone, Debug)]
pub struct GateView {
    pub lane: LaneId,
    pub integration: String,
    pub destination: String,
    pub system: String,
    pub state: GateState,
    pub reason: Option<HeldReason>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// One sentence for people; empty when clear.
    pub explain: String,
    pub in_flight: u32,
    /// This destination itself is paused, whatever its integration and its system are.
    pub paused: bool,
    /// Its whole system is paused.
    pub system_paused: bool,
    /// Requests that may be on the wire at one time now; 0 where the destination was removed.
    pub places: u32,
    pub concurrency: Concurrency,
}

/// What a delivery waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitsFor {
    pub reason: HeldReason,
    /// Where it is known.
    pub until: Option<Timestamp>,
    /// How many go before it.
    pub ahead: Option<u64>,
}

/// Where a delivery stands and why.
#[derive(Clone, Debug)]
pub struct Explained {
    /// One sentence or two.
    pub text: String,
    pub waits_for: Option<WaitsFor>,
}

/// Who is paused or resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PauseScope {
    System(String),
    Integration(String),
    Destination { integration: String, destination: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The system needs none.
    None,
    Ok {
        secret: String,
    },
    Missing {
        secret: String,
    },
    /// The system answered 401 to it.
    Refused {
        secret: String,
        at: Timestamp,
    },
}

/// What a person asks a replay to do.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    pub target: ReplayTarget,
    pub mode: ReplayMode,
    /// Per second; `None`: 5, or what the plan said.
    pub rate: Option<f64>,
    pub canary: bool,
    pub newer: NewerPolicy,
    pub reason: Option<String>,
    /// A new body for exactly one delivery.
    pub edit: Option<Vec<u8>>,
    /// JSON text of an RFC 6902 patch for the body that each of the set would send.
    pub patch: Option<String>,
}

#[derive(Clone, Debug)]
pub enum ReplayTarget {
    Selection(Selection),
    /// A plan made earlier: its frozen set.
    Plan(ReplayId),
}

#[derive(Clone, Debug)]
pub struct ReplayPlan {
    pub id: ReplayId,
    pub count: u64,
    /// (integration, destination, count)
    pub by_destination: Vec<(String, String, u64)>,
    pub skipped_newer: u64,
    pub skipped_state: u64,
    pub with_key: u64,
    /// The most closed gate among the destinations.
    pub gate: Option<GateView>,
    /// At the planned rate, once the gate allows.
    pub seconds: f64,
    pub samples: Vec<SampleRequest>,
    /// `None`: there is no patch.
    pub patch: Option<PatchCheck>,
}

/// What a patch fits, over the part of the set that there was time for.
#[derive(Clone, Debug, Default)]
pub struct PatchCheck {
    pub fits: u64,
    pub misfits: u64,
    pub checked: u64,
    /// Misfits and why; the first few.
    pub examples: Vec<(DeliveryId, String)>,
}

/// A request exactly as it would go out, credentials masked.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    pub delivery: DeliveryId,
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// It would not be sent: why. Such an item would stay dead.
    pub fails: Option<String>,
    /// Against the bytes that were sent last.
    pub changes: Vec<FieldChange>,
    /// What the system holds now; `None`: the destination does not say how to read it.
    pub current: Option<CurrentRecord>,
}

impl SampleRequest {
    pub(crate) fn empty(delivery: DeliveryId) -> Self {
        Self {
            delivery,
            method: String::new(),
            url: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            fails: None,
            changes: Vec::new(),
            current: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct CurrentRecord {
    pub status: Option<u16>,
    pub readable: bool,
    /// Why it cannot be compared, or what is special about it; one sentence.
    pub reason: Option<String>,
    /// What the request would change of it, among the fields that the request has.
    pub diff: Vec<FieldChange>,
}

impl CurrentRecord {
    pub(crate) fn unreadable(status: Option<u16>, reason: String) -> Self {
        Self { status, readable: false, reason: Some(reason), diff: Vec::new() }
    }
}

/// Something that happened to a delivery as a whole.
#[derive(Clone, Debug)]
pub struct LineageStep {
    pub at: Timestamp,
    /// `accepted`, `retried`, `replayed`, `edited`, `remapped`, `superseded`, `discarded`, `restored`
    pub what: &'static str,
    /// Of the replay or discard.
    pub id: Option<String>,
    pub text: String,
}

/// What changed files would make of stored events.
#[derive(Debug, Default)]
pub struct Preview {
    /// The version that the changed files would be; empty where they are wrong.
    pub version: String,
    pub problems: Vec<signalbox_workspace::Problem>,
    /// Events that were looked at.
    pub events: u64,
    /// False: the time ended before all of them were.
    pub complete: bool,
    /// Event × destination; the counts below add up to it.
    pub checked: u64,
    pub same: u64,
    pub changed: u64,
    pub new_failures: u64,
    pub mended: u64,
    pub filtered: u64,
    pub examples: Vec<PreviewExample>,
    pub took: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewOutcome {
    Changed,
    NewFailure,
    Mended,
    NowFiltered,
    NowSent,
}

impl PreviewOutcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::NewFailure => "new-failure",
            Self::Mended => "mended",
            Self::NowFiltered => "now-filtered",
            Self::NowSent => "now-sent",
        }
    }
}

#[derive(Clone, Debug)]
pub struct PreviewExample {
    pub event: signalbox_model::EventId,
    pub destination: String,
    pub outcome: PreviewOutcome,
    /// Bodies, by their beginning.
    pub before: Option<String>,
    pub after: Option<String>,
    /// Why it fails now, or failed before it was mended, or which step filters it.
    pub error: Option<String>,
    pub diff: Vec<FieldChange>,
}

/// An event that a person makes for an integration.
#[derive(Clone, Debug)]
pub struct TestEvent {
    pub body: String,
    pub content_type: String,
    /// Value by name.
    pub headers: BTreeMap<String, String>,
}

/// What would become of a test event.
#[derive(Debug)]
pub struct DryRun {
    /// How many events the source makes of it; `events` has the first of them.
    pub count: usize,
    pub events: Vec<TriedEvent>,
}

#[derive(Debug)]
pub struct TriedEvent {
    pub event_type: Option<String>,
    pub key: Option<String>,
    /// By which repeats of it are known.
    pub source_id: Option<String>,
    pub content_type: Option<String>,
    pub notes: Vec<String>,
    /// In the order of the integration's file.
    pub destinations: Vec<TriedDelivery>,
}

#[derive(Debug)]
pub struct TriedDelivery {
    pub destination: String,
    /// Empty where the destination is being taken out of the workspace.
    pub system: String,
    pub outcome: TriedOutcome,
}

#[derive(Debug)]
pub enum TriedOutcome {
    /// Credentials are masked.
    Send {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: Bytes,
        /// What it would have to wait for now; one sentence.
        waits: Option<String>,
    },
    Filtered {
        step: String,
    },
    Dead {
        stage: Stage,
        message: String,
    },
}

/// One line of a delivery's trace.
#[derive(Clone, Debug)]
pub struct TraceStep {
    /// `received`, `verified`, then each step's kind, `request`, and the attempts are not repeated here.
    pub step: String,
    pub at: Option<Timestamp>,
    pub took: Option<Duration>,
    /// `ok`, `failed`, `filtered`, `skipped`
    pub outcome: &'static str,
    pub detail: String,
    /// JSON text, capped at 64 KiB; recomputed now, since steps are pure and versions are kept.
    pub input: Option<String>,
    pub output: Option<String>,
}

/// Why an action of a person was not done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no {what} named '{name}'")]
    Missing { what: &'static str, name: String },
    /// Its file has had errors since the start.
    #[error("integrations/{0}.toml has errors, so that nothing is taken for it")]
    Broken(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    WrongState(String),
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}
