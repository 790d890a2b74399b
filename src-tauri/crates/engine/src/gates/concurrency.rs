//! A lane's places on the wire: a fixed number, or one that follows how the destination copes.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_model::FailureKind;
use signalbox_model::limits::Concurrency;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places that may be taken at one time.
#[derive(Debug)]
pub struct Places {
    settings: Concurrency,
    free: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    adaptive: Adaptive,
    /// Places that exist, taken ones included.
    now: u32,
    /// Places to take away as they come free.
    surplus: u32,
}

/// One place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Places {
    pub fn new(settings: Concurrency) -> Arc<Self> {
        let adaptive = Adaptive::new(settings);
        let now = adaptive.places();
        let free = Arc::new(Semaphore::new(now as usize));
        Arc::new(Self { settings, free, state: Mutex::new(State { adaptive, now, surplus: 0 }) })
    }

    pub const fn settings(&self) -> Concurrency {
        self.settings
    }

    /// How many there are now.
    pub fn now(&self) -> u32 {
        let state = self.state.lock();
        state.now.saturating_sub(state.surplus)
    }

    /// Waits for a place. `None`: never in practice, the semaphore is not closed.
    pub async fn take(self: &Arc<Self>) -> Option<Place> {
        let permit = self.free.clone().acquire_owned().await.ok()?;
        Some(Place { places: self.clone(), permit: Some(permit) })
    }

    /// A call ended: how long it took, and the kind of failure.
    pub fn learn(&self, took: Duration, kind: Option<FailureKind>) {
        if self.settings.is_fixed() {
            return;
        }
        let mut state = self.state.lock();
        let busy = state.now.saturating_sub(u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX));
        state.adaptive.learn(took, kind, busy);
        self.resize(&mut state);
    }

    /// After an outage: begin small, so that what has piled up does not fall on the system at once.
    pub fn start_small(&self) {
        let mut state = self.state.lock();
        state.adaptive.start_small();
        self.resize(&mut state);
    }

    fn resize(&self, state: &mut State) {
        let wanted = state.adaptive.places();
        let have = state.now.saturating_sub(state.surplus);
        if wanted > have {
            let more = wanted - have;
            let spared = more.min(state.surplus);
            state.surplus -= spared;
            state.now += more - spared;
            self.free.add_permits((more - spared) as usize);
        } else if wanted < have {
            let fewer = have - wanted;
            let taken = u32::try_from(self.free.forget_permits(fewer as usize)).unwrap_or(0);
            state.now -= taken;
            state.surplus += fewer - taken;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state.lock();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            state.now -= 1;
            permit.forget();
        }
    }
}

/// How much of the way down a failure takes.
const BACK_OFF: f64 = 0.7;
/// An answer slower than this many times the usual one is a sign of strain.
const SLOW: f64 = 2.0;
/// Shares of a new reading in the averages of the last few and of the usual answer.
const RECENT: f64 = 0.2;
const USUAL: f64 = 0.02;

/// Additive increase, multiplicative decrease: one place more per round of good answers, less at once after a failure,
/// and a little less when answers become slow. Pure.
#[derive(Clone, Copy, Debug)]
pub struct Adaptive {
    settings: Concurrency,
    limit: f64,
    /// Averages of how long answers took, seconds; 0: none yet.
    recent: f64,
    usual: f64,
    /// Calls that still belong to the round in which the last decrease was made: one strain, one decrease.
    settling: u32,
}

impl Adaptive {
    pub fn new(settings: Concurrency) -> Self {
        Self { settings, limit: f64::from(settings.min), recent: 0.0, usual: 0.0, settling: 0 }
    }

    /// `min..=max`
    pub fn places(&self) -> u32 {
        (self.limit as u32).clamp(self.settings.min, self.settings.max)
    }

    pub fn start_small(&mut self) {
        self.limit = f64::from(self.settings.min);
        self.settling = 0;
    }

