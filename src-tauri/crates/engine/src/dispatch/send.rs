//! From open attempts to their committed outcome: a place on the wire, the gate, the request, the ledger.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use signalbox_model::{HeldReason, Timestamp};
use signalbox_store::delivery::{Completed, Completion, Next, OpenDelivery};
use signalbox_store::lane::{GateScope, GateStep, SavedGate};

use super::Dispatcher;
use super::attempt::{Called, Ends, Load, To};
use super::gate::Verdict;
use super::lane::{LaneConfig, LaneRuntime, Probe};
use super::outcome::GateEffect;
use crate::gates::concurrency::Place;
use crate::patience::until_taken;

impl Dispatcher {
    /// Holds the load's permit until the outcome is committed. `place`: on the wire, where one is held already.
    pub(super) async fn send_load(
        self: Arc<Self>,
        lane: Arc<LaneRuntime>,
        mut load: Load,
        place: Option<Place>,
        probe: Option<Probe>,
    ) {
        let place = tokio::select! {
            biased;
            place = self.on_the_wire(&lane, &mut load, place) => place,
            // Stopping: what is not on the wire yet goes back, so that the next start need not call it unknown.
            () = self.taking.cancelled() => None,
        };
        let config = lane.config.load_full();
        // A reload may have removed the destination meanwhile.
        let target = config.as_ref().as_ref().and_then(|config| Some((config, config.destination()?)));
        let (Some(place), Some((config, destination))) = (place, target) else {
            self.give_back(&lane, &load.rows, probe).await;
            return;
        };
        // The gate may have closed while this one waited for its turn on the wire.
        let now = self.means.clock.now();
        if probe.is_none() && lane.plain_verdict(now) != Verdict::Clear {
            drop(place);
            self.give_back(&lane, &load.rows, probe).await;
            return;
        }
        if config.gates.replays_wait(now).is_some() {
            let replayed = load.rows.extract_if(.., |open| open.replay.is_some()).collect::<Vec<_>>();
            if load.rows.is_empty() {
                drop(place);
                self.give_back(&lane, &replayed, probe).await;
                return;
            }
            if !replayed.is_empty() {
                self.give_back(&lane, &replayed, None).await;
            }
        }
        let chosen = config.gates.choose(now);
        let tries_system = chosen.trying || probe.as_ref().is_some_and(|probe| probe.breaker.is_some());
        let to = To { chosen, tries_system, restart_probe: lane.restart_probe() };
        lane.in_flight.fetch_add(1, Ordering::Relaxed);
        let called = match (&destination.batch, load.rows.as_slice()) {
            (None, [open]) => self.attempt_one(config, destination, open, &to).await,
            (Some(batch), rows) => self.attempt_batch(config, destination, batch, rows, &to).await,
            // It no longer takes batches: each goes alone.
            (None, rows) => Called::again(rows.iter().map(|row| Load::together(vec![row.clone()])).collect()),
        };
        lane.in_flight.fetch_sub(1, Ordering::Relaxed);
        drop((place, load.turn.take()));
        tracing::trace!(lane = lane.id.0, kind = ?called.kind, "a request ended");
        let credential = probe.as_ref().is_some_and(|probe| probe.credential);
        // First what the answer asked of this lane: a breaker that closes lets its lanes go at once.
        self.apply_gate(&lane, config, &called.effect, credential).await;
        self.settle_system(config, &to.chosen, &called, probe.and_then(|probe| probe.breaker)).await;
        if called.ends.completions().iter().any(|end| to.restart_probe == Some(end.delivery)) {
            lane.probe_after_restart(None);
        }
        if called.ends.confirmed() && lane.end_outage() {
            self.bring_all_forward(lane.clone());
        }
        self.finish(&lane, called.ends).await;
    }

    /// A place, and a turn under the system's limits where the load has none yet.
    async fn on_the_wire(&self, lane: &LaneRuntime, load: &mut Load, place: Option<Place>) -> Option<Place> {
        let place = match (place, &load.turn) {
            (Some(place), _) => place,
            (None, Some(_)) => return lane.place().await,
            (None, None) => {
                let (place, turn) = lane.place_and_turn().await?;
                load.turn = turn;
                return Some(place);
            }
        };
        if load.turn.is_none() {
            load.turn = lane.turn().await;
        }
        Some(place)
    }

