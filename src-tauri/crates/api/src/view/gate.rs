//! Gates: of a lane, and the most closed one of a system.

use std::collections::BTreeMap;

use signalbox_engine::gates::spans::ClosedSpan;
use signalbox_engine::gates::view::{BreakerView, EndpointView, LimitsView, QuotaView};
use signalbox_engine::view::{GateState, GateView};
use signalbox_model::breaker::State;
use signalbox_model::limits::{Concurrency, Limits};

use crate::dto::live::{Gate, GateWord};
use crate::dto::system::{
    BreakerFigure, BreakerWord, ConcurrencyFigure, Endpoint, EndpointWord, LimitsFigure, QuotaFigure,
    SystemDestination, SystemGate, WaitSpan,
};
use crate::dto::words::{duration_ms, one_decimal};

/// More than fit on any screen; the batch stays small.
const MOST_GATES: usize = 100;

impl From<GateState> for GateWord {
    fn from(state: GateState) -> Self {
        match state {
            GateState::Clear => Self::Clear,
            GateState::Closed => Self::Closed,
            GateState::Paused => Self::Paused,
        }
    }
}

/// Of one destination.
pub(crate) fn gate(view: &GateView) -> Gate {
    Gate {
        system: view.system.clone(),
        destination: Some(format!("{}/{}", view.integration, view.destination)),
        state: view.state.into(),
        reason: view.reason.map(Into::into),
        until: view.until.map(Into::into),
    }
}

/// The most closed of a system's gates; among equals the one that stays closed longest. That somebody paused one of its
/// destinations or an integration says nothing of the system.
pub(crate) fn worst<'a>(views: impl IntoIterator<Item = &'a GateView>) -> Option<&'a GateView> {
    let of_system = |view: &&GateView| view.state != GateState::Paused || view.system_paused;
    views.into_iter().filter(of_system).max_by_key(|view| {
        // No end known is later than any end.
        let closed = view.state != GateState::Clear;
        (GateWord::from(view.state), closed && view.until.is_none(), view.until)
    })
}

pub(crate) fn wait(span: ClosedSpan) -> WaitSpan {
    WaitSpan { reason: span.reason.into(), since: span.since.into(), until: span.until.map(Into::into) }
}

pub(crate) fn of_system(view: Option<&GateView>) -> SystemGate {
    let explain = view.map(|view| view.explain.clone()).filter(|explain| !explain.is_empty());
    SystemGate {
        state: view.map_or(GateWord::Clear, |view| view.state.into()),
        reason: view.and_then(|view| view.reason).map(Into::into),
        until: view.and_then(|view| view.until).map(Into::into),
        explain,
    }
}

pub(crate) fn of_destination(view: &GateView) -> SystemDestination {
    let Concurrency { min, max } = view.concurrency;
    SystemDestination {
        integration: view.integration.clone(),
        name: view.destination.clone(),
        concurrency: ConcurrencyFigure { now: view.places, min, max },
        paused: view.paused,
        gate: of_system(Some(view)),
    }
}

pub(crate) fn breaker(view: BreakerView, waiting: u64) -> BreakerFigure {
    let state = match view.state {
        None => BreakerWord::Off,
        Some(State::Closed) => BreakerWord::Closed,
        Some(State::Open) => BreakerWord::Open,
        Some(State::HalfOpen) => BreakerWord::HalfOpen,
        Some(State::HeldOpen) => BreakerWord::HeldOpen,
        Some(State::ForcedClosed) => BreakerWord::ForcedClosed,
    };
    let holds = matches!(state, BreakerWord::Open | BreakerWord::HalfOpen | BreakerWord::HeldOpen);
    BreakerFigure {
        state,
        reason: view.reason,
        since: view.since.map(Into::into),
        next_probe_at: view.next_probe_at.map(Into::into),
        waiting: if holds { waiting } else { 0 },
        calls: view.calls,
        failures: view.failures,
        window_ms: duration_ms(view.settings.window),
        ratio: view.settings.ratio,
        minimum: view.settings.minimum,
    }
}

pub(crate) fn limits(view: LimitsView) -> LimitsFigure {
    let Limits { per_second, burst, concurrent } = view.limits;
    LimitsFigure { per_second, burst, concurrent, in_flight: view.in_flight, waiting: view.waiting }
}

