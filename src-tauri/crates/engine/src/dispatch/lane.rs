//! A lane at work: one destination of one integration, with its own queue, permits and gate, so that a dead
//! destination with a long backlog moves nobody else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use secrecy::SecretString;
use signalbox_model::Timestamp;
use signalbox_store::LaneId;
use signalbox_workspace::{Batch, Destination, Integration, System};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::batch::Linger;
use super::gate::{Closed, Gate, Verdict};
use crate::gates::SystemRuntime;
use crate::gates::concurrency::{Place, Places};

/// Attempts that may be open ahead of the destination's own `concurrency`: while a batch commits, the next sends are
/// already allowed, so that the disk's sync does not idle the destination.
pub const WINDOW: usize = 128;

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
    window: Arc<Semaphore>,
    wake: Notify,
    /// Ready rows may exist that no attempt was opened for.
    backlog: AtomicBool,
    /// The earliest known due time, microseconds; `i64::MAX`: none.
    next_due: AtomicI64,
    pub in_flight: AtomicU32,
    /// The last answers' times, newest last, for the panel's "last ok".
    pub last_ok: Mutex<VecDeque<Timestamp>>,
}

/// Permission to have one attempt open; given back when its outcome is committed.
pub struct Permit {
    _permit: OwnedSemaphorePermit,
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
            window: Arc::new(Semaphore::new(WINDOW)),
            wake: Notify::new(),
            backlog: AtomicBool::new(true),
            next_due: AtomicI64::new(i64::MAX),
            in_flight: AtomicU32::new(0),
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

    /// For a row that is about to be inserted: a permit, if nothing waits before it and the gate is clear.
    pub fn try_reserve(&self, now: Timestamp) -> Option<Permit> {
        // A batch is opened when it goes.
        if self.backlog.load(Ordering::Acquire)
            || self.config.load().as_ref().as_ref().is_some_and(|to| to.batch().is_some())
        {
            return None;
        }
        if self.plain_verdict(now) != Verdict::Clear {
            return None;
        }
        let permit = self.window.clone().try_acquire_owned().ok()?;
        Some(Permit { _permit: permit })
    }

    /// Up to `most` permits, at least one (waits for it).
    pub async fn reserve(&self, most: usize) -> Vec<Permit> {
        let mut permits = Vec::new();
        // The semaphore is never closed; if it were, there would be nothing to send.
        let Ok(first) = self.window.clone().acquire_owned().await else { return permits };
        permits.push(Permit { _permit: first });
        while permits.len() < most {
            let Ok(more) = self.window.clone().try_acquire_owned() else { break };
            permits.push(Permit { _permit: more });
        }
        permits
    }

    /// A row became ready that nobody sends yet.
    pub fn nudge(&self) {
        self.backlog.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// A commit made so many rows ready.
    pub fn ready(&self, rows: u32) {
        self.linger.told(rows);
        self.nudge();
    }

    /// A place on the wire; none where the destination was removed.
    pub async fn place(&self) -> Option<Place> {
        let places = self.config.load().as_ref().as_ref()?.places.clone();
        places.take().await
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
        self.backlog.store(false, Ordering::Release);
        self.next_due.store(i64::MAX, Ordering::Release);
    }

    pub fn has_work(&self, now: Timestamp) -> bool {
        self.backlog.load(Ordering::Acquire) || self.next_due.load(Ordering::Acquire) <= now.as_micros()
    }

    /// Until something changes, `until` passes, or the next row is due.
    pub async fn wait(&self, now: Timestamp, until: Option<Timestamp>) {
        let due = Timestamp::from_micros(self.next_due.load(Ordering::Acquire));
        // A closed gate's time alone counts while it is closed: due rows cannot go before it.
        let next = until.unwrap_or(due);
        let sleep = next.since(now).min(LONGEST_SLEEP).max(Duration::from_millis(1));
        tokio::select! {
            () = self.wake.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}