    /// `busy`: places taken while this call ran; a limit that nobody reaches is not raised.
    pub fn learn(&mut self, took: Duration, kind: Option<FailureKind>, busy: u32) {
        self.settling = self.settling.saturating_sub(1);
        match kind {
            Some(FailureKind::Rate | FailureKind::Server | FailureKind::Network | FailureKind::Unknown) => {
                self.decrease(BACK_OFF);
                return;
            }
            // It says nothing of how the system copes.
            Some(FailureKind::Auth | FailureKind::Mapping) => return,
            Some(FailureKind::Rejected) | None => {}
        }
        let took = took.as_secs_f64();
        if self.usual == 0.0 {
            (self.recent, self.usual) = (took, took);
        } else {
            self.recent += RECENT * (took - self.recent);
            self.usual += USUAL * (took - self.usual);
        }
        if self.recent > SLOW * self.usual {
            self.decrease(0.9);
        } else if busy.saturating_add(1) >= self.places() {
            self.limit = (self.limit + 1.0 / self.limit.max(1.0)).min(f64::from(self.settings.max));
        }
    }

    fn decrease(&mut self, by: f64) {
        if self.settling == 0 {
            self.limit = (self.limit * by).max(f64::from(self.settings.min));
            self.settling = self.places();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(20);

    fn adaptive(min: u32, max: u32) -> Adaptive {
        Adaptive::new(Concurrency { min, max })
    }

    fn good(adaptive: &mut Adaptive, calls: u32) {
        for _ in 0..calls {
            adaptive.learn(FAST, None, adaptive.places());
        }
    }

    #[test]
    fn good_answers_raise_it_to_its_maximum_and_no_further() {
        let mut adaptive = adaptive(1, 32);
        good(&mut adaptive, 10);
        assert!((2..8).contains(&adaptive.places()), "it rises step by step: {}", adaptive.places());
        good(&mut adaptive, 2_000);
        assert_eq!(adaptive.places(), 32);
    }

    #[test]
    fn a_failure_lowers_it_once_however_many_calls_of_the_same_round_fail() {
        let mut adaptive = adaptive(1, 32);
        good(&mut adaptive, 2_000);
        for _ in 0..20 {
            adaptive.learn(FAST, Some(FailureKind::Rate), 32);
        }
        assert_eq!(adaptive.places(), 22);
        for _ in 0..500 {
            adaptive.learn(FAST, Some(FailureKind::Server), 22);
        }
        assert_eq!(adaptive.places(), 1);
    }

    #[test]
    fn answers_that_become_slow_lower_it() {
        let mut adaptive = adaptive(1, 32);
        good(&mut adaptive, 2_000);
        for _ in 0..60 {
            adaptive.learn(FAST * 20, None, 32);
        }
        assert!(adaptive.places() < 32, "{}", adaptive.places());
    }

    #[test]
    fn a_limit_that_nobody_reaches_stays() {
        let mut adaptive = adaptive(4, 32);
        for _ in 0..1_000 {
            adaptive.learn(FAST, None, 1);
        }
        assert_eq!(adaptive.places(), 4);
    }

    #[test]
    fn a_refusal_and_a_wrong_credential_say_nothing_about_strain() {
        let mut adaptive = adaptive(4, 32);
        for kind in [FailureKind::Auth, FailureKind::Mapping, FailureKind::Rejected] {
            adaptive.learn(FAST, Some(kind), 0);
        }
        assert_eq!(adaptive.places(), 4);
    }

    #[tokio::test]
    async fn places_are_taken_away_as_they_come_free() {
        let places = Places::new(Concurrency { min: 1, max: 4 });
        for _ in 0..100 {
            let mut held = Vec::new();
            for _ in 0..places.now() {
                held.push(places.take().await);
            }
            places.learn(FAST, None);
        }
        assert_eq!(places.now(), 4);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(places.take().await.expect("a place"));
        }
        places.start_small();
        assert_eq!(places.now(), 1);
        held.truncate(1);
        assert_eq!(places.free.available_permits(), 0, "three of four were taken away");
        held.clear();
        assert_eq!(places.free.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_fixed_number_stays_fixed() {
        let places = Places::new(Concurrency::fixed(8));
        for _ in 0..100 {
            places.learn(FAST, Some(FailureKind::Server));
        }
        places.start_small();
        assert_eq!(places.now(), 8);
    }
}
