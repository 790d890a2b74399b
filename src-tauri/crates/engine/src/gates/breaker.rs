//! A system's breaker with what people want to know about it: since when, and why; and as it is saved.

use serde::{Deserialize, Serialize};
use signalbox_model::breaker::{Breaker, Change, Permitted, State};
use signalbox_model::limits::BreakerSettings;
use signalbox_model::units::format_duration;
use signalbox_model::{HeldReason, Timestamp};
use signalbox_store::lane::{GateScope, GateStep, SavedGate};

use super::steady::Steady;
use super::system::Ended;
use super::view::BreakerView;
use super::words::time_of_day;

/// What a person may make of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nothing goes until a person says otherwise.
    Open,
    /// Everything goes, whatever fails.
    Closed,
    /// By itself again, beginning closed.
    Auto,
}

/// A breaker, or none where it is off.
#[derive(Debug)]
pub struct Guarded {
    breaker: Option<Breaker>,
    /// Since when it is not simply closed, on the wall clock.
    since: Timestamp,
    reason: String,
    /// Until when the system said that it is away, on the gates' own clock.
    away_until: Option<Timestamp>,
    /// It was switched off, and the ledger may keep it still.
    switched_off: bool,
}

/// What stands in the `explain` of a saved breaker gate.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    state: SavedState,
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SavedState {
    Open,
    HeldOpen,
    ForcedClosed,
}

impl Guarded {
    pub fn new(settings: Option<BreakerSettings>) -> Self {
        let (breaker, since) = (settings.map(Breaker::new), Timestamp::default());
        Self { breaker, since, reason: String::new(), away_until: None, switched_off: false }
    }

    pub fn configure(&mut self, settings: Option<BreakerSettings>) {
        match (&mut self.breaker, settings) {
            (Some(breaker), Some(settings)) => breaker.configure(settings),
            (None, None) => {}
            (breaker, settings) => {
                self.switched_off = settings.is_none();
                *breaker = settings.map(Breaker::new);
            }
        }
    }

    pub fn permitted(&self, now: Timestamp) -> Permitted {
        self.breaker.as_ref().map_or(Permitted::All, |breaker| breaker.permitted(now))
    }

    pub fn begin_probe(&mut self, now: Timestamp) -> bool {
        self.breaker.as_mut().is_some_and(|breaker| breaker.begin_probe(now))
    }

    pub fn give_probe_back(&mut self) {
        if let Some(breaker) = &mut self.breaker {
            breaker.give_probe_back();
        }
    }

    /// `wall` is `now` as people's clocks show it. A probe that is told when to come back did not find the system back,
    /// even where what it was told is no failure (a 503 with Retry-After); no other goes before that time.
    pub fn record(&mut self, now: Timestamp, wall: Timestamp, ended: &Ended<'_>, probe: bool) -> Option<Change> {
        let breaker = self.breaker.as_mut()?;
        let failed = ended.failed() || probe && ended.away.is_some();
        let change = breaker.record(now, failed, probe)?;
        self.away_until = ended.away.filter(|_| change != Change::Closed).map(|away| now.plus(away));
        if let Some(until) = self.away_until {
            breaker.not_before(until);
        }
        if let Change::Opened { calls, failures } = change {
            let (time, window, last) = (time_of_day(wall), within(breaker.settings()), ended.last);
            self.since = wall;
            self.reason =
                format!("opened {time} after {failures} of {calls} calls failed within {window}; last: {last}");
        }
        Some(change)
    }

    /// Something else was done about the failures: they are forgotten.
    pub fn begin_anew(&mut self) {
        if let Some(breaker) = &mut self.breaker {
            breaker.close();
        }
    }

    pub fn hold(&mut self, hold: Hold, wall: Timestamp, why: Option<&str>) {
        let Some(breaker) = &mut self.breaker else { return };
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let time = time_of_day(wall);
        self.since = wall;
        self.away_until = None;
        self.reason = match hold {
            Hold::Open => format!("held open by a person since {time}{why}"),
            Hold::Closed => format!("forced closed by a person since {time}{why}"),
            Hold::Auto => String::new(),
        };
        match hold {
            Hold::Open => breaker.hold_open(),
            Hold::Closed => breaker.force_closed(),
            Hold::Auto => breaker.close(),
        }
    }

