//! The systems by their names, kept over reloads.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use signalbox_model::{Clock, HeldReason};
use signalbox_store::lane::{GateScope, SavedGate};
use signalbox_workspace::System;

use super::SystemRuntime;

/// Every system that the workspace named since the start.
pub struct Systems {
    clock: Arc<dyn Clock>,
    /// Breakers as an earlier run left them, until their systems come.
    saved: Mutex<BTreeMap<String, SavedGate>>,
    all: Mutex<BTreeMap<String, Arc<SystemRuntime>>>,
}

impl Systems {
    pub fn new(clock: Arc<dyn Clock>, saved: &[SavedGate]) -> Self {
        let breakers = saved
            .iter()
            .filter(|gate| gate.scope == GateScope::System && gate.reason == HeldReason::Breaker)
            .map(|gate| (gate.name.clone(), gate.clone()))
            .collect();
        Self { clock, saved: Mutex::new(breakers), all: Mutex::default() }
    }

    pub fn get(&self, name: &str) -> Option<Arc<SystemRuntime>> {
        self.all.lock().get(name).cloned()
    }

    pub fn all(&self) -> Vec<Arc<SystemRuntime>> {
        self.all.lock().values().cloned().collect()
    }

    /// The system as the workspace says it now.
    pub fn ensure(&self, config: &Arc<System>) -> Arc<SystemRuntime> {
        let mut all = self.all.lock();
        if let Some(known) = all.get(&config.name) {
            if !Arc::ptr_eq(&known.config(), config) {
                known.configure(config);
            }
            return known.clone();
        }
        let new = Arc::new(SystemRuntime::new(config.clone(), self.clock.clone()));
        if let Some(gate) = self.saved.lock().remove(&config.name) {
            new.restore(&gate);
        }
        all.insert(config.name.clone(), new.clone());
        new
    }
}
