//! Dispatch: due time, key order, gate, concurrency → an open attempt → the request → its outcome in one commit.

mod ask;
mod attempt;
mod batch;
mod condition;
pub mod gate;
pub mod lane;
pub mod outcome;
pub mod permit;
mod send;
mod systems;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use signalbox_model::{Clock, IdSource, Random, Timestamp};
use signalbox_store::delivery::OpenDelivery;
use signalbox_store::{LaneId, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect::Deliver;
use attempt::Load;
use gate::Verdict;
use lane::{LaneRuntime, Probe};
use permit::Permit;

/// The most rows one claim opens.
const CLAIM: usize = 64;

/// How soon a lane looks again that lost the race for a probe.
const PROBE_LOOK: Duration = Duration::from_millis(100);

const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What every lane needs of the rest of the program.
pub struct Means {
    pub store: Arc<dyn Store>,
    pub deliver: Arc<dyn Deliver>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub ids: Arc<IdSource>,
}

pub struct Dispatcher {
    means: Arc<Means>,
    lanes: RwLock<BTreeMap<LaneId, Arc<LaneRuntime>>>,
    /// Lane loops; no new claims after it is cancelled.
    taking: CancellationToken,
    loops: TaskTracker,
    sends: TaskTracker,
}

impl Dispatcher {
    pub fn new(means: Arc<Means>) -> Arc<Self> {
        Arc::new(Self {
            means,
            lanes: RwLock::new(BTreeMap::new()),
            taking: CancellationToken::new(),
            loops: TaskTracker::new(),
            sends: TaskTracker::new(),
        })
    }

    pub fn lane(&self, id: LaneId) -> Option<Arc<LaneRuntime>> {
        self.lanes.read().get(&id).cloned()
    }

    pub fn lanes(&self) -> Vec<Arc<LaneRuntime>> {
        self.lanes.read().values().cloned().collect()
    }

    /// Adds a lane and starts its loop; an existing one is returned as it is.
    pub fn ensure(self: &Arc<Self>, id: LaneId, integration: &str, destination: &str) -> Arc<LaneRuntime> {
        if let Some(lane) = self.lane(id) {
            return lane;
        }
        let lane = Arc::new(LaneRuntime::new(id, integration.to_owned(), destination.to_owned()));
        self.lanes.write().insert(id, lane.clone());
        let dispatcher = self.clone();
        let looping = lane.clone();
        self.loops.spawn(async move { dispatcher.run(looping).await });
        lane
    }

    /// Sends a delivery whose attempt the ledger holds open.
    pub fn send(self: &Arc<Self>, lane: Arc<LaneRuntime>, open: OpenDelivery, permit: Permit) {
        let dispatcher = self.clone();
        self.sends.spawn(async move { dispatcher.send_load(lane, Load::alone(open, permit), None, None).await });
    }

    async fn run(self: Arc<Self>, lane: Arc<LaneRuntime>) {
        tokio::select! {
            biased;
            () = self.taking.cancelled() => return,
            () = self.try_after_restart(&lane) => {}
        }
        loop {
            tokio::select! {
                biased;
                () = self.taking.cancelled() => return,
                () = self.turn(&lane) => {}
            }
        }
    }

    /// One turn of a lane's loop: wait for work, claim it, hand it out.
    async fn turn(self: &Arc<Self>, lane: &Arc<LaneRuntime>) {
        let now = self.means.clock.now();
        // Before the gate is read, so that no change is missed between that and the wait.
        let changes = lane.watch_system();
        let verdict = lane.plain_verdict(now);
        if let Verdict::Closed(closed) = verdict {
            let more = self.let_old_ones_go(lane, closed.reason, now).await;
            // A time that has passed already (a probe is under way) opens nothing: wait to be woken.
            let until = closed.until.filter(|until| *until > now).into_iter().chain(more).min().unwrap_or(NEVER);
            lane.wait(now, Some(until), changes).await;
            return;
        }
        lane.look_at_replays(now);
        let probes = verdict == Verdict::Probe;
        // A breaker's probe is made of a row that is not due yet, where no other is there.
        let early = !lane.has_work(now);
        if early && !(probes && lane.may_probe_early()) {
            lane.wait(now, None, changes).await;
            return;
        }
        let config = lane.config.load_full();
        if let Some(batch) = config.as_ref().as_ref().and_then(|config| config.batch()) {
            if let Some(until) = if probes { None } else { lane.linger.until(now, batch) } {
                lane.wait(now, Some(until), changes).await;
                return;
            }
            return self.turn_batch(lane, batch.max, early).await;
        }
        let probe = match probes {
            true => match self.begin_probe(lane, now, early) {
                Some(probe) => Some(probe),
                None => {
                    lane.wait(now, Some(now.plus(PROBE_LOOK)), changes).await;
                    return;
                }
            },
            false => None,
        };
        let permits = lane.reserve(if probe.is_some() { 1 } else { CLAIM }).await;
        // From here the turn must not be dropped half way: rows that were opened must be sent or released.
        let dispatcher = self.clone();
        let lane = lane.clone();
        let claimed = self.sends.spawn(async move { dispatcher.claim(lane, permits, probe, early).await }).await;
        if claimed.is_err() {
            tracing::error!("claiming deliveries stopped unexpectedly; the lane goes on");
        }
    }

    async fn claim(
        self: &Arc<Self>,
        lane: Arc<LaneRuntime>,
        permits: Vec<Permit>,
        mut probe: Option<Probe>,
        early: bool,
    ) {
        let limit = u32::try_from(permits.len()).unwrap_or(1);
        let rows = self.open_due(&lane, limit, probe.as_ref(), early).await.unwrap_or_default();
        let mut permits = permits.into_iter();
        for row in rows {
            let Some(permit) = permits.next() else { break };
            let (dispatcher, lane, load) = (self.clone(), lane.clone(), Load::alone(row, permit));
            let probe = probe.take();
            self.sends.spawn(async move { dispatcher.send_load(lane, load, None, probe).await });
        }
        permits.for_each(Permit::unused);
    }

    /// The right to try a closed gate. A row that is not due yet tries only a breaker: a credential has its own time.
    fn begin_probe(&self, lane: &LaneRuntime, now: Timestamp, early: bool) -> Option<Probe> {
        let probe = lane.begin_probe(now)?;
        if early && probe.breaker.is_none() {
            self.end_credential_probe(lane, &probe, now);
            return None;
        }
        Some(probe)
    }

    /// A probe of a credential ended without an answer about it; the next may go at `next_at`.
    fn end_credential_probe(&self, lane: &LaneRuntime, probe: &Probe, next_at: Timestamp) {
        if probe.credential {
            lane.gate.lock().end_probe(next_at);
        }
    }

    /// Opens attempts for what is due, and tells the lane what is left. `None`: the ledger could not be asked.
    async fn open_due(
        &self,
        lane: &LaneRuntime,
        limit: u32,
        probe: Option<&Probe>,
        early: bool,
    ) -> Option<Vec<OpenDelivery>> {
        lane.begin_claim();
        let rows = self.ask_for_due(lane, limit, probe, early).await;
        lane.end_claim();
        rows
    }

    async fn ask_for_due(
        &self,
        lane: &LaneRuntime,
        limit: u32,
        probe: Option<&Probe>,
        early: bool,
    ) -> Option<Vec<OpenDelivery>> {
        let now = self.means.clock.now();
        let replays = lane.replays_wait(now);
        let opened = async {
            if early {
                self.means.store.bring_forward(lane.id, 1, now).await?;
            }
            match &replays {
                None => self.means.store.open_due(lane.id, limit, now).await,
                Some(_) => self.means.store.open_live_due(lane.id, limit, now).await,
            }
        };
        let batch = match opened.await {
            Ok(batch) => batch,
            Err(error) => {
                if !matches!(error, StoreError::Closed) {
                    tracing::warn!(lane = lane.id.0, %error, "claiming due deliveries failed; trying again in 1 s");
                }
                lane.nudge();
                if let Some(probe) = probe {
                    self.end_credential_probe(lane, probe, now.plus(Duration::from_secs(1)));
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                return None;
            }
        };
        // Replays go on when a quota is filled up, or when what it said is too old to be believed.
        for due in batch.next_due.into_iter().chain(replays.and_then(|closed| closed.until)) {
            lane.note_due(due);
        }
        if batch.rows.len() == limit as usize {
            lane.nudge();
        }
        if batch.rows.is_empty() {
            if let Some(probe) = probe {
                self.end_credential_probe(lane, probe, now);
            }
            if early {
                lane.has_nothing_early();
            }
        }
        Some(batch.rows)
    }

    /// No attempt is opened any more; those that are not on the wire yet go back.
    pub fn stop_claiming(&self) {
        self.taking.cancel();
    }

    /// After [`Dispatcher::stop_claiming`]: waits for what is on the wire.
    pub async fn drain(&self) {
        self.loops.close();
        self.sends.close();
        self.loops.wait().await;
        self.sends.wait().await;
    }
}
