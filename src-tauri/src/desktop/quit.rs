//! Leaving: the window closes at once, the engine drains, then the process ends.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tauri::{AppHandle, ExitRequestApi, Manager, Runtime};

use super::engine::Engine;

/// How long requests in flight may take to end. What has not ended by then is open in the ledger and is tried again at the next start.
pub const DRAIN: Duration = Duration::from_secs(10);

/// How far the leaving has come.
#[derive(Default)]
pub struct Quit(AtomicU8);

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const DRAINED: u8 = 2;

impl Quit {
    /// Holds up the first request to exit until the engine has drained; lets the exit after that through.
    pub fn on_exit_requested<R: Runtime>(&self, app: &AppHandle<R>, api: &ExitRequestApi) {
        match self.0.compare_exchange(RUNNING, DRAINING, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => {
                api.prevent_exit();
                let app = app.clone();
                tauri::async_runtime::spawn(async move {
                    drain(&app.state::<Engine>()).await;
                    app.state::<Quit>().0.store(DRAINED, Ordering::SeqCst);
                    app.exit(0);
                });
            }
            Err(DRAINING) => api.prevent_exit(),
            Err(_) => {}
        }
    }
}

async fn drain(engine: &Engine) {
    let Some(app) = engine.take() else { return };
    if tokio::time::timeout(DRAIN, app.shutdown()).await.is_err() {
        tracing::warn!(
            seconds = DRAIN.as_secs(),
            "the drain was cut short; deliveries in flight are tried again at the next start"
        );
    }
}

/// Ends the app in the same way when the system asks for it: SIGTERM at log-out, SIGINT from a terminal.
pub fn on_signals<R: Runtime>(app: AppHandle<R>) {
    tauri::async_runtime::spawn(async move {
        match ended_by_signal().await {
            Ok(()) => app.exit(0),
            Err(cause) => tracing::warn!(%cause, "signals to stop are not heard"),
        }
    });
}

#[cfg(unix)]
async fn ended_by_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => interrupt,
    }
}

#[cfg(not(unix))]
async fn ended_by_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
