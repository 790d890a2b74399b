//! One system at work: the gates that its lanes share.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use parking_lot::Mutex;
use signalbox_model::breaker::{Change, Permitted};
use signalbox_model::{Clock, FailureKind, HeldReason, Timestamp};
use signalbox_net::quota::Reading;
use signalbox_store::lane::{GateStep, SavedGate};
use signalbox_workspace::System;
use tokio::sync::watch;
use url::Url;

use super::breaker::{Guarded, Hold};
use super::endpoints::{Chosen, Endpoints, Switch};
use super::limits::Limiter;
use super::quota::{Quotas, Spent};
use super::steady::Steady;
use super::view::SystemView;
use super::words::time_of_day;
use crate::dispatch::gate::{Closed, Verdict};

/// What all lanes to one system share. Made when the workspace first names it, and kept over reloads.
pub struct SystemRuntime {
    pub name: String,
    config: ArcSwap<System>,
    clock: Arc<dyn Clock>,
    limiter: ArcSwapOption<Limiter>,
    state: Mutex<State>,
    /// Held while the ledger writes the breaker.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// Counts what may have opened or closed a gate, so that sleeping lanes look again.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    steady: Steady,
    paused_since: Option<Timestamp>,
    breaker: Guarded,
    quotas: Quotas,
    endpoints: Endpoints,
}

/// A call that ended, as the gates need to know it.
#[derive(Debug)]
pub struct Ended<'a> {
    pub chosen: &'a Chosen,
    /// `None`: confirmed.
    pub kind: Option<FailureKind>,
    /// False: the request never left (an address that is not allowed, a request that could not be made).
    pub sent: bool,
    /// `503 Service Unavailable`, or what the network said.
    pub last: &'a str,
    /// How long it says that it is away: the Retry-After of a 5xx.
    pub away: Option<Duration>,
    pub readings: Vec<Reading>,
}

impl Ended<'_> {
    pub fn failed(&self) -> bool {
        self.kind.is_some_and(counts_against)
    }
}

/// What the end of a call changed.
#[derive(Debug, Default)]
pub struct Settled {
    pub breaker: Option<Change>,
    /// What the ledger keeps of the breaker is out of date.
    pub save_breaker: bool,
    pub switched: Option<Switch>,
}

/// The one probe of an open breaker: another may take it when this is dropped without an answer.
pub struct Probing {
    system: Option<Arc<SystemRuntime>>,
}

/// Whether a kind of failure speaks against the system: not what it refused with reason.
pub const fn counts_against(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Server | FailureKind::Network | FailureKind::Unknown)
}

impl SystemRuntime {
    pub(super) fn new(config: Arc<System>, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            steady: Steady::default(),
            paused_since: None,
            breaker: Guarded::new(config.breaker),
            quotas: Quotas::default(),
            endpoints: Endpoints::new(&config.base_url, &config.failover, config.fail_back),
        };
        Self {
            name: config.name.clone(),
            limiter: ArcSwapOption::new(Limiter::new(config.limits, clock.clone())),
            config: ArcSwap::new(config),
            clock,
            state: Mutex::new(state),
            saving: tokio::sync::Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub fn config(&self) -> Arc<System> {
        self.config.load_full()
    }

    pub(super) fn configure(&self, config: &Arc<System>) {
        let before = self.config.swap(config.clone());
        {
            let mut state = self.state.lock();
            state.breaker.configure(config.breaker);
            state.endpoints.configure(&config.base_url, &config.failover, config.fail_back);
            if config.quota.is_none() {
                state.quotas.forget();
            }
        }
        if before.limits != config.limits {
            let old = self.limiter.swap(Limiter::new(config.limits, self.clock.clone()));
            if let Some(old) = old {
                old.dissolve();
            }
        }
        self.changed();
    }

    pub fn limiter(&self) -> Option<Arc<Limiter>> {
        self.limiter.load_full()
    }

    /// Told of every change that may open a gate.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub fn set_paused(&self, since: Option<Timestamp>) {
        let before = std::mem::replace(&mut self.state.lock().paused_since, since);
        if before != since {
            self.changed();
        }
    }