pub(crate) fn quota(view: QuotaView) -> QuotaFigure {
    QuotaFigure {
        name: view.name,
        source: view.source.to_owned(),
        limit: view.limit,
        remaining: view.remaining,
        window_ms: view.window.map(duration_ms),
        resets_at: view.resets_at.map(Into::into),
        per_minute: one_decimal(view.per_minute),
        runs_out_at: view.runs_out_at.map(Into::into),
        reserve: view.reserve,
        at: view.at.into(),
    }
}

pub(crate) fn endpoint(view: EndpointView) -> Endpoint {
    Endpoint {
        url: view.url,
        active: view.active,
        state: if view.failed_at.is_some() { EndpointWord::Failed } else { EndpointWord::Ok },
        failed_at: view.failed_at.map(Into::into),
        next_try_at: view.next_try_at.map(Into::into),
    }
}

/// One for each system, then those of destinations that differ from their system's others.
pub(crate) fn summary(views: &[GateView]) -> Vec<Gate> {
    let mut systems: BTreeMap<&str, Vec<&GateView>> = BTreeMap::new();
    for view in views {
        systems.entry(view.system.as_str()).or_default().push(view);
    }
    let mut gates = Vec::new();
    let mut exceptions = Vec::new();
    for lanes in systems.values() {
        let worst = worst(lanes.iter().copied());
        let state = worst.map_or(GateState::Clear, |worst| worst.state);
        if let Some(any) = worst.or(lanes.first().copied()) {
            let (reason, until) = worst.map_or((None, None), |worst| (worst.reason, worst.until));
            gates.push(Gate {
                destination: None,
                state: state.into(),
                reason: reason.map(Into::into),
                until: until.map(Into::into),
                ..gate(any)
            });
        }
        exceptions.extend(lanes.iter().filter(|lane| lane.state != state).map(|lane| gate(lane)));
    }
    gates.append(&mut exceptions);
    gates.truncate(MOST_GATES);
    gates
}

#[cfg(test)]
mod tests {
    use signalbox_model::{HeldReason, Timestamp};
    use signalbox_store::LaneId;

    use super::*;

    fn view(system: &str, destination: &str, state: GateState, until: Option<i64>) -> GateView {
        GateView {
            lane: LaneId(1),
            integration: "sync".to_owned(),
            destination: destination.to_owned(),
            system: system.to_owned(),
            state,
            reason: (state == GateState::Closed).then_some(HeldReason::Rate),
            since: None,
            until: until.map(Timestamp::from_secs),
            explain: String::new(),
            in_flight: 0,
            paused: false,
            system_paused: false,
            places: 8,
            concurrency: Concurrency::default(),
        }
    }

    #[test]
    fn a_system_shows_its_most_closed_gate_and_the_destinations_that_differ() {
        let views = [
            view("crm", "a", GateState::Clear, None),
            view("crm", "b", GateState::Closed, Some(50)),
            view("crm", "c", GateState::Closed, Some(90)),
            view("hubspot", "d", GateState::Clear, None),
        ];
        let shown: Vec<_> = summary(&views)
            .into_iter()
            .map(|gate| (gate.system, gate.destination, gate.state, gate.until.map(|until| until.0.as_secs())))
            .collect();
        assert_eq!(
            shown,
            [
                ("crm".to_owned(), None, GateWord::Closed, Some(90)),
                ("hubspot".to_owned(), None, GateWord::Clear, None),
                ("crm".to_owned(), Some("sync/a".to_owned()), GateWord::Clear, None),
            ]
        );
    }

    #[test]
    fn a_gate_without_a_known_end_is_worse_than_one_with() {
        let views = [view("crm", "a", GateState::Closed, Some(50)), view("crm", "b", GateState::Closed, None)];
        assert_eq!(worst(&views).map(|view| view.destination.as_str()), Some("b"));
    }

    #[test]
    fn a_paused_integration_does_not_show_its_system_as_paused() {
        let paused = view("crm", "a", GateState::Paused, None);
        assert_eq!(of_system(worst([&paused])).state, GateWord::Clear);
        let shown: Vec<_> =
            summary(std::slice::from_ref(&paused)).into_iter().map(|gate| (gate.destination, gate.state)).collect();
        assert_eq!(shown, [(None, GateWord::Clear), (Some("sync/a".to_owned()), GateWord::Paused)]);
        let all = GateView { system_paused: true, ..paused };
        assert_eq!(of_system(worst([&all])).state, GateWord::Paused);
    }
}
