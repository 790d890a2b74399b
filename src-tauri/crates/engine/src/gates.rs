//! Gates as people see them.

use std::sync::atomic::Ordering;

use signalbox_model::{HeldReason, Timestamp};

use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::LaneRuntime;
use crate::view::{GateState, GateView};

pub fn view(lane: &LaneRuntime, now: Timestamp) -> GateView {
    let (state, reason, since, until, explain) = match lane.verdict(now) {
        Verdict::Clear | Verdict::Probe => (GateState::Clear, None, None, None, String::new()),
        Verdict::Closed(closed) => {
            let state = if closed.reason == HeldReason::Pause { GateState::Paused } else { GateState::Closed };
            (state, Some(closed.reason), closed.since, closed.until, closed.explain)
        }
    };
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
    }
}
