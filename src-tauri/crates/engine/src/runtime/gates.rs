//! Gates as they are now and as they were: what a person sees of them, and what filters mean by "held".

use std::time::Duration;

use signalbox_model::HeldReason;
use signalbox_model::breaker::State;
use signalbox_store::StoreError;
use signalbox_store::lane::{GateScope, GateSpan};
use signalbox_store::read::ClosedGates;

use super::Runtime;
use crate::dispatch::gate::Verdict;
use crate::gates::spans::{self, BySystem, ClosedSpan};
use crate::gates::view::SystemView;
use crate::view::{Credential, GateView, PauseScope};

impl Runtime {
    pub fn gates(&self) -> Vec<GateView> {
        let now = self.means.clock.now();
        self.dispatcher.lanes().iter().map(|lane| crate::gates::view::lane(lane, now)).collect()
    }

    /// The gates that a system's lanes share; `None`: there is no such system.
    pub fn system_gates(&self, system: &str) -> Option<SystemView> {
        self.systems.get(system).map(|system| system.view(self.means.clock.now()))
    }

    /// When something had to wait for a system over the last `window`. Of what is written down as closed still, only what
    /// is: a breaker that was switched off in its file holds nothing any more.
    pub async fn closed_spans(&self, window: Duration) -> Result<BySystem, StoreError> {
        let now = self.means.clock.now();
        let from = now.minus(window);
        let spans = self.means.store.gate_spans(from).await?;
        let lanes: Vec<_> = self.dispatcher.lanes();
        let lanes: Vec<_> = lanes
            .iter()
            .filter_map(|lane| Some((lane.integration.clone(), lane.destination.clone(), lane.system_name()?)))
            .collect();
        let mut by_system = BySystem::new();
        for span in spans.iter().filter(|span| span.until.is_some() || self.is_closed_still(span)) {
            for system in spans::before(span.scope, &span.name, &lanes) {
                // One that is closed still began in the past, whatever the clock was then.
                let since = if span.until.is_none() { span.since.min(now) } else { span.since };
                let closed = ClosedSpan { reason: span.reason, since, until: span.until };
                by_system.entry(system).or_default().push(closed);
            }
        }
        Ok(by_system.into_iter().map(|(system, closed)| (system, spans::merged(closed, from))).collect())
    }

    fn is_closed_still(&self, span: &GateSpan) -> bool {
        let name = span.name.clone();
        let paused = match span.scope {
            GateScope::System if span.reason == HeldReason::Breaker => {
                let state = self.system_gates(&name).and_then(|gates| gates.breaker.state);
                return matches!(state, Some(State::Open | State::HalfOpen | State::HeldOpen));
            }
            GateScope::System => PauseScope::System(name),
            GateScope::Integration => PauseScope::Integration(name),
            GateScope::Lane => {
                let Some((integration, destination)) = name.split_once('/') else { return false };
                PauseScope::Destination { integration: integration.to_owned(), destination: destination.to_owned() }
            }
        };
        self.is_paused(&paused)
    }

    pub fn closed_gates(&self) -> ClosedGates {
        let now = self.means.clock.now();
        let mut closed = ClosedGates::default();
        for lane in self.dispatcher.lanes() {
            match lane.plain_verdict(now) {
                Verdict::Closed(gate) => {
                    closed.lanes.insert(lane.id, gate.reason);
                }
                Verdict::Clear | Verdict::Probe if lane.replays_wait(now).is_some() => {
                    closed.to_replays.insert(lane.id);
                }
                Verdict::Clear | Verdict::Probe => {}
            }
        }
        closed
    }

    /// `None`: there is no such system.
    pub fn credential(&self, system: &str) -> Option<Credential> {
        let workspace = self.workspace();
        let auth = &workspace.systems.get(system)?.auth;
        let Some(secret) = auth.secret().map(ToString::to_string) else { return Some(Credential::None) };
        for lane in self.dispatcher.lanes() {
            if lane.system_name().as_deref() != Some(system) {
                continue;
            }
            let gate = lane.gate.lock();
            if gate.missing_secret.is_some() {
                return Some(Credential::Missing { secret });
            }
            if let Some(refused) = &gate.refused {
                return Some(Credential::Refused { secret, at: refused.since });
            }
        }
        Some(Credential::Ok { secret })
    }
}
