//! The meter of the run on this thread: steps, clock, stack and memory.
//!
//! jq programs are run by a library whose functions know no limits. But every one of them works through two things
//! that are ours: the value type (`value::Val`) and the lookup table (`jq::Data`). Both report here. When a budget is
//! used up, the run is left by unwinding (`resume_unwind`, which neither prints nor can be caught by a program's
//! `try`), up to [`metered`], and the values are dropped on the way.
//!
//! Outside a run, the meter is idle and nothing here stops anything.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Limits;
use crate::error::{Budget, RunError};

/// Containers inside containers that a run may build: what a body may have (128) and room to wrap it.
const MAX_NESTING: u32 = 256;
/// Steps between two looks at the clock.
const STRIDE: u32 = 64;
const IDLE: u64 = 0;
/// A new stack is a little smaller than asked for.
const PAGE_ROUNDING: usize = 64 << 10;

struct Meter {
    /// Which run is on; [`IDLE`] for none.
    run: Cell<u64>,
    /// Steps until the next look at fuel and clock.
    stride: Cell<u32>,
    fuel: Cell<u64>,
    deadline: Cell<Option<Instant>>,
    /// The thread's own time at which the run is over; none where the deadline alone decides.
    own_end: Cell<Option<Duration>>,
    stack_reserve: Cell<usize>,
    memory: Cell<usize>,
    memory_used: Cell<usize>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            run: Cell::new(IDLE),
            stride: Cell::new(0),
            fuel: Cell::new(0),
            deadline: Cell::new(None),
            own_end: Cell::new(None),
            stack_reserve: Cell::new(0),
            memory: Cell::new(usize::MAX),
            memory_used: Cell::new(0),
        }
    };
}

/// Carried by the unwinding that ends a run.
struct Stop(Budget);

fn stop(what: Budget) -> ! {
    resume_unwind(Box::new(Stop(what)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline measures the work itself: by a test's clock no run is ever late"
)]
fn clock() -> Instant {
    Instant::now()
}

/// How long this thread has had a processor.
#[cfg(unix)]
fn own_time() -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).ok()
}

#[cfg(not(unix))]
fn own_time() -> Option<Duration> {
    None
}

impl Meter {
    #[inline]
    fn step(&self) {
        match self.stride.get() {
            0 => self.look(),
            left => self.stride.set(left - 1),
        }
    }

    #[cold]
    fn look(&self) {
        if self.run.get() == IDLE {
            self.stride.set(u32::MAX);
            return;
        }
        self.spend(u64::from(STRIDE));
        self.stride.set(STRIDE);
    }

    fn spend(&self, steps: u64) {
        match self.fuel.get().checked_sub(steps) {
            None => stop(Budget::Fuel),
            Some(left) => self.fuel.set(left),
        }
        // The thread's own time is dearer to ask for, and never ahead.
        if self.deadline.get().is_some_and(|deadline| clock() > deadline) && self.is_own_time_over() {
            stop(Budget::Time)
        }
    }

    fn is_own_time_over(&self) -> bool {
        let Some(end) = self.own_end.get() else { return true };
        own_time().is_none_or(|now| now > end)
    }

    fn take(&self, bytes: usize) {
        let used = self.memory_used.get().saturating_add(bytes);
        if used > self.memory.get() {
            stop(Budget::Memory)
        }
        self.memory_used.set(used);
    }
}

/// One step of a run.
#[inline]
pub(crate) fn step() {
    METER.with(Meter::step);
}

/// Work that is as much as this many steps, such as comparing long texts. Asked before the work is done.
pub(crate) fn steps(count: usize) {
    METER.with(|meter| {
        if meter.run.get() != IDLE && count > 0 {
            meter.spend(u64::try_from(count).unwrap_or(u64::MAX));
        }
    });
}

/// One step that may lead deeper into the stack.
#[inline]
pub(crate) fn enter() {
    METER.with(|meter| {
        meter.step();
        if stacker::remaining_stack().is_some_and(|left| left < meter.stack_reserve.get()) {
            stop(Budget::Stack)
        }
    });
}

/// The longest text a run may make, in bytes: some library functions write up to six bytes for one before we see it.
pub(crate) fn check_text(bytes: usize) {
    METER.with(|meter| {
        if bytes > meter.memory.get() / 8 {
            stop(Budget::Memory)
        }
    });
}

/// Checks a new container: `weight` is about its bytes when every shared part is written out, so that `[.,.]` nested
/// forty times is refused when it is made, not when it is walked.
#[inline]
pub(crate) fn check_container(weight: u64, depth: u32) {
    METER.with(|meter| {
        if meter.run.get() == IDLE {
            return;
        }
        if depth > MAX_NESTING {
            stop(Budget::Stack)
        }
        if usize::try_from(weight).map_or(true, |weight| weight > meter.memory.get()) {
            stop(Budget::Memory)
        }
    });
}

