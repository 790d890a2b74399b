//! Dispatch: due time, key order, gate, concurrency → an open attempt → the request → its outcome in one commit.

mod attempt;
mod batch;
mod condition;
pub mod gate;
pub mod lane;
pub mod outcome;
mod send;

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
use lane::{LaneRuntime, Permit};

/// The most rows one claim opens.
const CLAIM: usize = 64;

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
        self.sends.spawn(async move { dispatcher.send_load(lane, Load::alone(open, permit), None, false).await });
    }

    async fn run(self: Arc<Self>, lane: Arc<LaneRuntime>) {
        loop {
            tokio::select! {
                () = self.taking.cancelled() => return,
                () = self.turn(&lane) => {}
            }
        }
    }

    /// One turn of a lane's loop: wait for work, claim it, hand it out.
    async fn turn(self: &Arc<Self>, lane: &Arc<LaneRuntime>) {
        let now = self.means.clock.now();
        let most = match lane.verdict(now) {
            Verdict::Closed(closed) => {
                // A time that has passed already (a probe is under way) opens nothing: wait to be woken.
                let until = closed.until.filter(|until| *until > now).unwrap_or(NEVER);
                lane.wait(now, Some(until)).await;
                return;
            }
            Verdict::Probe => 1,
            Verdict::Clear => CLAIM,
        };
        if !lane.has_work(now) {
            lane.wait(now, None).await;
            return;
        }
        let probe = most == 1;
        let config = lane.config.load_full();
        if let Some(batch) = config.as_ref().as_ref().and_then(|config| config.batch()) {
            let linger = if probe { None } else { lane.linger.until(now, batch) };
            return self.turn_batch(lane, now, batch.max, linger, probe).await;
        }
        if probe && !lane.gate.lock().begin_probe() {
            return;
        }
        let permits = lane.reserve(most).await;
        // From here the turn must not be dropped half way: rows that were opened must be sent or released.
        let dispatcher = self.clone();
        let lane = lane.clone();
        let claimed = self.sends.spawn(async move { dispatcher.claim(lane, permits, probe).await }).await;
        if claimed.is_err() {
            tracing::error!("claiming deliveries stopped unexpectedly; the lane goes on");
        }
    }

    async fn claim(self: &Arc<Self>, lane: Arc<LaneRuntime>, permits: Vec<Permit>, probe: bool) {
        let limit = u32::try_from(permits.len()).unwrap_or(1);
        let Some(rows) = self.open_due(&lane, limit, probe).await else { return };
        for (row, permit) in rows.into_iter().zip(permits) {
            let (dispatcher, lane, load) = (self.clone(), lane.clone(), Load::alone(row, permit));
            self.sends.spawn(async move { dispatcher.send_load(lane, load, None, probe).await });
        }
    }

    /// Opens attempts for what is due, and tells the lane what is left. `None`: the ledger could not be asked.
    async fn open_due(&self, lane: &LaneRuntime, limit: u32, probe: bool) -> Option<Vec<OpenDelivery>> {
        let now = self.means.clock.now();
        lane.begin_claim();
        let batch = match self.means.store.open_due(lane.id, limit, now).await {
            Ok(batch) => batch,
            Err(error) => {
                if !matches!(error, StoreError::Closed) {
                    tracing::warn!(lane = lane.id.0, %error, "claiming due deliveries failed; trying again in 1 s");
                }
                lane.nudge();
                if probe {
                    lane.gate.lock().end_probe(now.plus(Duration::from_secs(1)));
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                return None;
            }
        };
        if let Some(due) = batch.next_due {
            lane.note_due(due);
        }
        if batch.rows.len() == limit as usize {
            lane.nudge();
        }
        if probe && batch.rows.is_empty() {
            lane.gate.lock().end_probe(now);
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
