//! Systems.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::integration::WorkspaceProblem;
use super::live::GateWord;
use super::words::{Reason, Time};

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct System {
    pub name: String,
    pub title: String,
    pub base_url: String,
    /// The kind of its authentication.
    pub auth: String,
    pub credential: CredentialFigure,
    /// The most closed one among its destinations.
    pub gate: SystemGate,
    /// Deliveries to it that have not ended.
    pub queue: u64,
    pub oldest_age_ms: Option<u64>,
    /// Over the last hour.
    pub p95_ms: Option<f64>,
    pub last_ok_at: Option<Time>,
    pub in_flight: u32,
    pub destinations: Vec<SystemDestination>,
    /// It is one of the sandbox's.
    pub simulated: bool,
    /// Somebody paused the system itself.
    pub paused: bool,
    pub breaker: BreakerFigure,
    /// Null where none are set.
    pub limits: Option<LimitsFigure>,
    /// When something had to wait for it over the last hour, the oldest first.
    pub waits: Vec<WaitSpan>,
    /// As the system's own answers said last.
    pub quotas: Vec<QuotaFigure>,
    /// `base_url` first; one entry without failover.
    pub endpoints: Vec<Endpoint>,
    /// What is wrong with its file.
    pub problems: Vec<WorkspaceProblem>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitSpan {
    /// `breaker`, `rate` (it asked to wait) or `pause`.
    pub reason: Reason,
    pub since: Time,
    /// Null: until something or somebody opens it. May be in the future.
    pub until: Option<Time>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BreakerFigure {
    pub state: BreakerWord,
    /// Why it is not simply closed.
    pub reason: Option<String>,
    pub since: Option<Time>,
    /// While open. A time that has passed: the next delivery is the probe, or it is on its way.
    pub next_probe_at: Option<Time>,
    /// Deliveries behind it; 0 while it is closed.
    pub waiting: u64,
    /// Within the window.
    pub calls: u32,
    /// Of these, those that count against the system: `server`, `network`, `unknown`.
    pub failures: u32,
    pub window_ms: u64,
    pub ratio: f64,
    pub minimum: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerWord {
    Closed,
    Open,
    /// One delivery is tried.
    HalfOpen,
    /// By a person.
    HeldOpen,
    /// By a person.
    ForcedClosed,
    /// Switched off in the system's file.
    Off,
}

/// What a person makes of a breaker.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldBreaker {
    pub state: HoldWord,
    /// Why, for the log and for others; at most 500 characters.
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldWord {
    /// Nothing goes to the system until somebody says otherwise.
    Open,
    /// Everything goes, whatever fails.
    Closed,
    /// By itself again, beginning closed.
    Auto,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitsFigure {
    pub per_second: Option<f64>,
    pub burst: Option<u32>,
    pub concurrent: Option<u32>,
    pub in_flight: u32,
    /// Requests that wait for their turn.
    pub waiting: u32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QuotaFigure {
    pub name: String,
    /// The header that said so.
    pub source: String,
    pub limit: Option<u64>,
    pub remaining: u64,
    pub window_ms: Option<u64>,
    pub resets_at: Option<Time>,
    /// Used, a moving average.
    pub per_minute: f64,
    /// At that pace; null where it resets before.
    pub runs_out_at: Option<Time>,
    /// Kept for live traffic: replays wait at it.
    pub reserve: Option<u64>,
    /// When the system said so.
    pub at: Time,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Endpoint {
    pub url: String,
    /// Deliveries go there now.
    pub active: bool,
    pub state: EndpointWord,
    pub failed_at: Option<Time>,
    /// When one delivery tries it again.
    pub next_try_at: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndpointWord {
    Ok,
    Failed,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CredentialFigure {
    pub state: CredentialState,
    /// The secret's name.
    pub secret: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialState {
    Ok,
    Missing,
    /// It needs none.
    None,
    /// The system answered 401 to it.
    Refused,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SystemGate {
    pub state: GateWord,
    pub reason: Option<Reason>,
    pub until: Option<Time>,
    pub explain: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SystemDestination {
    pub integration: String,
    pub name: String,
    pub concurrency: ConcurrencyFigure,
    /// Somebody paused this destination itself.
    pub paused: bool,
    pub gate: SystemGate,
}

/// Requests on the wire at one time.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ConcurrencyFigure {
    pub now: u32,
    pub min: u32,
    pub max: u32,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Systems {
    pub items: Vec<System>,
    pub next: Option<String>,
}
