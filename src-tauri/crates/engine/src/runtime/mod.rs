//! The supervisor: starts the parts over one ledger, and drains them.

mod clock;
mod control;
mod credentials;
mod gates;
mod look;
mod preview;
mod reload;
mod test_event;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use signalbox_model::filter::Filter;
use signalbox_model::{Clock, HeldReason, IdSource, Random, Timestamp};
use signalbox_store::lane::GateScope;
use signalbox_store::read::{ClosedGates, ListQuery};
use signalbox_store::{Lane, LaneId, Store, StoreError};
use signalbox_workspace::{Secrets, Workspace};
use tokio_util::sync::CancellationToken;

use crate::accept::{ActiveIntegration, Intake};
use crate::connect::Deliver;
use crate::dispatch::gate::Gate;
use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::{Dispatcher, Means};
use crate::gates::Systems;
use crate::replay::ReplayService;
use crate::signals::Signals;
use crate::sources::doctor::Doctor;
use crate::sources::webhook::{Doors, Ingress, RefusalBudget};

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
    systems: Systems,
    pauses: Mutex<Pauses>,
    lanes: Mutex<BTreeMap<LaneId, Lane>>,
    stop: CancellationToken,
    ticking: Mutex<Option<tokio::task::JoinHandle<()>>>,
    /// One reload at a time.
    applying: tokio::sync::Mutex<()>,
    /// One preview at a time: each may use a core for its whole time.
    previewing: tokio::sync::Mutex<()>,
    /// One person's files at a time.
    saving: tokio::sync::Mutex<()>,
    active: ArcSwap<BTreeMap<String, Arc<ActiveIntegration>>>,
}

#[derive(Default)]
struct Pauses {
    systems: BTreeMap<String, Timestamp>,
    integrations: BTreeMap<String, Timestamp>,
    /// By `integration/destination`.
    destinations: BTreeMap<String, Timestamp>,
}

impl Pauses {
    /// Those that belong to a lane; its system's are the system's own.
    fn close(&self, lane: &LaneRuntime, gate: &mut Gate) {
        gate.integration_paused_since = self.integrations.get(&lane.integration).copied();
        let name = format!("{}/{}", lane.integration, lane.destination);
        gate.destination_paused_since = self.destinations.get(&name).copied();
    }
}

impl Runtime {
    /// Recovers what an earlier boot left open, then starts dispatch. Nothing is accepted before the caller serves
    /// [`Runtime::ingress_router`].
    pub async fn start(parts: Parts, workspace: Workspace) -> Result<Arc<Self>, StoreError> {
        let Parts { store, deliver, secrets, clock, random, signals } = parts;
        let workspace = Arc::new(workspace);
        let ids = Arc::new(IdSource::new(random.clone()).after(newest_id(store.as_ref(), clock.now()).await?));
        // Before recovery, whose changes are counted on top.
        signals.load(store.clone()).await?;
        let reopened = store.recover(clock.now()).await?;
        if reopened > 0 {
            tracing::warn!(
                reopened,
                "requests were open when Signalbox stopped; they are sent again with the same idempotency keys"
            );
        }
        let saved = store.saved_gates().await?;
        let means = Arc::new(Means { store: store.clone(), deliver, clock: clock.clone(), random, ids: ids.clone() });
        let dispatcher = Dispatcher::new(means.clone());
        let intake = Intake::new(means.clone(), dispatcher.clone());
        let ingress = Arc::new(Ingress {
            doors: ArcSwap::from_pointee(Doors::new()),
            broken: ArcSwap::default(),
            accept: intake.clone(),
            store: store.clone(),
            clock: clock.clone(),
            ids,
            base_url: ArcSwap::from_pointee(String::new()),
            refusals: RefusalBudget::default(),
            doctor: Doctor::default(),
            bodies: Ingress::body_budget(),
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
            systems: Systems::new(clock.clone(), &saved),
            pauses: Mutex::new(Pauses::default()),
            lanes: Mutex::new(BTreeMap::new()),
            stop: CancellationToken::new(),
            ticking: Mutex::new(None),
            applying: tokio::sync::Mutex::new(()),
            previewing: tokio::sync::Mutex::new(()),
            saving: tokio::sync::Mutex::new(()),
            active: ArcSwap::default(),
        });
        {
            let mut pauses = runtime.pauses.lock();
            for gate in saved.iter().filter(|gate| gate.reason == HeldReason::Pause) {
                match gate.scope {
                    GateScope::System => pauses.systems.insert(gate.name.clone(), gate.since),
                    GateScope::Integration => pauses.integrations.insert(gate.name.clone(), gate.since),
                    GateScope::Lane => pauses.destinations.insert(gate.name.clone(), gate.since),
                };
            }
        }
        let lanes = Arc::downgrade(&runtime.dispatcher);
        signals.tell_ready(move |lane, rows| {
            if let Some(lane) = lanes.upgrade().and_then(|dispatcher| dispatcher.lane(lane)) {
                lane.ready(rows);
            }
        });
        runtime.apply_workspace(workspace, &saved).await?;
        let resumed = runtime.replays.resume_jobs().await?;
        if resumed > 0 {
            tracing::info!(resumed, "replays that were under way go on");
        }
        let ticker = tokio::spawn(signals.run(runtime.stop.clone()));
        *runtime.ticking.lock() = Some(ticker);
        tokio::spawn(runtime.clone().watch_credentials());
        tokio::spawn(runtime.clone().watch_clock());
        Ok(runtime)
    }

    /// The service behind the ingress listener.
    pub fn ingress_router(&self) -> crate::sources::webhook::Router {
        crate::sources::webhook::router(self.ingress.clone())
    }

    /// `http://host:port` of the ingress, once it is bound: some schemes sign the URL.
    pub fn set_ingress_url(&self, url: String) {
        self.ingress.base_url.store(Arc::new(url));
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

    /// When the system last confirmed a delivery since the start.
    pub fn last_ok(&self, system: &str) -> Option<Timestamp> {
        let lanes = self.dispatcher.lanes();
        let of_system = lanes.iter().filter(|lane| lane.system_name().as_deref() == Some(system));
        of_system.filter_map(|lane| lane.last_ok.lock().back().copied()).max()
    }

    /// Stops claiming and replaying, waits up to `longest` for what is under way, saves the figures.
    pub async fn drain(&self, longest: Duration) {
        self.dispatcher.stop_claiming();
        let drained = tokio::time::timeout(longest, async {
            tokio::join!(self.replays.drain(), self.intake.drain());
            self.dispatcher.drain().await;
        });
        if drained.await.is_err() {
            tracing::warn!("stopped with work under way; requests that were open are sent again at the next start");
        }
        self.stop.cancel();
        let ticker = self.ticking.lock().take();
        if let Some(ticker) = ticker
            && ticker.await.is_err()
        {
            tracing::warn!("the last figures were not saved");
        }
    }
}

/// The newest id that the ledger holds; 0 for an empty one. A delivery's id is made after its event's.
async fn newest_id(store: &dyn Store, now: Timestamp) -> Result<u128, StoreError> {
    let query = ListQuery { filter: Filter::default(), now, gates: ClosedGates::default(), cursor: None, limit: 1 };
    let page = store.list(query).await?;
    Ok(page.items.first().map_or(0, |newest| newest.id.bits()))
}