    async fn give_back(&self, lane: &LaneRuntime, rows: &[OpenDelivery], probe: Option<Probe>) {
        if let Some(probe) = &probe {
            self.end_credential_probe(lane, probe, self.means.clock.now());
        }
        let opened: Vec<_> = rows.iter().map(|open| (open.id, open.epoch)).collect();
        if let Err(error) = until_taken(|| self.means.store.release(opened.clone())).await {
            tracing::warn!(?opened, %error, "unsent deliveries stay open until the next start");
        }
        drop(probe);
        lane.nudge();
    }

    async fn apply_gate(&self, lane: &LaneRuntime, config: &LaneConfig, effect: &GateEffect, probe: bool) {
        let now = self.means.clock.now();
        let saved = {
            let mut gate = lane.gate.lock();
            match effect {
                GateEffect::None => {
                    if probe {
                        gate.end_probe(now.plus(super::outcome::CREDENTIAL_PROBE));
                    }
                    None
                }
                GateEffect::CredentialWorks => {
                    gate.refused = None;
                    None
                }
                GateEffect::CredentialRefused { probe_at } => {
                    gate.refuse(now, *probe_at);
                    None
                }
                GateEffect::RetryAfter { until, status } => {
                    if probe {
                        gate.refused = None;
                    }
                    let changed = gate.close_until(now, *until, *status) && *until > now;
                    // A wait that is made longer began before.
                    let since = gate.retry_after.as_ref().map_or(now, |wait| wait.since);
                    changed.then(|| SavedGate {
                        scope: GateScope::Lane,
                        name: format!("{}/{}", lane.integration, lane.destination),
                        reason: HeldReason::Rate,
                        since,
                        until: Some(*until),
                        explain: status.to_string(),
                    })
                }
            }
        };
        if *effect == GateEffect::CredentialWorks {
            let mut last = lane.last_ok.lock();
            last.clear();
            last.push_back(now);
        }
        if let Some(saved) = saved {
            tracing::info!(
                integration = lane.integration, destination = lane.destination, system = config.system.name,
                until = %saved.until.unwrap_or(now), "the destination asked to wait; its gate is closed until then"
            );
            if let Err(error) = self.means.store.save_gate(saved, GateStep::Closes).await {
                tracing::warn!(%error, "a Retry-After could not be saved; it holds until a restart");
            }
        }
        if !matches!(effect, GateEffect::None) || probe {
            lane.wake();
        }
    }

    /// The outcome must reach the ledger: a full queue is waited for.
    async fn finish(self: &Arc<Self>, lane: &Arc<LaneRuntime>, ends: Ends) {
        let store = &self.means.store;
        let (dues, completed) = match ends {
            Ends::Alone(end) => {
                let completed = until_taken(|| store.complete((*end).clone())).await.map(|one| vec![one]);
                (vec![due(&end)], completed)
            }
            Ends::Together(batch) => {
                let completed = until_taken(|| store.complete_batch(batch.clone())).await;
                (batch.completions.iter().map(due).collect(), completed)
            }
            Ends::Again(loads) => {
                for load in loads {
                    let (dispatcher, lane) = (self.clone(), lane.clone());
                    self.sends.spawn(async move { dispatcher.send_again(lane, load).await });
                }
                return;
            }
        };
        match completed {
            Ok(completed) => {
                for (due, completed) in dues.into_iter().zip(completed) {
                    let Completed::Applied { promoted } = completed else { continue };
                    if let Some(due) = due {
                        lane.note_due(due);
                    }
                    if promoted {
                        lane.nudge();
                    }
                }
            }
            Err(error) => {
                tracing::error!(
                    integration = lane.integration, destination = lane.destination, %error,
                    "an outcome could not be written; its deliveries are tried again after a restart"
                );
            }
        }
    }

    /// Boxed, since a load that is sent again may be split again.
    fn send_again(self: Arc<Self>, lane: Arc<LaneRuntime>, load: Load) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.send_load(lane, load, None, None))
    }
}

/// When the delivery is due again.
fn due(end: &Completion) -> Option<Timestamp> {
    match &end.next {
        Next::Retry { due_at, .. } | Next::Wait { due_at, .. } => Some(*due_at),
        Next::Delivered | Next::Dead(_) => None,
    }
}
