//! Which workspace runs: the person's own, or the sandbox that the panel can start beside it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use signalbox_api::dto::session::{Session, SessionWorkspace};
use signalbox_api::{Host, HostError, Instance};
use signalbox_workspace::{Lock, RuntimeFile, make_private_dir, private_dir};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::instance::{DRAIN, Running, Sandboxed};
use super::{AppOptions, World, default_workspace, token};

pub struct AppHost {
    world: Arc<World>,
    home: PathBuf,
    /// Where the panel's sandbox lives: a workspace of its own inside the private folder.
    sandbox_dir: PathBuf,
    seed: u64,
    /// `serve --sandbox`: the simulated systems run in the workspace itself.
    sandbox_at_home: bool,
    token: String,
    api_url: String,
    api: SocketAddr,
    ingress: SocketAddr,
    current: ArcSwapOption<Instance>,
    running: Mutex<Option<Running>>,
    switching: AtomicBool,
    /// Of the home workspace, held while the sandbox runs too: the person comes back to it.
    _lock: Lock,
}

/// The person's own workspace, locked for this process.
pub struct Home {
    dir: PathBuf,
    lock: Lock,
}

impl Home {
    /// Before anything listens, so that a second start hears of the first one and not of a port that is taken.
    pub fn take(options: &AppOptions) -> anyhow::Result<Self> {
        let dir = match &options.workspace {
            Some(dir) => dir.clone(),
            None => default_workspace().context("no home folder is known; name the workspace with --workspace")?,
        };
        std::fs::create_dir_all(&dir).with_context(|| format!("the workspace {} cannot be made", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("{} cannot be reached", dir.display()))?;
        let lock = Lock::take(&dir, std::process::id())?;
        Ok(Self { dir, lock })
    }
}

impl AppHost {
    pub async fn start(
        Home { dir: home, lock }: Home,
        options: &AppOptions,
        world: Arc<World>,
        api_url: String,
        api: SocketAddr,
    ) -> anyhow::Result<Arc<Self>> {
        let sandboxed = options.sandbox.then_some(Sandboxed { seed: options.seed });
        let running = Running::start(&home, options.ingress, api, sandboxed, &world).await?;
        let private = make_private_dir(&home)?;
        let token = token::load_or_make(&private, world.random.as_ref())?;
        let ingress = bound(&running.instance.ingress_url).unwrap_or(options.ingress);
        Ok(Arc::new(Self {
            world,
            sandbox_dir: private.join("sandbox"),
            home,
            seed: options.seed,
            sandbox_at_home: options.sandbox,
            token,
            api_url,
            api,
            ingress,
            current: ArcSwapOption::new(Some(running.instance.clone())),
            running: Mutex::new(Some(running)),
            switching: AtomicBool::new(false),
            _lock: lock,
        }))
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// In the workspace that runs, and at home, where the command line looks first.
    pub async fn write_runtime_files(&self) -> anyhow::Result<()> {
        let running = self.running.lock().await;
        if let Some(running) = running.as_ref() {
            self.write_runtime_file(running)?;
        }
        Ok(())
    }

    fn write_runtime_file(&self, running: &Running) -> anyhow::Result<()> {
        let sandbox = running.instance.sandbox.as_ref().map_or_else(BTreeMap::new, |sandbox| sandbox.urls());
        let file = RuntimeFile {
            pid: std::process::id(),
            api: self.api_url.clone(),
            ingress: running.instance.ingress_url.clone(),
            token: self.token.clone(),
            sandbox,
        };
        file.write(&running.dir)?;
        if running.dir != self.home {
            file.write(&self.home)?;
        }
        Ok(())
    }

    pub async fn stop(&self, deadline: Instant) {
        let Some(running) = self.running.lock().await.take() else { return };
        for dir in [&running.dir, &self.home] {
            if let Err(error) = RuntimeFile::remove(dir, std::process::id()) {
                tracing::warn!(%error, "runtime.json stays behind");
            }
        }
        running.stop(deadline).await;
        self.current.store(None);
    }

    async fn switch(&self, dir: &Path, sandboxed: Option<Sandboxed>) -> Result<(), HostError> {
        let mut slot = self.running.lock().await;
        if slot.as_ref().is_some_and(|running| running.dir == dir) {
            return Ok(());
        }
        self.switching.store(true, Ordering::Release);
        let switched = self.replace(&mut slot, dir, sandboxed).await;
        self.switching.store(false, Ordering::Release);
        switched
    }

    async fn replace(
        &self,
        slot: &mut Option<Running>,
        dir: &Path,
        sandboxed: Option<Sandboxed>,
    ) -> Result<(), HostError> {
        self.current.store(None);
        let before = slot.take();
        if let Some(running) = before {
            let left = running.dir.clone();
            running.stop(Instant::now() + DRAIN).await;
            if left != self.home {
                // It is not running any more; what it said would mislead the command line.
                RuntimeFile::remove(&left, std::process::id()).ok();
            }
        }
        let started = Running::start(dir, self.ingress, self.api, sandboxed, &self.world).await;
        let running = match started {
            Ok(running) => running,
            Err(error) => {
                tracing::error!("switching to {} failed: {error:#}", dir.display());
                // Back to the person's own workspace rather than to nothing.
                let home = Running::start(&self.home, self.ingress, self.api, self.home_sandbox(), &self.world).await;
                if let Ok(running) = home {
                    self.current.store(Some(running.instance.clone()));
                    *slot = Some(running);
                }
                return Err(HostError::Failed(format!("{error:#}")));
            }
        };
        self.current.store(Some(running.instance.clone()));
        let written = self.write_runtime_file(&running);
        *slot = Some(running);
        written.map_err(|error| HostError::Failed(format!("{error:#}")))
    }

    fn home_sandbox(&self) -> Option<Sandboxed> {
        self.sandbox_at_home.then_some(Sandboxed { seed: self.seed })
    }
}

impl Host for AppHost {
    fn session(&self) -> Session {
        let current = self.current.load_full();
        let workspace = current.as_ref().map(|instance| instance.runtime.workspace());
        let simulated = current.as_ref().is_some_and(|instance| instance.sandbox.is_some());
        let empty = workspace.as_ref().is_none_or(|workspace| workspace.is_empty());
        let (name, path) = workspace.as_ref().map_or_else(
            || (String::new(), self.home.display().to_string()),
            |workspace| (workspace.name.clone(), workspace.dir.display().to_string()),
        );
        Session {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workspace: SessionWorkspace { name, path, sandbox: simulated, empty },
            first_run: empty && !simulated,
            can_start_sandbox: !simulated,
            ingress: current
                .map_or_else(|| format!("http://{}", self.ingress), |instance| instance.ingress_url.clone()),
            api: self.api_url.clone(),
        }
    }

    fn current(&self) -> Option<Arc<Instance>> {
        self.current.load_full()
    }

    fn is_switching(&self) -> bool {
        self.switching.load(Ordering::Acquire)
    }

    fn start_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async {
            if self.sandbox_at_home {
                return Ok(());
            }
            self.switch(&self.sandbox_dir, Some(Sandboxed { seed: self.seed })).await
        })
    }

    fn leave_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async {
            if self.sandbox_at_home {
                let told = "Signalbox was started with --sandbox; start it without to leave the sandbox.";
                return Err(HostError::WrongState(told.to_owned()));
            }
            self.switch(&self.home, None).await
        })
    }

    fn delete_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async {
            self.leave_sandbox().await?;
            let dir = self.sandbox_dir.clone();
            // Only ever the folder that this program made for it.
            if dir.parent() != Some(private_dir(&self.home).as_path()) {
                return Err(HostError::Failed("the sandbox's folder is not where it was made".to_owned()));
            }
            match tokio::fs::remove_dir_all(&dir).await {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(HostError::Failed(format!("{} cannot be removed: {error}", dir.display()))),
            }
        })
    }
}

fn bound(url: &str) -> Option<SocketAddr> {
    url.strip_prefix("http://")?.parse().ok()
}
