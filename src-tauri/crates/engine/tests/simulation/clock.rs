//! The simulated wall clock: a start that the seed does not change, the runtime's paused time on top, and jumps.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use signalbox_model::{Clock, Timestamp};

thread_local! {
    /// When this boot's paused time began; set on the thread that runs the simulation, and on no other.
    static BOOTED: Cell<Option<tokio::time::Instant>> = const { Cell::new(None) };
}

pub struct SimClock {
    /// What the wall clock showed when the boot began, microseconds; jumps are added.
    base: AtomicI64,
    /// What it showed last: the ledger's own thread has no paused time to ask.
    shown: AtomicI64,
}

impl SimClock {
    pub fn new() -> Self {
        let start = Timestamp::from_secs(1_795_000_000).as_micros();
        Self { base: AtomicI64::new(start), shown: AtomicI64::new(start) }
    }

    /// Call first in each boot, inside its runtime.
    pub fn boot(&self) {
        self.base.store(self.shown.load(Ordering::Relaxed), Ordering::Relaxed);
        BOOTED.set(Some(tokio::time::Instant::now()));
    }

    /// Somebody sets the clock, or the machine slept: the wall moves, timers do not.
    pub fn jump(&self, seconds: i64) {
        self.base.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        self.now();
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        if let Some(booted) = BOOTED.get() {
            let passed = i64::try_from(booted.elapsed().as_micros()).unwrap_or(i64::MAX);
            self.shown.store(self.base.load(Ordering::Relaxed).saturating_add(passed), Ordering::Relaxed);
        }
        Timestamp::from_micros(self.shown.load(Ordering::Relaxed))
    }
}

/// Time as timers see it: it passes, and nobody sets it.
pub fn pass(millis: u64) -> tokio::time::Sleep {
    tokio::time::sleep(Duration::from_millis(millis))
}
