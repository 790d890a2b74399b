//! What every handler can reach.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::sync::Semaphore;

use crate::host::{Host, Instance};
use crate::problem::{Code, Problem};
use crate::sign_in::SignIn;

/// Requests to `live` that may wait at once; each holds a connection for up to 25 s.
const MOST_WAITING: usize = 64;

/// How the API is served.
pub struct ApiOptions {
    /// The bearer token of `runtime.json`.
    pub token: String,
    /// Where the API listens, with the port that was really taken: the names it answers to follow from it.
    pub listening: SocketAddr,
    /// Serves the panel's files to browsers, and one-time links to sign in with.
    pub serve_panel: bool,
    pub sign_in: Arc<SignIn>,
}

#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    host: Arc<dyn Host>,
    options: ApiOptions,
    waiting: Semaphore,
}

impl Api {
    pub(crate) fn new(host: Arc<dyn Host>, options: ApiOptions) -> Self {
        Self(Arc::new(Inner { host, options, waiting: Semaphore::new(MOST_WAITING) }))
    }

    pub(crate) fn host(&self) -> &dyn Host {
        &*self.0.host
    }

    pub(crate) fn options(&self) -> &ApiOptions {
        &self.0.options
    }

    /// Permits of those who wait in `live`.
    pub(crate) fn waiting(&self) -> &Semaphore {
        &self.0.waiting
    }
}

/// How often, and how long, a request looks for the workspace that is being switched to.
const LOOK: Duration = Duration::from_millis(50);
const LONGEST_SWITCH: Duration = Duration::from_secs(15);

/// The workspace that runs now. Waits while one is switched to another; refuses with 503 where there is none.
pub(crate) struct Running(pub(crate) Arc<Instance>);

impl FromRequestParts<Api> for Running {
    type Rejection = Problem;

    async fn from_request_parts(_parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let mut waited = Duration::ZERO;
        loop {
            if let Some(instance) = api.host().current() {
                return Ok(Self(instance));
            }
            if !api.host().is_switching() || waited >= LONGEST_SWITCH {
                let why = "No workspace is running at this moment. Try again.";
                return Err(Problem::new(Code::Unavailable, why).retry_after(1));
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }
}
