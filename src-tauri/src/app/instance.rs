//! One running workspace: ledger, engine, ingress, watcher and, where asked, the simulated systems.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::SecretString;
use signalbox_api::Instance;
use signalbox_engine::signals::Signals;
use signalbox_engine::{Parts, Runtime};
use signalbox_model::SecretName;
use signalbox_net::client::{Client, OwnListeners, SystemResolver};
use signalbox_net::serve::{ServeLimits, listen, serve};
use signalbox_sandbox::{Sandbox, SandboxConfig};
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_workspace::secrets::SecretError;
use signalbox_workspace::{EnvThenKeyring, Keyring, MapSecrets, Secrets, Watcher, make_private_dir};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::World;

/// How long everything together may take after the order to stop: requests, deliveries on the wire, the API.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Enough for some thousands of deliveries to end on a full disk.
const BALLAST: u64 = 8 << 20;

pub struct Running {
    pub instance: Arc<Instance>,
    pub dir: PathBuf,
    store: Arc<SqliteStore>,
    ingress: (CancellationToken, JoinHandle<()>),
    reloads: JoinHandle<()>,
    watcher: Option<Watcher>,
}

pub struct Sandboxed {
    pub seed: u64,
}

impl Running {
    /// Recovers the workspace's ledger and opens the ingress. The workspace is locked by the caller.
    pub async fn start(
        dir: &Path,
        ingress: SocketAddr,
        api: SocketAddr,
        sandboxed: Option<Sandboxed>,
        world: &World,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("the workspace {} cannot be made", dir.display()))?;
        let private = make_private_dir(dir)?;
        let sandbox = match &sandboxed {
            Some(sandboxed) => Some(Arc::new(start_sandbox(dir, sandboxed.seed, world)?)),
            None => None,
        };
        let workspace = signalbox_workspace::load(dir)?;
        for problem in &workspace.problems {
            tracing::warn!("{problem}");
        }
        let boot = u64::try_from(world.clock.now().as_micros()).unwrap_or(0);
        let signals = Signals::new(world.clock.clone(), boot);
        let options = SqliteOptions { ballast: BALLAST, ..SqliteOptions::default() };
        let store = SqliteStore::open(&private, options, world.clock.clone(), signals.clone()).await?;
        let listener = listen(ingress)
            .with_context(|| format!("the ingress cannot listen on {ingress}; choose another with --ingress"))?;
        let ingress = listener.local_addr()?;
        let own: OwnListeners = Arc::new(move || vec![ingress, api]);
        let client = Client::new(Arc::new(SystemResolver), own)?;
        let parts = Parts {
            store: store.clone(),
            deliver: Arc::new(client),
            secrets: secrets(dir, sandbox.as_deref(), world)?,
            clock: world.clock.clone(),
            random: world.random.clone(),
            signals,
        };
        let runtime = Runtime::start(parts, workspace).await?;
        let ingress_url = format!("http://{ingress}");
        runtime.set_ingress_url(ingress_url.clone());
        let stop = CancellationToken::new();
        let router = runtime.ingress_router();
        let stopping = stop.clone();
        let serving = tokio::spawn(async move {
            serve(listener, router, ServeLimits::default(), stopping).await;
        });
        if let Some(sandbox) = &sandbox {
            sandbox.send_to(ingress_url.clone());
        }
        let (changed, changes) = mpsc::channel(1);
        // A change while one is being read is not lost: the reload after it sees both.
        let watcher = signalbox_workspace::watch(dir, move || {
            let _waiting_already = changed.try_send(());
        });
        let watcher = watcher.inspect_err(|error| tracing::warn!(%error, "changes of files are not noticed")).ok();
        let reloads = tokio::spawn(reload_on_change(runtime.clone(), changes));
        let instance = Arc::new(Instance { runtime, sandbox, ingress_url });
        Ok(Self { instance, dir: dir.to_owned(), store, ingress: (stop, serving), reloads, watcher })
    }

    /// Stops taking, lets what is on the wire end until `deadline`, closes the ledger.
    pub async fn stop(mut self, deadline: Instant) {
        drop(self.watcher.take());
        self.reloads.abort();
        let (stop, serving) = self.ingress;
        stop.cancel();
        if serving.await.is_err() {
            tracing::warn!("the ingress ended unexpectedly");
        }
        self.instance.runtime.drain(deadline.saturating_duration_since(Instant::now())).await;
        self.store.close().await;
    }
}

fn start_sandbox(dir: &Path, seed: u64, world: &World) -> anyhow::Result<Sandbox> {
    // The simulated Salesforce calls our own ingress, which the guard against loops would refuse.
    let client = Client::new(Arc::new(SystemResolver), Arc::new(Vec::new))?;
    let config = SandboxConfig { seed, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config, world.clock.clone(), Arc::new(client))?;
    sandbox.write_workspace(dir)?;
    Ok(sandbox)
}

fn secrets(dir: &Path, sandbox: Option<&Sandbox>, world: &World) -> anyhow::Result<Arc<dyn Secrets>> {
    let person = EnvThenKeyring::of_process(Some(Keyring::of_workspace(dir)), world.clock.clone());
    let Some(sandbox) = sandbox else { return Ok(Arc::new(person)) };
    let simulated = MapSecrets::default();
    for (name, value) in sandbox.secrets() {
        simulated.set(SecretName::new(name)?, value);
    }
    Ok(Arc::new(SandboxFirst { simulated, person }))
}

/// The simulated systems' own secrets need no keyring.
struct SandboxFirst {
    simulated: MapSecrets,
    person: EnvThenKeyring,
}

impl Secrets for SandboxFirst {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, SecretError> {
        match self.simulated.get(name)? {
            Some(secret) => Ok(Some(secret)),
            None => self.person.get(name),
        }
    }
}

async fn reload_on_change(runtime: Arc<Runtime>, mut changes: mpsc::Receiver<()>) {
    while changes.recv().await.is_some() {
        let before = runtime.workspace();
        let read = tokio::task::spawn_blocking(move || signalbox_workspace::reload(&before)).await;
        let workspace = match read {
            Ok(Ok(workspace)) => workspace,
            Ok(Err(error)) => {
                tracing::error!(%error, "the workspace cannot be read; the version that runs goes on");
                continue;
            }
            Err(_) => {
                tracing::error!("reading the workspace stopped unexpectedly; the version that runs goes on");
                continue;
            }
        };
        for problem in &workspace.problems {
            tracing::warn!("{problem}");
        }
        let integrations = workspace.integrations.len();
        match runtime.apply(workspace).await {
            Ok(()) => tracing::info!(integrations, "the changed workspace runs"),
            Err(error) => tracing::error!(%error, "the changed workspace could not be taken over"),
        }
    }
}
