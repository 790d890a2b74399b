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
use tokio::time::Instant;

use super::batch::Linger;
use super::gate::{Closed, Gate, Verdict};
use super::window::{OpenPlace, Window};
use crate::gates::concurrency::{Place, Places};
use crate::gates::{Limiter, Probing, SystemRuntime, Turn};

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
    window: Window,
    wake: Notify,
    /// Ready rows may exist that no attempt was opened for.
    backlog: AtomicBool,
    /// Told when a backlog begins.
    overtaken: Notify,
    /// Rows of a backlog are being opened.
    claiming: AtomicBool,
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

/// Permission to have one attempt open; given back when its outcome is committed.
pub struct Permit {
    _place: OpenPlace,
    /// Its turn under the system's limits, where there are any.
    pub turn: Option<Turn>,
}

impl Permit {
    /// Nothing was opened with it.
    pub fn unused(self) {
        if let Some(turn) = self.turn {
            turn.unused();
        }
    }
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

    /// For a row that is about to be inserted: a permit, if nothing waits before it and the gate is clear.
    ///
    /// Where only the window is full, waits for a place in it, at most until `patience` ends: a row that waits in the
    /// ledger costs a claim, and all rows after it wait behind it. So senders that are a little faster than the
    /// destination are slowed down a little, instead of building up a backlog that takes power from its own reduction.
    pub async fn reserve_direct(&self, now: Timestamp, patience: Instant) -> Option<Permit> {
        if !self.goes_direct(now) {
            return None;
        }
        let place = match self.window.try_take() {
            Some(place) => place,
            None => self.wait_for_place(now, patience).await?,
        };
        let turn = match self.limiter() {
            Some(limiter) => Some(limiter.try_turn()?),
            None => None,
        };
        Some(Permit { _place: place, turn })
    }

    /// Ends early when a backlog begins: whoever comes then waits in the ledger, and must not get past who was here first.
    async fn wait_for_place(&self, now: Timestamp, patience: Instant) -> Option<OpenPlace> {
        let overtaken = self.overtaken.notified();
        tokio::pin!(overtaken);
        overtaken.as_mut().enable();
        // What was left over from a backlog is being claimed: it took the places, so there is no waiting for some.
        if self.claiming.load(Ordering::Acquire) || !self.goes_direct(now) {
            return None;
        }
        tokio::select! {
            biased;
            () = overtaken => None,
            place = self.window.take(patience) => place.filter(|_| self.goes_direct(now)),
        }
    }

    fn goes_direct(&self, now: Timestamp) -> bool {
        // A batch is opened when it goes.
        let batches = || self.config.load().as_ref().as_ref().is_some_and(|to| to.batch().is_some());
        !self.backlog.load(Ordering::Acquire) && !batches() && self.plain_verdict(now) == Verdict::Clear
    }

    fn limiter(&self) -> Option<Arc<Limiter>> {
        self.config.load().as_ref().as_ref().and_then(|config| config.gates.limiter())
    }

    /// Waits for a turn under the system's limits. `None`: it has none.
    pub async fn turn(&self) -> Option<Turn> {
        loop {
            // The limits may be changed while it waits: then it asks the new ones.
            if let Some(turn) = self.limiter()?.turn().await {
                return Some(turn);
            }
        }
    }

    /// Up to `most` permits, at least one (waits for it).
    pub async fn reserve(&self, most: usize) -> Vec<Permit> {
        let mut places = self.window.take_together(most).await.into_iter();
        let Some(first) = places.next() else { return Vec::new() };
        let mut permits = vec![Permit { _place: first, turn: self.turn().await }];
        let limiter = self.limiter();
        for place in places {
            let turn = match limiter.as_ref().map(|limiter| limiter.try_turn()) {
                Some(None) => break,
                Some(turn) => turn,
                None => None,
            };
            permits.push(Permit { _place: place, turn });
        }
        permits
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

    /// A place on the wire and a turn under the system's limits, in the order in which the lane's own requests take them:
    /// otherwise each of two could hold what the other waits for. None where the destination was removed.
    pub async fn place_and_turn(&self) -> Option<(Place, Option<Turn>)> {
        let batches = self.config.load().as_ref().as_ref()?.batch().is_some();
        if batches {
            let place = self.place().await?;
            return Some((place, self.turn().await));
        }
        let turn = self.turn().await;
        Some((self.place().await?, turn))
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
