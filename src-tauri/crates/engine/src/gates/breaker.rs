//! A system's breaker with what people want to know about it: since when, and why.

use signalbox_model::Timestamp;
use signalbox_model::breaker::{Breaker, State};
use signalbox_model::limits::BreakerSettings;

use super::steady::Steady;
use super::view::BreakerView;

/// A breaker, or none where it is off.
#[derive(Debug)]
pub struct Guarded {
    breaker: Option<Breaker>,
    /// Since when it is not simply closed.
    since: Option<Timestamp>,
    reason: Option<String>,
}

impl Guarded {
    pub fn new(settings: Option<BreakerSettings>) -> Self {
        Self { breaker: settings.map(Breaker::new), since: None, reason: None }
    }

    pub fn configure(&mut self, settings: Option<BreakerSettings>) {
        match (&mut self.breaker, settings) {
            (Some(breaker), Some(settings)) => breaker.configure(settings),
            (breaker, settings) => {
                *breaker = settings.map(Breaker::new);
                (self.since, self.reason) = (None, None);
            }
        }
    }

    /// `now` is steady.
    pub fn view(&self, now: Timestamp, steady: Steady) -> BreakerView {
        let Some(breaker) = &self.breaker else {
            let settings = BreakerSettings::default();
            let (reason, since, next_probe_at) = (None, None, None);
            return BreakerView { state: None, reason, since, next_probe_at, calls: 0, failures: 0, settings };
        };
        let state = breaker.state(now);
        let (calls, failures) = breaker.counts(now);
        let said = state != State::Closed;
        BreakerView {
            state: Some(state),
            reason: self.reason.clone().filter(|_| said),
            since: self.since.filter(|_| said),
            next_probe_at: breaker.next_probe_at().map(|at| steady.to_wall(at)),
            calls,
            failures,
            settings: *breaker.settings(),
        }
    }
}
