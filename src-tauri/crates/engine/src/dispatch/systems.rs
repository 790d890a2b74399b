//! What the end of a call means for its system, and what follows from that for the rows that wait.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::breaker::Change;
use signalbox_model::{DeliveryId, FailureKind, HeldReason, Stage, Timestamp};
use signalbox_store::StoreError;

use super::Dispatcher;
use super::attempt::{Called, Heard};
use super::lane::{Expiry, LaneConfig, LaneRuntime};
use crate::gates::{Chosen, Ended, Probing, Switch, SystemRuntime};
use crate::patience::until_taken;

/// Rows of one commit that are brought forward after an outage, or let go of because they are too old.
const AT_ONCE: u32 = 500;
/// How often rows behind an open breaker are looked through for old ones, at the least.
const LOOK: Duration = Duration::from_secs(60);
/// Between two parts of that: the ledger serves others meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

impl Dispatcher {
    pub(super) async fn settle_system(
        self: &Arc<Self>,
        config: &LaneConfig,
        chosen: &Chosen,
        called: &Called,
        probe: Option<Probing>,
    ) {
        let nothing = Heard::default();
        let heard = called.heard.as_ref().unwrap_or(&nothing);
        if heard.left {
            config.places.learn(heard.took, called.kind);
        }
        self.settle(config, chosen, called.kind, heard, probe).await;
    }

    /// A call ended, as `kind` or well: what its system's gates make of it.
    pub(super) async fn settle(
        self: &Arc<Self>,
        config: &LaneConfig,
        chosen: &Chosen,
        kind: Option<FailureKind>,
        heard: &Heard,
        probe: Option<Probing>,
    ) {
        let Heard { left, last, away, readings, .. } = heard;
        let longest = config.destination().map(|destination| destination.retry.max_age).unwrap_or_default();
        let away = away.map(|away| away.min(longest));
        let ended = Ended { chosen, kind, sent: *left, last, away, readings: readings.clone() };
        let settled = config.gates.settle(self.means.clock.now(), ended, probe);
        let system = &config.system.name;
        match &settled.switched {
            Some(Switch::FailedOver { from, to }) => {
                tracing::warn!(system, %from, %to, last, "an endpoint failed; deliveries go to the next one");
            }
            Some(Switch::FailedBack { to }) => {
                tracing::info!(system, %to, "an endpoint is back; deliveries go there again")
            }
            None => {}
        }
        match settled.breaker {
            Some(Change::Opened { calls, failures }) => {
                tracing::warn!(system, calls, failures, last, "the breaker opened; deliveries wait and use no tries");
            }
            Some(Change::StaysOpen) => tracing::info!(system, last, "the breaker's probe failed; it stays open"),
            Some(Change::Closed) => tracing::info!(system, "the breaker closed; what waits goes on"),
            None => {}
        }
        if settled.save_breaker {
            self.save_breaker(&config.gates).await;
        }
        if matches!(settled.breaker, Some(Change::Closed)) || settled.switched.is_some() {
            self.catch_up(system);
        }
    }

    async fn save_breaker(&self, system: &SystemRuntime) {
        let store = &self.means.store;
        let write = || system.save_breaker(|gate, step| store.save_gate(gate, step));
        // Waited for: nobody would say it again.
        if let Err(error) = until_taken(|| Box::pin(write())).await {
            tracing::warn!(system = system.name, %error, "a breaker could not be saved; it holds until a restart");
        }
    }

    /// After an outage: what waited out a long time for it goes now, and begins with few at a time.
    pub fn catch_up(self: &Arc<Self>, system: &str) {
        let lanes = self.lanes().into_iter().filter(|lane| lane.system_name().as_deref() == Some(system));
        for lane in lanes {
            if let Some(config) = lane.config.load().as_ref() {
                config.places.start_small();
            }
            self.bring_all_forward(lane);
        }
    }

    /// At a start: whether an outage is over that an earlier run met, nobody knows. One of the lane's deliveries that
    /// wait for their next try goes at once, and uses no try where the outage lasts; once anything is confirmed, the
    /// others follow. What fails later waits as ever. Before the lane's first claim, so that the one is known when it goes.
    pub(super) async fn try_after_restart(&self, lane: &LaneRuntime) {
        let now = self.means.clock.now();
        match until_taken(|| self.means.store.bring_forward(lane.id, 1, now)).await {
            Ok(brought) => {
                lane.suppose_outage(!brought.is_empty());
                lane.probe_after_restart(brought.first().copied());
            }
            Err(error) => tracing::warn!(%error, "a lane waits for its next try as before the restart"),
        }
    }