/// Ends a run whose text grows past what may be held.
pub(crate) fn too_much_memory() -> ! {
    stop(Budget::Memory)
}

/// Bytes that a text may still grow to. Unbounded outside a run.
pub(crate) fn text_limit() -> usize {
    METER.with(|meter| if meter.run.get() == IDLE { usize::MAX } else { meter.memory.get() / 8 })
}

/// Memory taken from a run's budget; given back on drop, if that run is still on.
#[derive(Debug)]
pub(crate) struct Charge {
    run: u64,
    bytes: usize,
}

impl Charge {
    pub(crate) const fn none() -> Self {
        Self { run: IDLE, bytes: 0 }
    }

    pub(crate) fn of(bytes: usize) -> Self {
        let mut charge = Self::none();
        charge.grow(bytes);
        charge
    }

    pub(crate) fn grow(&mut self, bytes: usize) {
        METER.with(|meter| {
            let run = meter.run.get();
            if run == IDLE {
                return;
            }
            meter.take(bytes);
            if self.run != run {
                // Held since before this run: only what this run adds is its own.
                *self = Self { run, bytes: 0 };
            }
            self.bytes += bytes;
        });
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.run == IDLE {
            return;
        }
        METER.with(|meter| {
            if meter.run.get() == self.run {
                meter.memory_used.set(meter.memory_used.get().saturating_sub(self.bytes));
            }
        });
    }
}

/// Sets the meter back to idle, also when the work panics.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.run.set(IDLE);
            meter.stride.set(0);
            meter.deadline.set(None);
            meter.own_end.set(None);
            meter.stack_reserve.set(0);
            meter.memory.set(usize::MAX);
        });
    }
}

/// Does `work` under `limits`, on this thread, on a stack that is large enough.
pub(crate) fn metered<T>(limits: &Limits, work: impl FnOnce() -> T) -> Result<T, RunError> {
    static RUNS: AtomicU64 = AtomicU64::new(IDLE + 1);
    let started = |meter: &Meter| {
        meter.run.set(RUNS.fetch_add(1, Ordering::Relaxed));
        meter.stride.set(STRIDE);
        meter.fuel.set(limits.fuel);
        meter.deadline.set(clock().checked_add(limits.time));
        let own_end = || own_time()?.checked_add(limits.time);
        meter.own_end.set(if limits.counts_waiting { None } else { own_end() });
        meter.stack_reserve.set(limits.stack_reserve);
        meter.memory.set(limits.memory);
        meter.memory_used.set(0);
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        stacker::maybe_grow(limits.stack, limits.stack + PAGE_ROUNDING, || {
            METER.with(started);
            let _running = Running;
            // Half is kept free: an iterator that was built deep down may be asked again from further down.
            let free = stacker::remaining_stack().unwrap_or(limits.stack);
            let reserve = limits.stack_reserve.max(free.saturating_sub(limits.stack / 2));
            METER.with(|meter| meter.stack_reserve.set(reserve));
            work()
        })
    }));
    outcome.map_err(why)
}

fn why(payload: Box<dyn Any + Send>) -> RunError {
    match payload.downcast::<Stop>() {
        Ok(stop) => RunError::OverBudget { what: stop.0 },
        Err(payload) => RunError::Internal { message: panic_text(payload.as_ref()) },
    }
}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("it stopped without a reason").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// Waits as a thread does whose machine is busy: without a processor. Then goes on for a few steps.
    fn waits_for_longer_than_it_may_run() {
        let begun = clock();
        let (tell, wait) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            while begun.elapsed() < SHORT * 3 {
                std::hint::spin_loop();
            }
            tell.send(())
        });
        wait.recv().expect("it is told");
        (0..1_000).for_each(|_| step());
    }

    fn runs_for_ever() {
        loop {
            step();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_run_behind_the_commit_may_wait_for_a_processor_as_long_as_it_takes() {
        let limits = Limits { time: SHORT, ..Limits::BEHIND };
        assert_eq!(metered(&limits, waits_for_longer_than_it_may_run), Ok(()));
    }

    #[test]
    fn a_run_that_others_wait_for_may_not() {
        let limits = Limits { time: SHORT, ..Limits::INLINE };
        let over = metered(&limits, waits_for_longer_than_it_may_run);
        assert_eq!(over, Err(RunError::OverBudget { what: Budget::Time }));
    }

    #[test]
    fn a_run_that_works_on_is_ended_by_its_own_time() {
        for limits in [Limits::INLINE, Limits::BEHIND] {
            let over = metered(&Limits { time: SHORT, fuel: u64::MAX, ..limits }, runs_for_ever);
            assert_eq!(over, Err(RunError::OverBudget { what: Budget::Time }));
        }
    }
}
