//! A system's own limits: requests per second (governor's GCRA over our clock) and at one time, shared fairly by its lanes.
//!
//! A lane's loop asks for a turn before it opens an attempt, so what waits here is `queued` or `retrying` and has used no
//! try. Each lane asks for one turn at a time and the queue is first come, first served: no lane starves.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Weak};
use std::time::Duration;

use governor::clock::Clock as RateClock;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;
use signalbox_model::limits::Limits;
use signalbox_model::{Clock, Timestamp};
use tokio::sync::oneshot;

use super::steady::Steady;
use super::view::LimitsView;

type Rate = RateLimiter<NotKeyed, InMemoryState, GateClock, governor::middleware::NoOpMiddleware<Nanos>>;

pub struct Limiter {
    limits: Limits,
    rate: Option<Rate>,
    clock: GateClock,
    turns: Mutex<Turns>,
    this: Weak<Self>,
}

#[derive(Default)]
struct Turns {
    queue: VecDeque<oneshot::Sender<Turn>>,
    in_flight: u32,
    /// Paid for by the rate and not used, since when.
    unused: u32,
    unused_since: Timestamp,
    /// A task sleeps until the rate allows the next.
    sleeping: bool,
}

/// One request's turn: it counts as on the wire until this is dropped.
pub struct Turn {
    limiter: Option<Arc<Limiter>>,
}

impl Limiter {
    /// `None` where nothing is limited.
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Option<Arc<Self>> {
        if limits.is_unlimited() {
            return None;
        }
        let clock = GateClock { clock, steady: Arc::default() };
        let rate = limits.per_second.and_then(|per_second| {
            let burst = limits.burst.unwrap_or(per_second.ceil() as u32).max(1);
            let quota = Quota::with_period(Duration::from_secs_f64(1.0 / per_second))?;
            Some(RateLimiter::direct_with_clock(quota.allow_burst(NonZeroU32::new(burst)?), clock.clone()))
        });
        let turns = Mutex::default();
        Some(Arc::new_cyclic(|this| Self { limits, rate, clock, turns, this: this.clone() }))
    }

    pub const fn limits(&self) -> Limits {
        self.limits
    }

    pub fn view(&self) -> LimitsView {
        let turns = self.turns.lock();
        let waiting = turns.queue.iter().filter(|waiting| !waiting.is_closed()).count();
        LimitsView {
            limits: self.limits,
            in_flight: turns.in_flight,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        }
    }

    /// A turn, if one is free and nobody waits for it.
    pub fn try_turn(&self) -> Option<Turn> {
        let mut turns = self.turns.lock();
        if turns.queue.iter().any(|waiting| !waiting.is_closed()) || !self.has_place(&turns) {
            return None;
        }
        self.allowed(&mut turns).ok()?;
        turns.in_flight += 1;
        Some(Turn { limiter: self.this.upgrade() })
    }

    /// Waits for a turn. `None`: the limits were changed meanwhile, ask the new ones.
    pub async fn turn(&self) -> Option<Turn> {
        let (sender, receiver) = oneshot::channel();
        self.turns.lock().queue.push_back(sender);
        self.hand_out();
        receiver.await.ok()
    }

    /// The lanes that wait here go and ask again: other limits hold now.
    pub fn dissolve(&self) {
        self.turns.lock().queue.clear();
    }

    fn has_place(&self, turns: &Turns) -> bool {
        self.limits.concurrent.is_none_or(|most| turns.in_flight < most)
    }

    /// Takes one from the rate; else how long until there is one.
    fn allowed(&self, turns: &mut Turns) -> Result<(), Duration> {
        let Some(rate) = &self.rate else { return Ok(()) };
        if self.unused(turns) > 0 {
            turns.unused -= 1;
            return Ok(());
        }
        turns.unused = 0;
        rate.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Turns that were paid for and not used, less those that the rate has given anew since: with both, a lane that often
    /// asks in vain would save up a burst.
    fn unused(&self, turns: &Turns) -> u32 {
        let passed = self.clock.steady_now().since(turns.unused_since).as_secs_f64();
        let anew = passed * self.limits.per_second.unwrap_or_default();
        turns.unused.saturating_sub(anew as u32)
    }

    fn hand_out(&self) {
        // Handed over outside the lock: a turn that nobody takes any more comes back through it.
        loop {
            let (next, turn) = {
                let mut turns = self.turns.lock();
                while turns.queue.front().is_some_and(oneshot::Sender::is_closed) {
                    turns.queue.pop_front();
                }
                if turns.queue.is_empty() || !self.has_place(&turns) {
                    return;
                }
                if let Err(wait) = self.allowed(&mut turns) {
                    self.come_back(&mut turns, wait);
                    return;
                }
                let Some(next) = turns.queue.pop_front() else { return };
                turns.in_flight += 1;
                (next, Turn { limiter: self.this.upgrade() })
            };
            if let Err(turn) = next.send(turn) {
                turn.unused();
            }
        }
    }

    fn come_back(&self, turns: &mut Turns, wait: Duration) {
        let Some(this) = self.this.upgrade().filter(|_| !turns.sleeping) else { return };
        turns.sleeping = true;
        tokio::spawn(async move {
            tokio::time::sleep(wait.clamp(Duration::from_millis(1), Duration::from_secs(5))).await;
            this.turns.lock().sleeping = false;
            this.hand_out();
        });
    }
}

impl Turn {
    /// No request was made of it: another may use what it paid.
    pub fn unused(self) {
        if let Some(limiter) = &self.limiter
            && limiter.rate.is_some()
        {
            let mut turns = limiter.turns.lock();
            turns.unused = limiter.unused(&turns).saturating_add(1);
            turns.unused_since = limiter.clock.steady_now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter.take() {
            {
                let mut turns = limiter.turns.lock();
                turns.in_flight = turns.in_flight.saturating_sub(1);
            }
            limiter.hand_out();
        }
    }
}

/// Our clock as governor reads clocks.
#[derive(Clone)]
struct GateClock {
    clock: Arc<dyn Clock>,
    steady: Arc<Mutex<Steady>>,
}

impl GateClock {
    fn steady_now(&self) -> Timestamp {
        self.steady.lock().read(self.clock.now())
    }
}

impl RateClock for GateClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let micros = u64::try_from(self.steady_now().as_micros()).unwrap_or(0);
        Nanos::new(micros.saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clock of tokio's paused time, so that sleeping and reading agree.
    struct Paused(tokio::time::Instant);

    impl Clock for Paused {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(1_000_000).plus(self.0.elapsed())
        }
    }

