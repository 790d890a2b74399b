//! The supervisor: starts the parts over one ledger, applies the workspace and its changes, and drains.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use signalbox_model::replay::ReplayState;
use signalbox_model::{
    Clock, DeliveryId, DeliveryState, DiscardId, HeldReason, IdSource, Random, ReplayId, Timestamp,
};
use signalbox_net::verify::Verifier;
use signalbox_store::event::Request;
use signalbox_store::lane::{GateScope, SavedGate};
use signalbox_store::read::{ClosedGates, DeliveryRow, Selection};
use signalbox_store::replay::ReplayRow;
use signalbox_store::{Lane, LaneId, Store, StoreError};
use signalbox_workspace::{Integration, Secrets, Source, System, Workspace};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::accept::{ActiveIntegration, Intake};
use crate::connect::Deliver;
use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::{LaneConfig, LaneRuntime};
use crate::dispatch::{Dispatcher, Means};
use crate::replay::ReplayService;
use crate::signals::{Signals, Tag};
use crate::sources::webhook::{Door, Doors, Ingress, RefusalBudget};
use crate::view::{ControlError, Credential, GateView, PauseScope, ReplayPlan, ReplayRequest, TraceStep};

/// What the runtime is made of; the composition root chooses each.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub deliver: Arc<dyn Deliver>,
    pub secrets: Arc<dyn Secrets>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Registered as the store's observer already.
    pub signals: Arc<Signals>,
}

pub struct Runtime {
    means: Arc<Means>,
    secrets: Arc<dyn Secrets>,
    dispatcher: Arc<Dispatcher>,
    intake: Arc<Intake>,
    ingress: Arc<Ingress>,
    replays: Arc<ReplayService>,
    signals: Arc<Signals>,
    workspace: ArcSwap<Workspace>,
    pauses: Mutex<Pauses>,
    lanes: Mutex<BTreeMap<LaneId, Lane>>,
    stop: CancellationToken,
    ticking: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// One reload at a time.
    applying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Pauses {
    systems: BTreeMap<String, Timestamp>,
    integrations: BTreeMap<String, Timestamp>,
}

impl Runtime {
    /// Recovers what an earlier boot left open, then starts dispatch. Nothing is accepted before the caller serves
    /// [`Runtime::ingress_router`].
    pub async fn start(parts: Parts, workspace: Workspace) -> Result<Arc<Self>, StoreError> {
        let Parts { store, deliver, secrets, clock, random, signals } = parts;
        let workspace = Arc::new(workspace);
        let ids = Arc::new(IdSource::new(random.clone()));
        let reopened = store.recover(clock.now()).await?;
        if reopened > 0 {
            tracing::warn!(reopened, "requests were open when Signalbox stopped; they are sent again with the same idempotency keys");
        }
        signals.load(store.clone()).await?;
        let means = Arc::new(Means { store: store.clone(), deliver, clock: clock.clone(), random, ids: ids.clone() });
        let dispatcher = Dispatcher::new(means.clone());
        let intake = Intake::new(means.clone(), dispatcher.clone());
        let ingress = Arc::new(Ingress {
            doors: ArcSwap::from_pointee(Doors::new()),
            accept: intake.clone(),
            store: store.clone(),
            clock,
            ids,
            base_url: ArcSwap::from_pointee(String::new()),
            refusals: RefusalBudget::default(),
        });
        let replays = ReplayService::new(means.clone(), dispatcher.clone());
        let runtime = Arc::new(Self {
            means,
            secrets,
            dispatcher,
            intake,
            ingress,
            replays,
            signals: signals.clone(),
            workspace: ArcSwap::new(workspace.clone()),
            pauses: Mutex::new(Pauses::default()),
            lanes: Mutex::new(BTreeMap::new()),
            stop: CancellationToken::new(),
            ticking: Mutex::new(None),
            applying: tokio::sync::Mutex::new(()),
        });
        let saved = store.saved_gates().await?;
        {
            let mut pauses = runtime.pauses.lock();
            for gate in saved.iter().filter(|gate| gate.reason == HeldReason::Pause) {
                match gate.scope {
                    GateScope::System => pauses.systems.insert(gate.name.clone(), gate.since),
                    GateScope::Integration => pauses.integrations.insert(gate.name.clone(), gate.since),
                    GateScope::Lane => None,
                };
            }
        }
        let active = runtime.apply_workspace(workspace, &saved).await?;
        runtime.intake.resume_unplanned(&active).await?;
        let resumed = runtime.replays.resume_jobs().await?;
        if resumed > 0 {
            tracing::info!(resumed, "replays that were under way go on");
        }
        let ticker = tokio::spawn(signals.run(runtime.stop.clone()));
        *runtime.ticking.lock() = Some(ticker);
        Ok(runtime)
    }

