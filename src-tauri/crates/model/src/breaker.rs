//! A circuit breaker: pure, and as of the instants it is given. They must not go backwards; see `Steady` in the engine.
//!
//! Closed → open when enough of enough calls failed within a sliding window. Open → one probe at a time once the wait is
//! over. A probe that fails doubles the wait; one that succeeds closes it, with an empty window. A person may hold it
//! open or closed.

use std::time::Duration;

use crate::Timestamp;
use crate::limits::BreakerSettings;

/// The longest wait between two probes.
pub const LONGEST_OPEN: Duration = Duration::from_secs(300);

/// Parts of the window: a call is forgotten at most a tenth of the window late.
const PARTS: usize = 10;

#[derive(Clone, Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    parts: [Part; PARTS],
    position: Position,
}

/// Calls of one tenth of the window; `number` counts tenths since 1970.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    number: i64,
    calls: u32,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Closed,
    Open(Open),
    HeldOpen,
    ForcedClosed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    /// The wait that ends at `probe_at`.
    wait: Duration,
    probe_at: Timestamp,
    probing: bool,
}

/// What may be called now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permitted {
    All,
    /// One call, by whoever takes [`Breaker::begin_probe`].
    Probe,
    /// Nothing; `until` is the next probe where its time is known.
    Nothing {
        until: Option<Timestamp>,
    },
}

/// What a call's end changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Opened {
        calls: u32,
        failures: u32,
    },
    /// A probe failed; the next one comes later than the one before.
    StaysOpen,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Closed,
    Open,
    HalfOpen,
    HeldOpen,
    ForcedClosed,
}

impl State {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::HeldOpen => "held-open",
            Self::ForcedClosed => "forced-closed",
        }
    }
}

impl Breaker {
    pub fn new(settings: BreakerSettings) -> Self {
        Self { settings, parts: [Part::default(); PARTS], position: Position::Closed }
    }

    pub const fn settings(&self) -> &BreakerSettings {
        &self.settings
    }

    /// Other settings count from the next call on. What is open stays open.
    pub fn configure(&mut self, settings: BreakerSettings) {
        if settings.window != self.settings.window {
            self.forget();
        }
        self.settings = settings;
    }

    pub fn state(&self, now: Timestamp) -> State {
        match self.position {
            Position::Closed => State::Closed,
            Position::Open(open) if open.probing || open.probe_at <= now => State::HalfOpen,
            Position::Open(_) => State::Open,
            Position::HeldOpen => State::HeldOpen,
            Position::ForcedClosed => State::ForcedClosed,
        }
    }

    pub fn permitted(&self, now: Timestamp) -> Permitted {
        match self.position {
            Position::Closed | Position::ForcedClosed => Permitted::All,
            Position::HeldOpen => Permitted::Nothing { until: None },
            Position::Open(open) if open.probing => Permitted::Nothing { until: None },
            Position::Open(open) if open.probe_at <= now => Permitted::Probe,
            Position::Open(open) => Permitted::Nothing { until: Some(open.probe_at) },
        }
    }

    /// While open: when the next probe may go. A time that has passed: one is due, or under way.
    pub fn next_probe_at(&self) -> Option<Timestamp> {
        match self.position {
            Position::Open(open) => Some(open.probe_at),
            _ => None,
        }
    }

    /// While open: no probe goes before this, however soon its wait is over.
    pub fn not_before(&mut self, at: Timestamp) {
        if let Position::Open(open) = &mut self.position {
            open.probe_at = open.probe_at.max(at);
        }
    }

    /// Takes the one probe; false: another has it, or none is due.
    pub fn begin_probe(&mut self, now: Timestamp) -> bool {
        match &mut self.position {
            Position::Open(open) if !open.probing && open.probe_at <= now => {
                open.probing = true;
                true
            }
            _ => false,
        }
    }

    /// The probe made no call after all: another may take it at once.
    pub fn give_probe_back(&mut self) {
        if let Position::Open(open) = &mut self.position {
            open.probing = false;
        }
    }

    /// A call ended. Calls that were under way when it opened change nothing while it is open; only a probe does.
    pub fn record(&mut self, now: Timestamp, failed: bool, probe: bool) -> Option<Change> {
        match &mut self.position {
            Position::Open(open) if probe => {
                if failed {
                    open.wait = longer(open.wait);
                    open.probe_at = now.plus(open.wait);
                    open.probing = false;
                    return Some(Change::StaysOpen);
                }
                self.close();
                Some(Change::Closed)
            }
            Position::Open(_) | Position::HeldOpen => None,
            Position::ForcedClosed => {
                self.count(now, failed);
                None
            }
            Position::Closed => {
                self.count(now, failed);
                let (calls, failures) = self.counts(now);
                let enough = calls >= self.settings.minimum.max(1);
                if !failed || !enough || f64::from(failures) < self.settings.ratio * f64::from(calls) {
                    return None;
                }
                self.open(now);
                Some(Change::Opened { calls, failures })
            }
        }
    }

    /// Calls and failures within the window that ends now.
    pub fn counts(&self, now: Timestamp) -> (u32, u32) {
        let newest = self.part_number(now);
        let oldest = newest.saturating_sub(PARTS as i64 - 1);
        let recent = self.parts.iter().filter(|part| (oldest..=newest).contains(&part.number));
        recent.fold((0, 0), |(calls, failures), part| {
            (calls.saturating_add(part.calls), failures.saturating_add(part.failures))
        })
    }

    pub fn hold_open(&mut self) {
        self.position = Position::HeldOpen;
    }

    pub fn force_closed(&mut self) {
        self.position = Position::ForcedClosed;
    }

    /// Closed, with nothing counted yet: also what a person's "auto" means.
    pub fn close(&mut self) {
        self.forget();
        self.position = Position::Closed;
    }

    /// Open, as an earlier run of the program left it: a probe may go at once.
    pub fn restore_open(&mut self, now: Timestamp) {
        self.position = Position::Open(Open { wait: self.settings.open, probe_at: now, probing: false });
    }

    fn open(&mut self, now: Timestamp) {
        let wait = self.settings.open;
        self.position = Position::Open(Open { wait, probe_at: now.plus(wait), probing: false });
    }

    fn forget(&mut self) {
        self.parts = [Part::default(); PARTS];
    }

    fn count(&mut self, now: Timestamp, failed: bool) {
        let number = self.part_number(now);
        let at = usize::try_from(number.rem_euclid(PARTS as i64)).unwrap_or(0);
        let Some(part) = self.parts.get_mut(at) else { return };
        if part.number != number {
            *part = Part { number, calls: 0, failures: 0 };
        }
        part.calls = part.calls.saturating_add(1);
        part.failures = part.failures.saturating_add(u32::from(failed));
    }

    fn part_number(&self, now: Timestamp) -> i64 {
        let micros = i64::try_from(self.settings.window.as_micros()).unwrap_or(i64::MAX);
        now.as_micros().div_euclid((micros / PARTS as i64).max(1))
    }
}

/// Twice as long, up to [`LONGEST_OPEN`]; a person may have set a longer first wait, which stays.
fn longer(wait: Duration) -> Duration {
    wait.saturating_mul(2).min(LONGEST_OPEN.max(wait))
}

#[cfg(test)]
mod tests;
