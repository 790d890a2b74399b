//! A lane at work: one destination of one integration, with its own queue, permits and gate, so that a dead
//! destination with a long backlog moves nobody else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use secrecy::SecretString;
use signalbox_model::{DeliveryId, Timestamp};
use signalbox_store::LaneId;
use signalbox_workspace::{Batch, Destination, Integration, System};
use tokio::sync::{Notify, watch};

use super::batch::Linger;
use super::gate::{Closed, Gate, Verdict};
use super::window::Window;
use crate::gates::concurrency::Places;
use crate::gates::{Probing, SystemRuntime};

/// The longest sleep: a clock that jumps or a machine that slept is noticed within it.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// What the workspace says of the lane now; replaced as a whole on reload.
pub struct LaneConfig {
    pub integration: Arc<Integration>,
    /// Which of the integration's destinations.
    pub index: usize,
    pub system: Arc<System>,
    /// Those that are set, the newest first.
    pub secrets: Vec<SecretString>,
    /// The destination's `concurrency`: requests on the wire.
    pub places: Arc<Places>,
    /// What it shares with every other lane to the system.
    pub gates: Arc<SystemRuntime>,
}

impl LaneConfig {
    pub fn destination(&self) -> Option<&Destination> {
        self.integration.destinations.get(self.index)
    }

    pub fn batch(&self) -> Option<&Batch> {
        self.destination()?.batch.as_ref()
    }
}

pub struct LaneRuntime {
    pub id: LaneId,
    pub integration: String,
    pub destination: String,
    /// `None`: the destination is not in the workspace.
    pub config: ArcSwap<Option<LaneConfig>>,
    pub gate: Mutex<Gate>,
    pub linger: Linger,
    pub(super) window: Window,
    wake: Notify,
    /// Ready rows may exist that no attempt was opened for.
    pub(super) backlog: AtomicBool,
    /// Told when a backlog begins.
    pub(super) overtaken: Notify,
    /// Rows of a backlog are being opened.
    pub(super) claiming: AtomicBool,
    /// The earliest known due time, microseconds; `i64::MAX`: none.
    next_due: AtomicI64,
    /// No row waits that a breaker's probe could be made of before it is due.
    nothing_early: AtomicBool,
    pub expiry: Mutex<Expiry>,
    /// Replays' deliveries were left where they are when the lane last looked.
    replays_waited: AtomicBool,
    pub in_flight: AtomicU32,
    /// Deliveries may wait since an outage before the start, of which nobody knows whether it is over.
    outage: AtomicBool,
    /// The delivery that was brought forward after the start, to find that out; until it was tried.
    restart_probe: Mutex<Option<DeliveryId>>,
    /// The last answers' times, newest last, for the panel's "last ok".
    pub last_ok: Mutex<VecDeque<Timestamp>>,
}

/// How far the walk is that looks for too old rows behind an open breaker. It is made in parts, since they may be a
/// million and the ledger has others to serve.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expiry {
    /// When it goes on, or begins anew.
    pub next_at: Timestamp,
    /// Where it goes on; none: it begins with the oldest.
    pub after: Option<DeliveryId>,
    /// When the oldest round began of those that it has left.
    pub oldest: Option<Timestamp>,
    /// Those that it has ended.
    pub ended: u64,
}

/// The right to be the one delivery that tries a closed gate.
pub struct Probe {
    /// It tries a credential that was refused.
    pub credential: bool,
    /// It tries a system whose breaker is open.
    pub breaker: Option<Probing>,
}

impl LaneRuntime {
    pub fn new(id: LaneId, integration: String, destination: String) -> Self {
        Self {
            id,
            integration,
            destination,
            config: ArcSwap::from_pointee(None),
            // Closed until the workspace has said what it is.
            gate: Mutex::new(Gate { removed_since: Some(Timestamp::default()), ..Gate::default() }),
            linger: Linger::default(),
            window: Window::default(),
            wake: Notify::new(),
            backlog: AtomicBool::new(true),
            overtaken: Notify::new(),
            claiming: AtomicBool::new(false),
            next_due: AtomicI64::new(i64::MAX),
            nothing_early: AtomicBool::new(false),
            expiry: Mutex::default(),
            replays_waited: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            outage: AtomicBool::new(false),
            restart_probe: Mutex::new(None),
            last_ok: Mutex::new(VecDeque::with_capacity(1)),
        }
    }

    pub fn system_name(&self) -> Option<String> {
        self.config.load().as_ref().as_ref().map(|config| config.system.name.clone())
    }

    /// Titles for sentences.
    pub fn titles(&self) -> (String, String) {
        match self.config.load().as_ref() {
            Some(config) => (config.system.title.clone(), config.integration.title.clone()),
            None => (self.destination.clone(), self.integration.clone()),
        }
    }

