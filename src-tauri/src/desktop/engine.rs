//! The engine behind the window: running, or why it is not.

use axum::Router;
use parking_lot::Mutex;

use crate::app::App;

/// What the window's command asks and what the quit drains.
pub struct Engine {
    state: Mutex<State>,
}

enum State {
    Running(App),
    /// It could not start; the panel shows the sentence.
    Failed(String),
    /// It drains, or has drained.
    Stopped,
}

impl Engine {
    /// Holds a started engine, or the reason why there is none.
    pub fn new(started: anyhow::Result<App>) -> Self {
        let state = match started {
            Ok(app) => State::Running(app),
            Err(cause) => State::Failed(format!("{cause:#}")),
        };
        Self { state: Mutex::new(state) }
    }

    /// The router that answers the panel.
    ///
    /// # Errors
    /// A sentence for the person, where the engine does not run.
    pub fn router(&self) -> Result<Router, String> {
        match &*self.state.lock() {
            State::Running(app) => Ok(app.router()),
            State::Failed(cause) => Err(cause.clone()),
            State::Stopped => {
                Err("It is stopping. Start Signalbox again to go on; nothing that was accepted is lost.".to_owned())
            }
        }
    }

    /// Takes the engine out to be shut down; later calls of the panel hear that it is stopping.
    pub fn take(&self) -> Option<App> {
        match std::mem::replace(&mut *self.state.lock(), State::Stopped) {
            State::Running(app) => Some(app),
            State::Failed(_) | State::Stopped => None,
        }
    }
}
