//! One system at work: the gates that its lanes share.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use signalbox_model::{HeldReason, Timestamp};
use signalbox_workspace::System;

use super::breaker::Guarded;
use super::steady::Steady;
use super::view::{EndpointView, SystemView};
use crate::dispatch::gate::{Closed, Verdict};

/// What all lanes to one system share. Made when the workspace first names it, and kept over reloads.
pub struct SystemRuntime {
    pub name: String,
    config: ArcSwap<System>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    steady: Steady,
    paused_since: Option<Timestamp>,
    breaker: Guarded,
}

impl SystemRuntime {
    pub fn new(config: Arc<System>) -> Self {
        let breaker = Guarded::new(config.breaker);
        let state = State { steady: Steady::default(), paused_since: None, breaker };
        Self { name: config.name.clone(), config: ArcSwap::new(config), state: Mutex::new(state) }
    }

    pub fn config(&self) -> Arc<System> {
        self.config.load_full()
    }

    pub fn configure(&self, config: &Arc<System>) {
        self.config.store(config.clone());
        self.state.lock().breaker.configure(config.breaker);
    }

    pub fn set_paused(&self, since: Option<Timestamp>) {
        self.state.lock().paused_since = since;
    }

    pub fn is_paused(&self) -> bool {
        self.state.lock().paused_since.is_some()
    }

    /// What the system as a whole allows now, whatever a lane's own gate says.
    pub fn verdict(&self, _now: Timestamp) -> Verdict {
        let state = self.state.lock();
        if let Some(since) = state.paused_since {
            let title = &self.config.load().title;
            let explain = format!("{title} is paused. It goes on when somebody resumes it.");
            return Verdict::Closed(Closed { reason: HeldReason::Pause, since: Some(since), until: None, explain });
        }
        Verdict::Clear
    }

    pub fn view(&self, now: Timestamp) -> SystemView {
        let config = self.config.load();
        let mut state = self.state.lock();
        let steady = state.steady.read(now);
        let urls = std::iter::once(&config.base_url).chain(&config.failover);
        SystemView {
            breaker: state.breaker.view(steady, state.steady),
            limits: None,
            quotas: Vec::new(),
            endpoints: urls
                .enumerate()
                .map(|(index, url)| EndpointView {
                    url: url.to_string(),
                    active: index == 0,
                    failed_at: None,
                    next_try_at: None,
                })
                .collect(),
        }
    }
}

/// Every system that the workspace named since the start.
#[derive(Default)]
pub struct Systems {
    all: Mutex<BTreeMap<String, Arc<SystemRuntime>>>,
}

impl Systems {
    pub fn get(&self, name: &str) -> Option<Arc<SystemRuntime>> {
        self.all.lock().get(name).cloned()
    }

    pub fn all(&self) -> Vec<Arc<SystemRuntime>> {
        self.all.lock().values().cloned().collect()
    }

    /// The system as the workspace says it now.
    pub fn ensure(&self, config: &Arc<System>) -> Arc<SystemRuntime> {
        let mut all = self.all.lock();
        let known = all.entry(config.name.clone()).or_insert_with(|| Arc::new(SystemRuntime::new(config.clone())));
        known.configure(config);
        known.clone()
    }
}
