//! Systems.

use serde::Serialize;
use utoipa::ToSchema;

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
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Systems {
    pub items: Vec<System>,
    pub next: Option<String>,
}
