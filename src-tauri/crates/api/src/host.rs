//! What the API asks of the program that runs it: which workspace is up now, and to switch it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use signalbox_engine::Runtime;
use signalbox_sandbox::Sandbox;

use crate::dto::session::Session;

/// The running program. The workspace behind it may change between two requests.
pub trait Host: Send + Sync + 'static {
    fn session(&self) -> Session;

    /// The workspace that runs now; none while one is being switched to another.
    fn current(&self) -> Option<Arc<Instance>>;

    /// No workspace runs at this moment because it is being switched; another one will in a moment.
    fn is_switching(&self) -> bool;

    /// Switches to the sandbox, a workspace of its own, and starts its simulated systems.
    fn start_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>>;

    /// Switches back to the person's own workspace; the sandbox keeps its data.
    fn leave_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>>;

    /// Removes the sandbox's folder with its ledger; leaves it first where it is running.
    fn delete_sandbox(&self) -> BoxFuture<'_, Result<(), HostError>>;
}

/// A workspace with its engine.
pub struct Instance {
    pub runtime: Arc<Runtime>,
    /// The simulated systems, where they run.
    pub sandbox: Option<Arc<Sandbox>>,
    /// Where webhooks come in: `http://host:port`.
    pub ingress_url: String,
}

/// Why the workspace was not switched.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Not possible as things stand; says what is in the way.
    #[error("{0}")]
    WrongState(String),
    /// It was tried and did not work; says why.
    #[error("{0}")]
    Failed(String),
}
