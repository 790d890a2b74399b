//! From a checked workspace to running lanes and open doors, at start and at every change of a file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secrecy::SecretString;
use signalbox_model::auth::Auth;
use signalbox_model::limits::Concurrency;
use signalbox_model::{HeldReason, Timestamp};
use signalbox_net::doctor::Known;
use signalbox_net::verify::Verifier;
use signalbox_store::StoreError;
use signalbox_store::lane::{GateScope, SavedGate};
use signalbox_workspace::{Integration, Source, System, Workspace};

use super::Runtime;
use crate::accept::ActiveIntegration;
use crate::background::in_background;
use crate::dispatch::gate::Gate;
use crate::dispatch::lane::{LaneConfig, LaneRuntime};
use crate::gates::concurrency::Places;
use crate::signals::Tag;
use crate::sources::webhook::{Broken, Door, Doors};

impl Runtime {
    /// Takes over a changed workspace while running.
    pub async fn apply(&self, workspace: Workspace) -> Result<(), StoreError> {
        self.apply_workspace(Arc::new(workspace), &[]).await
    }

    pub(super) async fn apply_workspace(
        &self,
        workspace: Arc<Workspace>,
        saved: &[SavedGate],
    ) -> Result<(), StoreError> {
        let _one_at_a_time = self.applying.lock().await;
        let store = &self.means.store;
        let now = self.means.clock.now();
        for system in workspace.systems.values() {
            let system = self.systems.ensure(system);
            if system.forgets_breaker() {
                system.save_breaker(|gate, step| store.save_gate(gate, step)).await?;
            }
        }
        let mut active = BTreeMap::new();
        let mut present = BTreeSet::new();
        let mut doors = Doors::new();
        for (name, integration) in &workspace.integrations {
            store.save_version(name, &integration.version, now, &integration.files).await?;
            let mut lanes = Vec::with_capacity(integration.destinations.len());
            for (index, destination) in integration.destinations.iter().enumerate() {
                let lane = store.ensure_lane(name, &destination.name, &destination.system).await?;
                present.insert(lane.id);
                let runtime = self.dispatcher.ensure(lane.id, name, &destination.name);
                if let Some(system) = workspace.systems.get(&destination.system) {
                    self.configure(&runtime, integration, index, system, saved).await;
                }
                self.lanes.lock().insert(lane.id, lane);
                lanes.push(runtime);
            }
            let integration = Arc::new(ActiveIntegration { integration: integration.clone(), lanes });
            let Source::Webhook(source) = &integration.integration.source;
            let (verifier, secrets) = match self.verifier(name, source).await {
                Ok((verifier, secrets)) => (Ok(verifier), secrets),
                Err(error) => (Err(error), Vec::new()),
            };
            doors.insert(source.path.clone(), Arc::new(Door { active: integration.clone(), verifier, secrets }));
            active.insert(name.clone(), integration);
        }
        for lane in store.lanes().await? {
            let runtime = self.dispatcher.ensure(lane.id, &lane.integration, &lane.destination);
            if !present.contains(&lane.id) {
                runtime.config.store(Arc::new(None));
                runtime.gate.lock().removed_since = Some(now);
            }
            self.lanes.lock().entry(lane.id).or_insert(lane);
        }
        self.workspace.store(workspace.clone());
        self.apply_pauses();
        self.ingress.broken.store(Arc::new(broken(&workspace)));
        self.ingress.doors.store(Arc::new(doors));
        self.signals.touch(Tag::Integrations);
        self.signals.touch(Tag::Systems);
        self.active.store(Arc::new(active));
        self.intake.resume_unplanned(&self.active.load()).await
    }