    /// What this lane may do now: its own gate, and its system's.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        match self.plain_verdict(now) {
            // Titles are only needed for the sentence of a closed gate.
            Verdict::Closed(closed) if closed.explain.is_empty() => {
                let (system, integration) = self.titles();
                self.gate.lock().verdict(now, &system, &integration)
            }
            verdict => verdict,
        }
    }

    /// As [`LaneRuntime::verdict`], with no sentence where the lane's own gate is closed.
    pub fn plain_verdict(&self, now: Timestamp) -> Verdict {
        let config = self.config.load();
        let system = config.as_ref().as_ref().map_or(Verdict::Clear, |config| config.gates.verdict(now));
        if let Verdict::Closed(_) = system {
            return system;
        }
        match self.gate.lock().verdict(now, "", "") {
            Verdict::Closed(closed) => Verdict::Closed(Closed { explain: String::new(), ..closed }),
            Verdict::Clear => system,
            Verdict::Probe => Verdict::Probe,
        }
    }

    /// What keeps replays' deliveries waiting while live ones go.
    pub fn replays_wait(&self, now: Timestamp) -> Option<Closed> {
        self.config.load().as_ref().as_ref().and_then(|config| config.gates.replays_wait(now))
    }

    /// Where they waited and need not any more, there is work that nobody told of.
    pub fn look_at_replays(&self, now: Timestamp) {
        let waits = self.replays_wait(now).is_some();
        if self.replays_waited.swap(waits, Ordering::AcqRel) && !waits {
            self.backlog.store(true, Ordering::Release);
        }
    }

    /// Takes the right to try a closed gate; `None`: another delivery has it.
    pub fn begin_probe(&self, now: Timestamp) -> Option<Probe> {
        let config = self.config.load();
        let system = config.as_ref().as_ref().map(|config| &config.gates);
        let breaker = match system.filter(|system| system.verdict(now) == Verdict::Probe) {
            Some(system) => Some(system.begin_probe(now)?),
            None => None,
        };
        let mut gate = self.gate.lock();
        let credential = gate.refused.is_some();
        (!credential || gate.begin_probe()).then_some(Probe { credential, breaker })
    }

    /// Told of every change of its system's gates from now on.
    pub fn watch_system(&self) -> Option<watch::Receiver<u64>> {
        self.config.load().as_ref().as_ref().map(|config| config.gates.watch())
    }

    /// Whether a breaker's probe may be made of a row that is not due yet.
    pub fn may_probe_early(&self) -> bool {
        self.next_due.load(Ordering::Acquire) != i64::MAX && !self.nothing_early.load(Ordering::Acquire)
    }

    /// None of the rows here may be brought forward; until there are others.
    pub fn has_nothing_early(&self) {
        self.nothing_early.store(true, Ordering::Release);
    }

    pub fn suppose_outage(&self, outage: bool) {
        self.outage.store(outage, Ordering::Release);
    }

    /// Something was confirmed. True where that ends a supposed outage.
    pub fn end_outage(&self) -> bool {
        self.outage.swap(false, Ordering::AcqRel)
    }

    pub fn restart_probe(&self) -> Option<DeliveryId> {
        *self.restart_probe.lock()
    }

    pub fn probe_after_restart(&self, delivery: Option<DeliveryId>) {
        *self.restart_probe.lock() = delivery;
    }

    /// A row became ready that nobody sends yet.
    pub fn nudge(&self) {
        self.backlog.store(true, Ordering::Release);
        self.overtaken.notify_waiters();
        self.nothing_early.store(false, Ordering::Release);
        self.wake.notify_one();
    }

    /// A commit made so many rows ready.
    pub fn ready(&self, rows: u32) {
        self.linger.told(rows);
        self.nudge();
    }

    /// The gate may have changed: look again.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    pub fn note_due(&self, due_at: Timestamp) {
        let due = due_at.as_micros();
        if self.next_due.fetch_min(due, Ordering::AcqRel) > due {
            self.wake.notify_one();
        }
    }

    /// Called before claiming: what is learnt during the claim counts from here.
    pub fn begin_claim(&self) {
        self.claiming.store(true, Ordering::Release);
        self.backlog.store(false, Ordering::Release);
        self.next_due.store(i64::MAX, Ordering::Release);
    }

    /// What was claimed has been told of.
    pub fn end_claim(&self) {
        self.claiming.store(false, Ordering::Release);
    }

    pub fn has_work(&self, now: Timestamp) -> bool {
        self.backlog.load(Ordering::Acquire) || self.next_due.load(Ordering::Acquire) <= now.as_micros()
    }

    /// Until something changes here or in the system's gates, `until` passes, or the next row is due.
    pub async fn wait(&self, now: Timestamp, until: Option<Timestamp>, system: Option<watch::Receiver<u64>>) {
        let due = Timestamp::from_micros(self.next_due.load(Ordering::Acquire));
        // A closed gate's time alone counts while it is closed: due rows cannot go before it.
        let next = until.unwrap_or(due);
        let sleep = next.since(now).min(LONGEST_SLEEP).max(Duration::from_millis(1));
        let changed = async {
            if let Some(mut system) = system
                && system.changed().await.is_ok()
            {
                return;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = self.wake.notified() => {}
            () = changed => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}