    pub fn is_paused(&self) -> bool {
        self.state.lock().paused_since.is_some()
    }

    /// What the system as a whole allows now, whatever a lane's own gate says.
    pub fn verdict(&self, wall: Timestamp) -> Verdict {
        let mut state = self.state.lock();
        let now = state.steady.read(wall);
        if let Some(since) = state.paused_since {
            let title = &self.config.load().title;
            let explain = format!("{title} is paused. It goes on when somebody resumes it.");
            return Verdict::Closed(Closed { reason: HeldReason::Pause, since: Some(since), until: None, explain });
        }
        let permitted = state.breaker.permitted(now);
        if let Permitted::Nothing { until } = permitted {
            let (since, explain) = state.breaker.explain(&self.config.load().title, now, state.steady);
            let until = until.map(|at| state.steady.to_wall(at));
            return Verdict::Closed(Closed { reason: HeldReason::Breaker, since: Some(since), until, explain });
        }
        if let Some(spent) = state.quotas.spent(now) {
            return Verdict::Closed(spent_closed(&spent, &self.config.load().title, state.steady, false));
        }
        if permitted == Permitted::Probe { Verdict::Probe } else { Verdict::Clear }
    }

    /// What keeps replays waiting while live traffic goes on: only the reserve of a quota is left.
    pub fn replays_wait(&self, wall: Timestamp) -> Option<Closed> {
        let config = self.config.load();
        let settings = config.quota?;
        let mut state = self.state.lock();
        let now = state.steady.read(wall);
        let spent = state.quotas.spent_but_reserve(settings, now)?;
        Some(spent_closed(&spent, &config.title, state.steady, true))
    }

    /// Takes the breaker's one probe; `None`: another has it, or none is due.
    pub fn begin_probe(self: &Arc<Self>, wall: Timestamp) -> Option<Probing> {
        let mut state = self.state.lock();
        let now = state.steady.read(wall);
        state.breaker.begin_probe(now).then(|| Probing { system: Some(self.clone()) })
    }

    /// Where the next request goes.
    pub fn choose(&self, wall: Timestamp) -> Chosen {
        let mut state = self.state.lock();
        let now = state.steady.read(wall);
        let base = || Chosen { url: self.config.load().base_url.clone(), trying: false };
        state.endpoints.choose(now).unwrap_or_else(base)
    }

    /// The base URL that deliveries go to now.
    pub fn active_url(&self) -> Url {
        self.state.lock().endpoints.active().unwrap_or_else(|| self.config.load().base_url.clone())
    }

    /// A call ended: every gate of the system learns from it.
    pub fn settle(&self, wall: Timestamp, mut ended: Ended<'_>, probe: Option<Probing>) -> Settled {
        let mut settled = Settled::default();
        let mut filled_up = false;
        let config = self.config.load();
        {
            let mut state = self.state.lock();
            let now = state.steady.read(wall);
            if let Some(settings) = config.quota {
                let waited = state.quotas.spent_but_reserve(settings, now).is_some();
                state.quotas.learn(std::mem::take(&mut ended.readings), now);
                filled_up = waited && state.quotas.spent_but_reserve(settings, now).is_none();
            }
            // What is still under way to an endpoint that was left says nothing of the one that is used now.
            let of_active = state.endpoints.is_active(&ended.chosen.url) && !ended.chosen.trying;
            let of_endpoint = match ended.kind {
                _ if !ended.sent => Some(None),
                Some(FailureKind::Unknown) if !ended.chosen.trying => None,
                // One that asks to be left alone is not back.
                _ => Some(Some(ended.failed() || ended.chosen.trying && ended.away.is_some())),
            };
            if let Some(failed) = of_endpoint {
                settled.switched = state.endpoints.ended(ended.chosen, failed, now);
            }
            if settled.switched.is_some() {
                state.breaker.begin_anew();
                // Closed by this, it must not be open again after a restart.
                settled.save_breaker = state.breaker.is_on();
            } else if ended.sent && (of_active || probe.is_some()) {
                settled.breaker = state.breaker.record(now, wall, &ended, probe.is_some());
                if let Some(probe) = probe {
                    probe.answered();
                }
                if matches!(settled.breaker, Some(Change::Opened { .. } | Change::StaysOpen)) {
                    settled.switched = state.endpoints.fail_over(now);
                    if settled.switched.is_some() {
                        let was_open = settled.breaker == Some(Change::StaysOpen);
                        state.breaker.begin_anew();
                        settled.breaker = was_open.then_some(Change::Closed);
                    }
                }
            }
            let told = settled.breaker == Some(Change::StaysOpen) && ended.away.is_some();
            settled.save_breaker |= told || matches!(settled.breaker, Some(Change::Opened { .. } | Change::Closed));
        }
        if settled.breaker.is_some() || settled.switched.is_some() || filled_up {
            self.changed();
        }
        settled
    }