    pub(super) fn bring_all_forward(self: &Arc<Self>, lane: Arc<LaneRuntime>) {
        let dispatcher = self.clone();
        self.sends.spawn(async move { dispatcher.bring_forward(&lane).await });
    }

    async fn bring_forward(&self, lane: &LaneRuntime) {
        while !self.taking.is_cancelled() {
            let now = self.means.clock.now();
            match until_taken(|| self.means.store.bring_forward(lane.id, AT_ONCE, now)).await {
                Ok(moved) => {
                    lane.nudge();
                    if moved.len() < AT_ONCE as usize {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "deliveries could not be brought forward; they go when they are due");
                    return;
                }
            }
        }
    }

    /// The clock was set back by `by`: gates and rows that wait for a time follow it.
    pub async fn follow_clock_back(&self, by: Duration) {
        for lane in self.lanes() {
            lane.gate.lock().follow_clock_back(by, self.means.clock.now());
            let mut after = None;
            loop {
                let now = self.means.clock.now();
                let moved = until_taken(|| self.means.store.follow_clock_back(lane.id, after, by, AT_ONCE, now)).await;
                match moved {
                    Ok(Some(last)) if !self.taking.is_cancelled() => after = Some(last),
                    Ok(_) => break,
                    Err(error) => {
                        tracing::warn!(%error, "waiting deliveries could not follow the clock");
                        break;
                    }
                }
            }
            *lane.expiry.lock() = Expiry::default();
            lane.nudge();
        }
    }

    /// Behind an open breaker deliveries end, too, when they have become older than their `max_age`. One part of them;
    /// answers when to go on, where there is more to look at.
    pub(super) async fn let_old_ones_go(
        &self,
        lane: &LaneRuntime,
        reason: HeldReason,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if reason != HeldReason::Breaker {
            return None;
        }
        let walk = *lane.expiry.lock();
        if walk.next_at > now {
            return walk.after.map(|_| walk.next_at);
        }
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        let destination = config.destination()?;
        let max_age = destination.retry.max_age;
        let title = &config.system.title;
        let message = format!("{title} could not be reached for longer than max_age allows; no request was under way");
        let (stage, kind) = (Stage::Deliver, FailureKind::Network);
        let failure = super::outcome::failure(&config.integration, destination, stage, kind, None, message);
        let too_old = now.minus(max_age);
        let store = &self.means.store;
        let expired = async {
            let found = store.too_old(lane.id, too_old, walk.after, AT_ONCE).await?;
            if found.ids.is_empty() {
                return Ok((found, 0));
            }
            let ended = store.expire(found.ids.clone(), too_old, failure, now).await?;
            Ok::<_, StoreError>((found, ended))
        };
        let (found, count) = match expired.await {
            Ok(expired) => expired,
            Err(error) => {
                tracing::warn!(%error, "deliveries that are too old could not be ended; tried again in a moment");
                return None;
            }
        };
        let ended = walk.ended + count;
        let oldest = walk.oldest.into_iter().chain(found.oldest).min();
        // Those that were promoted stand among the ones that were looked through.
        let next = if count > 0 { walk.after.or(Some(DeliveryId::from_bits(0))) } else { found.next };
        if next.is_some() {
            let next_at = self.means.clock.now().plus(PAUSE);
            *lane.expiry.lock() = Expiry { next_at, after: next, oldest, ended };
            return Some(next_at);
        }
        if ended > 0 {
            let (integration, destination) = (&lane.integration, &lane.destination);
            tracing::warn!(integration, destination, count = ended, "deliveries became too old while they waited");
        }
        // A row that comes meanwhile may be older than those that were looked at: it was accepted long ago.
        let next = oldest.map_or(now.plus(max_age), |oldest| oldest.plus(max_age));
        let next_at = next.min(now.plus(LOOK)).max(now.plus(PAUSE));
        *lane.expiry.lock() = Expiry { next_at, ..Expiry::default() };
        None
    }
}
