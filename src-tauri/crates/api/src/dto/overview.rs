//! The overview: is anything wrong, and where.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::words::{Kind, Time};

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Overview {
    pub at: Time,
    pub from: Time,
    pub to: Time,
    pub bucket_seconds: u64,
    pub delivered: DeliveredFigure,
    pub failing: FailingFigure,
    pub queue: QueueFigure,
    pub dead_letters: DeadFigure,
    pub last_failure_at: Option<Time>,
    pub series: Series,
    /// Accepted to confirmed, over the window.
    pub latency_ms: Percentiles,
    /// Worst first.
    pub integrations: Vec<IntegrationRow>,
    /// Newest first, at most 20; only what the ledger knows.
    pub activity: Vec<Activity>,
    pub rates: Rates,
    pub process: Process,
    pub ledger: super::live::LedgerState,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DeliveredFigure {
    pub count: u64,
    /// Delivered or dead in the window.
    pub ended: u64,
    /// `count` of `ended`.
    pub rate: Option<f64>,
    /// Of the window before.
    pub previous_rate: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct FailingFigure {
    /// Integrations that fail or do not run.
    pub integrations: u64,
    pub of: u64,
    /// Failed attempts in the window.
    pub attempts: u64,
    pub top_kind: Option<Kind>,
    pub top_status: Option<u16>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueFigure {
    /// Deliveries that have not ended.
    pub depth: u64,
    pub oldest_age_ms: Option<u64>,
    /// Those that wait for something other than their turn, by reason; replays behind a quota's reserve up to 10,000.
    pub held_by: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DeadFigure {
    pub count: u64,
    pub groups: u64,
    pub new_in_window: u64,
}

/// Equal buckets of the window, oldest first; the last one is not over yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Series {
    pub start: Time,
    pub bucket_seconds: u64,
    pub accepted: Vec<u64>,
    pub attempts: Vec<u64>,
    pub delivered: Vec<u64>,
    pub dead: Vec<u64>,
    /// Failed attempts by kind.
    pub failures: Failures,
    pub latency_ms: PercentileSeries,
    /// Null where nobody measured: the program did not run.
    pub queue_depth: Vec<Option<u64>>,
    pub oldest_age_ms: Vec<Option<u64>>,
}

#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Failures {
    pub rejected: Vec<u64>,
    pub rate: Vec<u64>,
    pub auth: Vec<u64>,
    pub mapping: Vec<u64>,
    pub server: Vec<u64>,
    pub network: Vec<u64>,
    pub unknown: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Percentiles {
    pub p50: Option<f64>,
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PercentileSeries {
    pub p50: Vec<Option<f64>>,
    pub p95: Vec<Option<f64>>,
    pub p99: Vec<Option<f64>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntegrationRow {
    pub name: String,
    pub title: String,
    /// The source's kind.
    pub source: String,
    pub destinations: Vec<String>,
    pub state: IntegrationState,
    pub delivered: u64,
    /// Delivered or dead in the window.
    pub ended: u64,
    pub rate: Option<f64>,
    pub p95_ms: Option<f64>,
    pub queue: u64,
    /// Dead letters now.
    pub dead: u64,
    /// Per bucket of the window.
    pub accepted: Vec<u64>,
    /// Failed attempts per bucket of the window.
    pub failed: Vec<u64>,
}

/// Worst first. Failing: in the last 5 minutes something died, or attempts failed and under 95 % were confirmed. Slow: p95 of the
/// last 5 minutes over 2 s. Idle: nothing came in the window and nothing waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IntegrationState {
    /// Its file has errors and no earlier version runs.
    Broken,
    Failing,
    Paused,
    Slow,
    Healthy,
    Idle,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Activity {
    pub at: Time,
    /// `dead`, `replay`, `gate` or `pause`.
    pub kind: String,
    pub text: String,
    /// The deliveries that it is about.
    pub filter: Option<String>,
}

/// Per second, over the last seconds.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Rates {
    pub in_per_s: f64,
    pub out_per_s: f64,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Process {
    /// Of one core.
    pub cpu_percent: f64,
    pub rss_bytes: u64,
    pub uptime_ms: u64,
    pub ledger_bytes: u64,
}
