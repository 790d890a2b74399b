//! `signalbox serve`

use std::net::SocketAddr;
use std::process::ExitCode;

use serde_json::json;

use super::Context;
use super::error::CliError;
use crate::app::{App, AppOptions};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Where the API and the panel listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7420")]
    listen: SocketAddr,
    /// Where webhooks come in; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7421")]
    ingress: SocketAddr,
    /// Run the simulated systems too, and fill an empty workspace with the case study
    #[arg(long)]
    sandbox: bool,
    /// Of the sandbox: the same seed gives the same contacts, changes and faults
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// Runs until SIGTERM or SIGINT, then drains. A second signal does not wait for the drain.
pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, CliError> {
    let workspace = context.workspace()?;
    let options = AppOptions {
        workspace: Some(workspace),
        listen: arguments.listen,
        ingress: arguments.ingress,
        sandbox: arguments.sandbox,
        seed: arguments.seed,
        serve_panel: true,
    };
    let mut signals = Signals::new().map_err(CliError::failed("signals cannot be caught"))?;
    let app = App::start(options).await.map_err(|error| CliError::Failed(format!("{error:#}")))?;
    announce(context, &app)?;
    signals.next().await;
    tracing::info!("stopping: what is on its way may end, for up to 10 s");
    tokio::select! {
        () = app.shutdown() => Ok(ExitCode::SUCCESS),
        () = signals.next() => Err(CliError::Failed("stopped without waiting; nothing acknowledged is lost".to_owned())),
    }
}

fn announce(context: &Context, app: &App) -> Result<(), CliError> {
    let (panel, api) = (app.sign_in_link(), app.api_url());
    let ingress = app.ingress_url().unwrap_or_default();
    if context.output.is_json() {
        let pid = std::process::id();
        return context.output.json(&json!({ "pid": pid, "panel": panel, "api": api, "ingress": ingress }));
    }
    context.output.line(&format!("panel   {panel}\napi     {api}\ningress {ingress}"))
}

/// The signals that ask a program to stop.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on they do not end the process.
    #[cfg(unix)]
    pub(super) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