    /// The service behind the ingress listener.
    pub fn ingress_router(&self) -> axum::Router {
        crate::sources::webhook::router(self.ingress.clone())
    }

    /// `http://host:port` of the ingress, once it is bound: some schemes sign the URL.
    pub fn set_ingress_url(&self, url: String) {
        self.ingress.base_url.store(Arc::new(url));
    }

    /// Takes over a changed workspace while running.
    pub async fn apply(&self, workspace: Workspace) -> Result<(), StoreError> {
        self.apply_workspace(Arc::new(workspace), &[]).await.map(|_| ())
    }

    async fn apply_workspace(
        &self,
        workspace: Arc<Workspace>,
        saved: &[SavedGate],
    ) -> Result<BTreeMap<String, Arc<ActiveIntegration>>, StoreError> {
        let _one_at_a_time = self.applying.lock().await;
        let store = &self.means.store;
        let now = self.means.clock.now();
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
                    self.configure(&runtime, integration, index, system).await;
                }
                self.lanes.lock().insert(lane.id, lane);
                lanes.push(runtime);
            }
            let integration = Arc::new(ActiveIntegration { integration: integration.clone(), lanes });
            let Source::Webhook(source) = &integration.integration.source;
            let verifier = self.verifier(source).await;
            doors.insert(source.path.clone(), Arc::new(Door { active: integration.clone(), verifier }));
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
        restore(saved, &self.dispatcher.lanes());
        self.workspace.store(workspace);
        self.apply_pauses();
        self.ingress.doors.store(Arc::new(doors));
        self.signals.touch(Tag::Integrations);
        self.signals.touch(Tag::Systems);
        Ok(active)
    }

    async fn configure(&self, lane: &LaneRuntime, integration: &Arc<Integration>, index: usize, system: &Arc<System>) {
        let secret = match system.auth.secret() {
            None => Ok(None),
            Some(name) => self.secret(name).await.map(Some),
        };
        let missing = secret.as_ref().err().and(system.auth.secret().map(ToString::to_string));
        if let Err(error) = &secret {
            tracing::warn!(system = system.name, error, "the gate stays closed until this is mended");
        }
        let concurrency = integration.destinations.get(index).map_or(1, |to| to.concurrency.max(1));
        let config = LaneConfig {
            integration: integration.clone(),
            index,
            system: system.clone(),
            secret: secret.ok().flatten(),
            in_flight: Arc::new(Semaphore::new(concurrency as usize)),
        };
        lane.config.store(Arc::new(Some(config)));
        {
            let mut gate = lane.gate.lock();
            gate.removed_since = None;
            gate.missing_secret = missing;
            // A changed file or secret deserves a fresh try.
            gate.refused = None;
        }
        lane.nudge();
    }

    /// The keyring may block on a prompt: asked on a blocking thread.
    async fn secret(&self, name: &signalbox_model::SecretName) -> Result<secrecy::SecretString, String> {
        let secrets = self.secrets.clone();
        let asked = name.clone();
        match tokio::task::spawn_blocking(move || secrets.get(&asked)).await {
            Ok(Ok(Some(secret))) => Ok(secret),
            Ok(Ok(None)) => Err(format!("the secret '{name}' is not set")),
            Ok(Err(error)) => Err(format!("the secret '{name}' cannot be read: {error}")),
            Err(_) => Err(format!("the secret '{name}' cannot be read: the keyring stopped unexpectedly")),
        }
    }

    async fn verifier(&self, source: &signalbox_workspace::WebhookSource) -> Result<Verifier, String> {
        let mut secrets = Vec::with_capacity(source.verify.secrets.len());
        for name in &source.verify.secrets {
            secrets.push(self.secret(name).await?);
        }
        let verifier = Verifier::new(&source.verify, secrets).map_err(|error| error.to_string())?;
        for warning in verifier.warnings() {
            tracing::warn!(path = source.path, warning, "a signing secret is weak");
        }
        Ok(verifier)
    }

    fn apply_pauses(&self) {
        let pauses = self.pauses.lock();
        for lane in self.dispatcher.lanes() {
            let system = lane.system_name().unwrap_or_default();
            {
                let mut gate = lane.gate.lock();
                gate.system_paused_since = pauses.systems.get(&system).copied();
                gate.integration_paused_since = pauses.integrations.get(&lane.integration).copied();
            }
            lane.nudge();
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.means.store
    }

    pub fn workspace(&self) -> Arc<Workspace> {
        self.workspace.load_full()
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.means.clock
    }

    pub fn ids(&self) -> &IdSource {
        &self.means.ids
    }

    pub fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    pub fn lane(&self, id: LaneId) -> Option<Lane> {
        self.lanes.lock().get(&id).cloned()
    }

    pub fn gates(&self) -> Vec<GateView> {
        let now = self.means.clock.now();
        self.dispatcher.lanes().iter().map(|lane| crate::gates::view(lane, now)).collect()
    }

    pub fn closed_gates(&self) -> ClosedGates {
        self.gates().into_iter().filter_map(|gate| Some((gate.lane, gate.reason?))).collect()
    }

    /// `None`: there is no such system.
    pub fn credential(&self, system: &str) -> Option<Credential> {
        let workspace = self.workspace();
        let auth = &workspace.systems.get(system)?.auth;
        let Some(secret) = auth.secret().map(ToString::to_string) else { return Some(Credential::None) };
        for lane in self.dispatcher.lanes() {
            if lane.system_name().as_deref() != Some(system) {
                continue;
            }
            let gate = lane.gate.lock();
            if gate.missing_secret.is_some() {
                return Some(Credential::Missing { secret });
            }
            if let Some(refused) = &gate.refused {
                return Some(Credential::Refused { secret, at: refused.since });
            }
        }
        Some(Credential::Ok { secret })
    }

    /// When the system last confirmed a delivery since the start.
    pub fn last_ok(&self, system: &str) -> Option<Timestamp> {
        let lanes = self.dispatcher.lanes();
        let of_system = lanes.iter().filter(|lane| lane.system_name().as_deref() == Some(system));
        of_system.filter_map(|lane| lane.last_ok.lock().back().copied()).max()
    }

    pub async fn pause(&self, scope: PauseScope) -> Result<(), ControlError> {
        self.set_pause(scope, true).await
    }

    pub async fn resume(&self, scope: PauseScope) -> Result<(), ControlError> {
        self.set_pause(scope, false).await
    }

    async fn set_pause(&self, scope: PauseScope, paused: bool) -> Result<(), ControlError> {
        let workspace = self.workspace();
        let now = self.means.clock.now();
        let (gate_scope, name, known, what) = match &scope {
            PauseScope::System(name) => (GateScope::System, name, workspace.systems.contains_key(name), "system"),
            PauseScope::Integration(name) => {
                (GateScope::Integration, name, workspace.integrations.contains_key(name), "integration")
            }
        };
        if !known {
            return Err(ControlError::Missing { what, name: name.clone() });
        }
        let saved = SavedGate {
            scope: gate_scope,
            name: name.clone(),
            reason: HeldReason::Pause,
            since: now,
            until: None,
            explain: String::new(),
        };
        self.means.store.save_gate(saved, paused).await?;
        {
            let mut pauses = self.pauses.lock();
            let set = match gate_scope {
                GateScope::System => &mut pauses.systems,
                GateScope::Integration | GateScope::Lane => &mut pauses.integrations,
            };
            if paused {
                set.entry(name.clone()).or_insert(now);
            } else {
                set.remove(name);
            }
        }
        self.apply_pauses();
        self.signals.touch(Tag::Systems);
        self.signals.touch(Tag::Integrations);
        self.signals.touch(Tag::Deliveries);
        tracing::info!(what, name, paused, "a person changed a pause");
        Ok(())
    }

    pub fn is_paused(&self, scope: &PauseScope) -> bool {
        let pauses = self.pauses.lock();
        match scope {
            PauseScope::System(name) => pauses.systems.contains_key(name),
            PauseScope::Integration(name) => pauses.integrations.contains_key(name),
        }
    }

    pub async fn plan_replay(&self, request: ReplayRequest) -> Result<ReplayPlan, ControlError> {
        self.replays.plan(request).await
    }

    pub async fn start_replay(&self, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        self.replays.start(request).await
    }

    pub async fn pause_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Paused).await
    }

    pub async fn resume_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Running).await
    }

    pub async fn cancel_replay(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        self.replays.move_to(id, ReplayState::Cancelled).await
    }

    pub async fn replay(&self, id: ReplayId) -> Result<Option<ReplayRow>, StoreError> {
        self.replays.replay(id).await
    }

    /// Running and paused ones, newest first.
    pub async fn running_replays(&self) -> Result<Vec<ReplayRow>, StoreError> {
        self.means.store.replays(true, 20).await
    }

    pub async fn discard(
        &self,
        selection: Selection,
        reason: Option<String>,
    ) -> Result<(DiscardId, u64), ControlError> {
        let now = self.means.clock.now();
        let id = DiscardId::from_bits(self.means.ids.next(now));
        let count = self.means.store.discard(id, selection, reason, now).await?;
        self.nudge_all();
        Ok((id, count))
    }

    pub async fn undo_discard(&self, id: DiscardId) -> Result<u64, ControlError> {
        let restored = self.means.store.undo_discard(id, self.means.clock.now()).await?;
        let restored = restored.ok_or_else(|| ControlError::Missing { what: "discard", name: id.to_string() })?;
        self.nudge_all();
        Ok(restored)
    }

    fn nudge_all(&self) {
        for lane in self.dispatcher.lanes() {
            lane.nudge();
        }
    }

    /// `None`: no such delivery.
    pub async fn trace(&self, id: DeliveryId) -> Result<Option<Vec<TraceStep>>, ControlError> {
        let store = &self.means.store;
        let Some(row) = store.delivery(id).await? else { return Ok(None) };
        let Some(event) = store.event(row.event).await? else { return Ok(None) };
        let raw = store.event_body(row.event).await?.unwrap_or_default();
        let Some(integration) = self.version_of(&event.integration, &event.version).await? else {
            return Ok(Some(Vec::new()));
        };
        let work = move || crate::trace::compute(&integration, &row, &event, &raw);
        let trace = tokio::task::spawn_blocking(work).await;
        Ok(Some(trace.map_err(|_| ControlError::WrongState("a step stopped unexpectedly".into()))?))
    }

    /// The integration as it was when the event came, from memory or from the kept files.
    async fn version_of(&self, name: &str, version: &str) -> Result<Option<Arc<Integration>>, StoreError> {
        if let Some(now) = self.workspace().integrations.get(name).filter(|now| now.version == version) {
            return Ok(Some(now.clone()));
        }
        let Some(files) = self.means.store.version_files(name, version).await? else { return Ok(None) };
        Ok(signalbox_workspace::integration_from_files(name, &files).map(Arc::new))
    }

    pub fn explain(&self, row: &DeliveryRow) -> String {
        let lane = self.dispatcher.lane(row.lane);
        crate::explain::explain(row, lane.as_deref(), self.means.clock.now())
    }

    /// What the row reads as now, gates included.
    pub fn shown_state(&self, row: &DeliveryRow) -> (DeliveryState, Option<HeldReason>) {
        let verdict = self.dispatcher.lane(row.lane).map(|lane| lane.verdict(self.means.clock.now()));
        crate::explain::shown_state(row, verdict.as_ref().unwrap_or(&Verdict::Clear))
    }

    /// Of one round; `None` when the destination is gone.
    pub fn max_attempts(&self, lane: LaneId) -> Option<u32> {
        let lane = self.dispatcher.lane(lane)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        Some(config.destination()?.retry.max_attempts())
    }

    /// URL and headers as sent, credentials masked.
    pub fn masked_request(
        &self,
        lane: LaneId,
        request: &Request,
        delivery: DeliveryId,
        revision: u32,
    ) -> (String, Vec<(String, String)>) {
        match self.dispatcher.lane(lane) {
            Some(lane) => crate::masked::as_sent(&lane, request, delivery, revision, self.means.clock.now()),
            None => (request.path.clone(), request.headers.clone()),
        }
    }

    /// Stops claiming and replaying, waits up to `longest` for what is under way, saves the figures.
    pub async fn drain(&self, longest: Duration) {
        let started = tokio::time::Instant::now();
        if tokio::time::timeout(longest, self.replays.drain()).await.is_err() {
            tracing::warn!("replays are still under way; they go on at the next start");
        }
        if tokio::time::timeout(longest.saturating_sub(started.elapsed()), self.intake.drain()).await.is_err() {
            tracing::warn!("events are still in their steps; they are tried at the next start");
        }
        self.dispatcher.drain(longest.saturating_sub(started.elapsed())).await;
        self.stop.cancel();
        let ticker = self.ticking.lock().take();
        if let Some(ticker) = ticker
            && ticker.await.is_err()
        {
            tracing::warn!("the last figures were not saved");
        }
    }
}

/// Retry-After waits that outlived the restart.
fn restore(saved: &[SavedGate], lanes: &[Arc<LaneRuntime>]) {
    for gate in saved.iter().filter(|gate| gate.scope == GateScope::Lane && gate.reason == HeldReason::Rate) {
        let Some(until) = gate.until else { continue };
        let status = gate.explain.parse().unwrap_or(429);
        for lane in lanes.iter().filter(|lane| gate.name == format!("{}/{}", lane.integration, lane.destination)) {
            lane.gate.lock().close_until(gate.since, until, status);
        }
    }
}
