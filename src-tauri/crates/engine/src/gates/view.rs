//! Gates as people see them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_model::breaker::State;
use signalbox_model::limits::{BreakerSettings, Limits};
use signalbox_model::{HeldReason, Timestamp};

use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::LaneRuntime;
use crate::view::{GateState, GateView};

/// Everything about one system's gates.
#[derive(Clone, Debug)]
pub struct SystemView {
    pub breaker: BreakerView,
    /// `None`: none are set.
    pub limits: Option<LimitsView>,
    pub quotas: Vec<QuotaView>,
    /// `base_url` first; one entry without failover.
    pub endpoints: Vec<EndpointView>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BreakerView {
    /// `None`: it is off.
    pub state: Option<State>,
    /// One sentence, unless it is simply closed.
    pub reason: Option<String>,
    pub since: Option<Timestamp>,
    pub next_probe_at: Option<Timestamp>,
    /// Within the window.
    pub calls: u32,
    pub failures: u32,
    /// The defaults where it is off.
    pub settings: BreakerSettings,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitsView {
    pub limits: Limits,
    pub in_flight: u32,
    /// Requests of all lanes that wait for their turn.
    pub waiting: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct QuotaView {
    pub name: String,
    /// The header that said so.
    pub source: &'static str,
    pub limit: Option<u64>,
    pub remaining: u64,
    pub window: Option<Duration>,
    pub resets_at: Option<Timestamp>,
    /// Used per minute, a moving average.
    pub per_minute: f64,
    /// At that pace; `None`: not before it resets.
    pub runs_out_at: Option<Timestamp>,
    /// Kept for live traffic.
    pub reserve: Option<u64>,
    /// When the header came.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    pub url: String,
    pub active: bool,
    pub failed_at: Option<Timestamp>,
    /// When one delivery tries it again.
    pub next_try_at: Option<Timestamp>,
}

/// Of one lane.
pub fn lane(lane: &LaneRuntime, now: Timestamp) -> GateView {
    let (state, reason, since, until, explain) = match lane.verdict(now) {
        Verdict::Clear | Verdict::Probe => (GateState::Clear, None, None, None, String::new()),
        Verdict::Closed(closed) => {
            let state = if closed.reason == HeldReason::Pause { GateState::Paused } else { GateState::Closed };
            (state, Some(closed.reason), closed.since, closed.until, closed.explain)
        }
    };
    let config = lane.config.load();
    let places = config.as_ref().as_ref().map(|config| &config.places);
    GateView {
        lane: lane.id,
        integration: lane.integration.clone(),
        destination: lane.destination.clone(),
        system: lane.system_name().unwrap_or_default(),
        state,
        reason,
        since,
        until,
        explain,
        in_flight: lane.in_flight.load(Ordering::Relaxed),
        paused: lane.gate.lock().destination_paused_since.is_some(),
        system_paused: config.as_ref().as_ref().is_some_and(|config| config.gates.is_paused()),
        places: places.map_or(0, |places| places.now()),
        concurrency: places.map(|places| places.settings()).unwrap_or_default(),
    }
}