    fn limiter(limits: Limits) -> Arc<Limiter> {
        Limiter::new(limits, Arc::new(Paused(tokio::time::Instant::now()))).expect("something is limited")
    }

    const TEN: Limits = Limits { per_second: Some(10.0), burst: Some(1), concurrent: None };

    #[tokio::test(start_paused = true)]
    async fn ten_per_second_take_ten_seconds_for_a_hundred() {
        let limiter = limiter(TEN);
        let began = tokio::time::Instant::now();
        for _ in 0..100 {
            drop(limiter.turn().await);
        }
        let took = began.elapsed().as_millis();
        assert!((9_800..10_400).contains(&took), "{took} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let limiter = limiter(Limits { burst: Some(5), ..TEN });
        let free = std::iter::from_fn(|| limiter.try_turn()).count();
        assert_eq!(free, 5);
        tokio::time::advance(Duration::from_millis(101)).await;
        assert!(limiter.try_turn().is_some());
        assert!(limiter.try_turn().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_was_not_used_is_there_for_another_and_makes_no_burst() {
        let limiter = limiter(TEN);
        limiter.turn().await.expect("a turn").unused();
        drop(limiter.try_turn().expect("the one that was not used"));
        assert!(limiter.try_turn().is_none());
        tokio::time::advance(Duration::from_millis(100)).await;
        limiter.turn().await.expect("a turn").unused();
        tokio::time::advance(Duration::from_millis(150)).await;
        let free = std::iter::from_fn(|| limiter.try_turn()).count();
        assert_eq!(free, 1, "the rate has given it anew meanwhile");
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_take_turns_and_none_starves() {
        let limiter = limiter(TEN);
        let mut lanes = Vec::new();
        for lane in 0..5 {
            let limiter = limiter.clone();
            lanes.push(tokio::spawn(async move {
                // The first two ask again the moment they were served; the others are slow.
                let mut served = 0;
                while served < 20 {
                    drop(limiter.turn().await);
                    served += 1;
                    tokio::time::sleep(Duration::from_millis(if lane < 2 { 0 } else { 150 })).await;
                }
                limiter.clock.steady_now()
            }));
        }
        let mut ends = Vec::new();
        for lane in lanes {
            ends.push(lane.await.expect("it ends"));
        }
        // Twenty turns, each at most one round of five lanes at ten per second.
        let last = ends.iter().max().expect("five");
        assert!(last.since(Timestamp::from_secs(1_000_000)) < Duration::from_millis(10_500), "{ends:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn at_most_so_many_are_on_the_wire() {
        let limiter = limiter(Limits { concurrent: Some(2), ..Limits::default() });
        let (first, _second) = (limiter.try_turn().expect("free"), limiter.try_turn().expect("free"));
        assert!(limiter.try_turn().is_none());
        let waiting = tokio::spawn({
            let limiter = limiter.clone();
            async move { limiter.turn().await.is_some() }
        });
        tokio::task::yield_now().await;
        assert_eq!((limiter.view().in_flight, limiter.view().waiting), (2, 1));
        drop(first);
        assert!(waiting.await.expect("it ends"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_loses_nothing() {
        let limiter = limiter(TEN);
        drop(limiter.turn().await);
        for _ in 0..50 {
            let gone = tokio::time::timeout(Duration::from_millis(1), limiter.turn()).await;
            assert!(gone.is_err());
        }
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(limiter.turn().await.is_some());
        assert_eq!(limiter.view().in_flight, 0);
    }
}