    pub fn is_on(&self) -> bool {
        self.breaker.is_some()
    }

    /// Whether the ledger may keep a gate that there is none for any more.
    pub fn is_to_be_forgotten(&self) -> bool {
        self.switched_off
    }

    /// What was to be saved was written.
    pub fn was_saved(&mut self) {
        if self.breaker.is_none() {
            self.switched_off = false;
        }
    }

    /// What the ledger is to keep of it; `None`: it is off, and forgotten.
    pub fn to_save(&self, system: &str, now: Timestamp, steady: Steady) -> Option<(SavedGate, GateStep)> {
        let (state, step) = match &self.breaker {
            None if self.switched_off => (SavedState::Open, GateStep::Opens),
            None => return None,
            Some(breaker) => match breaker.state(now) {
                State::Closed => (SavedState::Open, GateStep::Opens),
                State::Open | State::HalfOpen => (SavedState::Open, GateStep::Closes),
                State::HeldOpen => (SavedState::HeldOpen, GateStep::Closes),
                State::ForcedClosed => (SavedState::ForcedClosed, GateStep::KeptClear),
            },
        };
        let saved = Saved { state, reason: self.reason.clone() };
        let gate = SavedGate {
            scope: GateScope::System,
            name: system.to_owned(),
            reason: HeldReason::Breaker,
            since: self.since,
            until: self.away_until.map(|until| steady.to_wall(until)),
            // Plain words and text: it always serialises.
            explain: serde_json::to_string(&saved).unwrap_or_default(),
        };
        Some((gate, step))
    }

    /// As an earlier run left it. What cannot be read is left closed: the next failures open it again.
    pub fn restore(&mut self, gate: &SavedGate, now: Timestamp) {
        let Some(breaker) = &mut self.breaker else {
            self.switched_off = true;
            return;
        };
        let Ok(saved) = serde_json::from_str::<Saved>(&gate.explain) else { return };
        self.since = gate.since;
        self.reason = saved.reason;
        match saved.state {
            SavedState::Open => {
                breaker.restore_open(now);
                // A time that was written while the clock was ahead says nothing now.
                self.away_until = gate.until.filter(|_| gate.since <= now);
                if let Some(until) = self.away_until {
                    breaker.not_before(until);
                }
            }
            SavedState::HeldOpen => breaker.hold_open(),
            SavedState::ForcedClosed => breaker.force_closed(),
        }
    }

    /// Why nothing goes, in a sentence, and since when. Only while something is held up.
    pub fn explain(&self, title: &str, now: Timestamp, steady: Steady) -> (Timestamp, String) {
        let next = match self.breaker.as_ref().map(|breaker| breaker.state(now)) {
            Some(State::HeldOpen) => "It goes on when somebody sets it to auto.".to_owned(),
            Some(State::HalfOpen) => "One delivery is trying it now; if it is answered, the others go on.".to_owned(),
            _ => {
                let at = self.breaker.as_ref().and_then(Breaker::next_probe_at).unwrap_or(now);
                let at = time_of_day(steady.to_wall(at));
                format!(
                    "One delivery tries it again at {at}; waiting uses no try. Close the breaker by hand to go on now."
                )
            }
        };
        (self.since, format!("The breaker of {title}: {}. {next}", self.reason))
    }

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
            reason: said.then(|| self.reason.clone()),
            since: said.then_some(self.since),
            next_probe_at: breaker.next_probe_at().map(|at| steady.to_wall(at)),
            calls,
            failures,
            settings: *breaker.settings(),
        }
    }
}

/// `30 s`, `2 m`.
fn within(settings: &BreakerSettings) -> String {
    let text = format_duration(settings.window);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    format!("{number} {unit}")
}
