//! The program as one object: started, asked through its router, shut down.

mod host;
mod instance;
mod paths;
mod system;
mod token;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use signalbox_api::{ApiOptions, Host as _, InProcess, SignIn};
use signalbox_model::{Clock, Random, SystemClock};
use signalbox_net::serve::{ServeLimits, listen, serve};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use host::{AppHost, Home};
use instance::DRAIN;
pub use paths::default_workspace;
use system::SystemRandom;

/// For answers of the API after the ledger is closed.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// How the program is started.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// The workspace folder; none: the one in the platform's data folder.
    pub workspace: Option<PathBuf>,
    /// Where the API listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where webhooks come in; port 0 takes any free one.
    pub ingress: SocketAddr,
    /// Run the simulated systems in this workspace, and fill it with the case study where it is empty.
    pub sandbox: bool,
    /// Of the sandbox.
    pub seed: u64,
    /// Serve the panel to browsers.
    pub serve_panel: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            workspace: None,
            listen: SocketAddr::new(loopback, 7420),
            ingress: SocketAddr::new(loopback, 7421),
            sandbox: false,
            seed: 7,
            serve_panel: false,
        }
    }
}

/// What every part of the program shares.
pub(crate) struct World {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

pub struct App {
    host: Arc<AppHost>,
    router: Router,
    api_url: String,
    sign_in: Arc<SignIn>,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
}

impl App {
    /// Returns when everything listens and `runtime.json` is written.
    pub async fn start(options: AppOptions) -> anyhow::Result<Self> {
        system::install_crypto();
        system::raise_descriptors();
        let world = Arc::new(World { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) });
        let home = Home::take(&options)?;
        let listener = listen(options.listen)
            .with_context(|| format!("the API cannot listen on {}; choose another with --listen", options.listen))?;
        let listening = listener.local_addr()?;
        let api_url = format!("http://{listening}");
        let host = AppHost::start(home, &options, world.clone(), api_url.clone(), listening).await?;
        let token = host.token().to_owned();
        let sign_in = Arc::new(SignIn::new(&token, world.clock.clone(), world.random.clone()));
        let api_options = ApiOptions { token, listening, serve_panel: options.serve_panel, sign_in: sign_in.clone() };
        let router = signalbox_api::router(host.clone(), api_options);
        let stop = CancellationToken::new();
        let served = router.clone();
        let stopping = stop.clone();
        let serving = tokio::spawn(async move {
            serve(listener, served, ServeLimits::default(), stopping).await;
        });
        host.write_runtime_files().await?;
        Ok(Self { host, router, api_url, sign_in, stop, serving })
    }

    /// For calls from inside this process: they need no token.
    pub fn router(&self) -> Router {
        self.router.clone().layer(axum::Extension(InProcess))
    }

    /// `http://host:port` of the API.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// `http://host:port` of the ingress; none while the workspace is being switched.
    pub fn ingress_url(&self) -> Option<String> {
        self.host.current().map(|instance| instance.ingress_url.clone())
    }

    /// Good for one browser.
    pub fn sign_in_link(&self) -> String {
        self.sign_in.new_link(&self.api_url)
    }

    /// Stops taking, drains for up to 10 s, closes the ledger.
    pub async fn shutdown(self) {
        let deadline = Instant::now() + DRAIN;
        self.host.stop(deadline).await;
        self.stop.cancel();
        // Whatever the others took, an answer that is being written may end.
        let last = deadline.max(Instant::now() + LAST_ANSWERS);
        match tokio::time::timeout_at(last, self.serving).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::warn!("the API's listener ended unexpectedly"),
            Err(_) => tracing::warn!("API requests that did not end in time are cut"),
        }
    }
}