    /// The breaker was switched off, and the ledger may keep it still: it is to be saved.
    pub fn forgets_breaker(&self) -> bool {
        self.state.lock().breaker.is_to_be_forgotten()
    }

    pub(super) fn breaker_to_save(&self) -> Option<(SavedGate, GateStep)> {
        let mut state = self.state.lock();
        let now = state.steady.read(self.clock.now());
        state.breaker.to_save(&self.name, now, state.steady)
    }

    pub(super) fn breaker_was_saved(&self) {
        self.state.lock().breaker.was_saved();
    }

    /// By a person; it is to be saved. False: the breaker is off.
    pub fn hold(&self, hold: Hold, wall: Timestamp, why: Option<&str>) -> bool {
        let is_on = {
            let mut state = self.state.lock();
            state.breaker.hold(hold, wall, why);
            state.breaker.is_on()
        };
        self.changed();
        is_on
    }

    pub(super) fn restore(&self, gate: &SavedGate) {
        let mut state = self.state.lock();
        let now = state.steady.read(self.clock.now());
        state.breaker.restore(gate, now);
    }

    pub fn view(&self, wall: Timestamp) -> SystemView {
        let mut state = self.state.lock();
        let now = state.steady.read(wall);
        let settings = self.config.load().quota;
        SystemView {
            breaker: state.breaker.view(now, state.steady),
            limits: self.limiter.load().as_ref().map(|limiter| limiter.view()),
            quotas: settings.map(|settings| state.quotas.view(settings, now, state.steady)).unwrap_or_default(),
            endpoints: state.endpoints.view(state.steady),
        }
    }
}

impl Probing {
    fn answered(mut self) {
        self.system = None;
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        if let Some(system) = self.system.take() {
            system.state.lock().breaker.give_probe_back();
            system.changed();
        }
    }
}

fn spent_closed(spent: &Spent, title: &str, steady: Steady, replay: bool) -> Closed {
    let until = steady.to_wall(spent.until);
    let (name, remaining) = (&spent.name, spent.remaining);
    let of = spent.limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let reset = match spent.resets_at {
        Some(at) => format!("It is filled up at {}.", time_of_day(steady.to_wall(at))),
        None => format!("It is looked at again at {}.", time_of_day(until)),
    };
    let explain = if replay {
        format!(
            "{title} has {remaining}{of} left of its quota '{name}', and {} are kept for live traffic. {reset} Lower the \
             reserve in systems/*.toml to let replays use it.",
            spent.reserve
        )
    } else {
        format!("{title} has nothing{of} left of its quota '{name}'. {reset} Waiting uses no try.")
    };
    let since = Some(steady.to_wall(spent.since));
    Closed { reason: HeldReason::Quota, since, until: Some(until), explain }
}
