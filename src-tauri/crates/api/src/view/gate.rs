//! Gates: of a lane, and the most closed one of a system.

use std::collections::BTreeMap;

use signalbox_engine::view::{GateState, GateView};

use crate::dto::live::{Gate, GateWord};
use crate::dto::system::SystemGate;

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

/// The most closed of a system's gates; among equals the one that stays closed longest.
pub(crate) fn worst<'a>(views: impl IntoIterator<Item = &'a GateView>) -> Option<&'a GateView> {
    views.into_iter().max_by_key(|view| {
        // No end known is later than any end.
        let closed = view.state != GateState::Clear;
        (GateWord::from(view.state), closed && view.until.is_none(), view.until)
    })
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

/// One for each system, then those of destinations that differ from their system's others.
pub(crate) fn summary(views: &[GateView]) -> Vec<Gate> {
    let mut systems: BTreeMap<&str, Vec<&GateView>> = BTreeMap::new();
    for view in views {
        systems.entry(view.system.as_str()).or_default().push(view);
    }
    let mut gates = Vec::new();
    let mut exceptions = Vec::new();
    for lanes in systems.values() {
        let Some(worst) = worst(lanes.iter().copied()) else { continue };
        gates.push(Gate { destination: None, ..gate(worst) });
        exceptions.extend(lanes.iter().filter(|lane| lane.state != worst.state).map(|lane| gate(lane)));
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
}
