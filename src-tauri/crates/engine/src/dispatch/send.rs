//! One attempt, from the open row to its committed outcome.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use signalbox_model::{AttemptId, HeldReason, Timestamp};
use signalbox_store::delivery::{AttemptRecord, Completed, Completion, Next, OpenDelivery};
use signalbox_store::lane::{GateScope, SavedGate};

use super::Dispatcher;
use super::gate::Verdict;
use super::lane::{LaneConfig, LaneRuntime, Permit};
use super::outcome::{Case, GateEffect, Judged, judge, judge_unsendable};
use crate::connect::Sender;
use crate::patience::until_taken;

impl Dispatcher {
    /// Holds `_permit` until the outcome is committed.
    pub(super) async fn send_one(
        self: Arc<Self>,
        lane: Arc<LaneRuntime>,
        open: OpenDelivery,
        _permit: Permit,
        probe: bool,
    ) {
        let config = lane.config.load_full();
        let Some(config) = config.as_ref() else {
            self.give_back(&lane, &open, probe).await;
            return;
        };
        let place = tokio::select! {
            place = config.places.take() => place,
            // Stopping: what is not on the wire yet goes back, so that the next start need not call it unknown.
            () = self.taking.cancelled() => None,
        };
        let Some(place) = place else {
            self.give_back(&lane, &open, probe).await;
            return;
        };
        // The gate may have closed while this one waited for its turn on the wire.
        if !probe && lane.plain_verdict(self.means.clock.now()) != Verdict::Clear {
            drop(place);
            self.give_back(&lane, &open, probe).await;
            return;
        }
        lane.in_flight.fetch_add(1, Ordering::Relaxed);
        let (completion, effect) = self.attempt(config, &open).await;
        lane.in_flight.fetch_sub(1, Ordering::Relaxed);
        drop(place);
        self.apply_gate(&lane, config, &effect, probe).await;
        self.finish(&lane, completion).await;
    }

    async fn attempt(&self, config: &LaneConfig, open: &OpenDelivery) -> (Completion, GateEffect) {
        let started_at = self.means.clock.now();
        let started = tokio::time::Instant::now();
        // `send_one` has checked that the destination exists; an empty default cannot be sent by accident.
        let outcome = match config.destination() {
            Some(destination) => {
                let sender = Sender {
                    system: &config.system,
                    destination,
                    secret: config.secret.as_ref(),
                    delivery: open.id,
                    revision: open.revision,
                    now: started_at,
                };
                match sender.outbound(&open.request) {
                    Ok(outbound) => {
                        let url = masked_url(&outbound.url, &config.system.auth);
                        (url, Ok(self.means.deliver.deliver(outbound).await), destination)
                    }
                    Err(error) => (config.system.base_url.to_string(), Err(error.to_string()), destination),
                }
            }
            None => return (self.lost_destination(open, started_at), GateEffect::None),
        };
        let (url, result, destination) = outcome;
        let ended_at = self.means.clock.now().max(started_at);
        let wait = result.as_ref().ok().and_then(|result| result.as_ref().ok()).map(|answer| answer.wait);
        let case = Case {
            integration: &config.integration,
            destination,
            system_title: &config.system.title,
            open,
            has_credential: config.system.auth.secret().is_some(),
            now: ended_at,
            chance: self.means.random.unit(),
        };
        let judged = match result {
            Ok(result) => judge(&case, result),
            Err(message) => judge_unsendable(&case, message),
        };
        let Judged { next, kind, status, error, response, gate } = judged;
        let attempt = AttemptRecord {
            id: AttemptId::from_bits(self.means.ids.next(started_at)),
            started_at,
            ended_at,
            status,
            kind,
            error,
            wait_us: wait.map(micros),
            total_us: micros(started.elapsed()),
            url,
            response,
        };
        (Completion { delivery: open.id, epoch: open.epoch, attempt, next }, gate)
    }

    /// A reload removed the destination between the check and the send: the row goes back, due now.
    fn lost_destination(&self, open: &OpenDelivery, now: Timestamp) -> Completion {
        let failure = signalbox_store::event::Failure {
            kind: signalbox_model::FailureKind::Network,
            stage: signalbox_model::Stage::Deliver,
            status: None,
            message: "the destination was removed while this request was being made".into(),
            group: signalbox_model::GroupId::from_bits(0),
            park: true,
        };
        Completion {
            delivery: open.id,
            epoch: open.epoch,
            attempt: AttemptRecord {
                id: AttemptId::from_bits(self.means.ids.next(now)),
                started_at: now,
                ended_at: now,
                status: None,
                kind: Some(failure.kind),
                error: Some(failure.message.clone()),
                wait_us: None,
                total_us: 0,
                url: String::new(),
                response: None,
            },
            next: Next::Wait { failure, due_at: now },
        }
    }

    async fn give_back(&self, lane: &LaneRuntime, open: &OpenDelivery, probe: bool) {
        if probe {
            lane.gate.lock().end_probe(self.means.clock.now());
        }
        let released = until_taken(|| self.means.store.release(vec![(open.id, open.epoch)])).await;
        if let Err(error) = released {
            tracing::warn!(delivery = %open.id, %error, "an unsent delivery stays open until the next start");
        }
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
                    gate.close_until(now, *until, *status).then(|| SavedGate {
                        scope: GateScope::Lane,
                        name: format!("{}/{}", lane.integration, lane.destination),
                        reason: HeldReason::Rate,
                        since: now,
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
            if let Err(error) = self.means.store.save_gate(saved, true).await {
                tracing::warn!(%error, "a Retry-After could not be saved; it holds until a restart");
            }
        }
        if !matches!(effect, GateEffect::None) || probe {
            lane.wake();
        }
    }

    /// The outcome must reach the ledger: a full queue is waited for.
    async fn finish(&self, lane: &LaneRuntime, completion: Completion) {
        let due = match &completion.next {
            Next::Retry { due_at, .. } | Next::Wait { due_at, .. } => Some(*due_at),
            Next::Delivered | Next::Dead(_) => None,
        };
        match until_taken(|| self.means.store.complete(completion.clone())).await {
            Ok(Completed::Applied { promoted }) => {
                if let Some(due) = due {
                    lane.note_due(due);
                }
                if promoted {
                    lane.nudge();
                }
            }
            Ok(Completed::Stale) => {}
            Err(error) => {
                tracing::error!(delivery = %completion.delivery, %error, "an outcome could not be written; the delivery is tried again after a restart");
            }
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An API key in the query must not reach the ledger.
fn masked_url(url: &str, auth: &signalbox_model::auth::Auth) -> String {
    use signalbox_model::auth::{ApiKeyPlace, Auth};
    let Auth::ApiKey { place: ApiKeyPlace::Query(name), .. } = auth else { return url.to_owned() };
    let Ok(mut parsed) = url::Url::parse(url) else { return String::new() };
    let pairs: Vec<(String, String)> = parsed
        .query_pairs()
        .map(|(key, value)| {
            let shown = if key == name.as_str() { super::outcome::MASK.to_owned() } else { value.into_owned() };
            (key.into_owned(), shown)
        })
        .collect();
    parsed.query_pairs_mut().clear().extend_pairs(pairs);
    parsed.into()
}