    async fn configure(
        &self,
        lane: &LaneRuntime,
        integration: &Arc<Integration>,
        index: usize,
        system: &Arc<System>,
        saved: &[SavedGate],
    ) {
        let (secrets, errors) = self.outgoing(&system.auth).await;
        let missing = system.auth.secret().filter(|_| secrets.is_empty()).map(ToString::to_string);
        for error in errors {
            if missing.is_some() {
                tracing::warn!(system = system.name, error, "the gate stays closed until this is mended");
            } else {
                tracing::warn!(
                    system = system.name,
                    error,
                    "requests are signed with the other secret of the rotation"
                );
            }
        }
        let concurrency = integration.destinations.get(index).map_or(Concurrency::fixed(1), |to| to.concurrency);
        // What was learnt about a destination stays true when its file changes elsewhere.
        let known = lane.config.load_full().as_ref().as_ref().map(|config| config.places.clone());
        let places =
            known.filter(|places| places.settings() == concurrency).unwrap_or_else(|| Places::new(concurrency));
        let config = LaneConfig {
            integration: integration.clone(),
            index,
            system: system.clone(),
            secrets,
            places,
            gates: self.systems.ensure(system),
        };
        {
            // All of it under one lock: a lane must not send between being opened and being closed again.
            let pauses = self.pauses.lock();
            let mut gate = lane.gate.lock();
            config.gates.set_paused(pauses.systems.get(&system.name).copied());
            pauses.close(lane, &mut gate);
            restore(saved, lane, &mut gate, self.means.clock.now());
            gate.removed_since = None;
            lane.config.store(Arc::new(Some(config)));
            gate.missing_secret = missing;
            // A changed file or secret deserves a fresh try.
            gate.refused = None;
        }
        lane.nudge();
    }

    /// The secrets of an auth that are set, the newest first, and why the others are not there.
    pub(super) async fn outgoing(&self, auth: &Auth) -> (Vec<SecretString>, Vec<String>) {
        let (mut set, mut errors) = (Vec::new(), Vec::new());
        for name in auth.secrets() {
            match self.secret(name).await {
                Ok(secret) => set.push(secret),
                Err(error) => errors.push(error),
            }
        }
        (set, errors)
    }

    /// The keyring may block on a prompt: asked in the background.
    pub(super) async fn secret(&self, name: &signalbox_model::SecretName) -> Result<SecretString, String> {
        let secrets = self.secrets.clone();
        let asked = name.clone();
        match in_background(move || secrets.get(&asked)).await {
            Some(Ok(Some(secret))) => Ok(secret),
            Some(Ok(None)) => Err(format!("the secret '{name}' is not set")),
            Some(Err(error)) => Err(format!("the secret '{name}' cannot be read: {error}")),
            None => Err(format!("the secret '{name}' cannot be read: the keyring stopped unexpectedly")),
        }
    }

    /// What judges the requests of an integration's source, and the secrets it was made of.
    pub(super) async fn verifier(
        &self,
        integration: &str,
        source: &signalbox_workspace::WebhookSource,
    ) -> Result<(Verifier, Vec<Known>), String> {
        let mut known = Vec::with_capacity(source.verify.secrets.len());
        for name in &source.verify.secrets {
            let value = self.secret(name).await?;
            known.push(Known { name: name.clone(), integration: integration.to_owned(), value });
        }
        let secrets = known.iter().map(|known| known.value.clone()).collect();
        let verifier = Verifier::new(&source.verify, secrets).map_err(|error| error.to_string())?;
        for warning in verifier.warnings() {
            tracing::warn!(path = source.path, warning, "a signing secret is weak");
        }
        Ok((verifier, known))
    }
}

fn broken(workspace: &Workspace) -> Broken {
    let mut broken = Broken::default();
    for name in workspace.broken.keys() {
        match workspace.broken_paths.get(name) {
            Some(path) => {
                broken.paths.insert(path.clone(), name.clone());
            }
            None => broken.somewhere = Some(name.clone()),
        }
    }
    broken
}

/// Retry-After waits that outlived the restart. One that was written while the clock was ahead lasts as long as it was meant
/// to, from now on.
fn restore(saved: &[SavedGate], lane: &LaneRuntime, gate: &mut Gate, now: Timestamp) {
    let name = format!("{}/{}", lane.integration, lane.destination);
    let waits =
        |saved: &&SavedGate| saved.scope == GateScope::Lane && saved.reason == HeldReason::Rate && saved.name == name;
    for saved in saved.iter().filter(waits) {
        if let Some(until) = saved.until {
            let ahead = saved.since.since(now);
            gate.close_until(saved.since.min(now), until.minus(ahead), saved.explain.parse().unwrap_or(429));
        }
    }
}
