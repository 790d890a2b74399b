//! Connections that are kept, for a bounded time: the HTTP client that holds them is replaced as a whole, and the old one
//! closes its connections when the last request on it has ended. That way a system that has moved to another address, and
//! certificates that were changed on this machine, are noticed under steady traffic too.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error;
use crate::client::SendError;

pub(super) struct Pool {
    make: Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>,
    lifetime: Duration,
    held: Mutex<Option<(Instant, reqwest::Client)>>,
}

impl Pool {
    /// Nothing is built before the first request.
    pub(super) fn new(lifetime: Duration, make: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), lifetime, held: Mutex::new(None) }
    }

    /// The client to send with now. Building one reads and parses the machine's certificates, so it is off the way of
    /// other tasks; requests to the same pool wait for it.
    pub(super) async fn client(&self) -> Result<reqwest::Client, SendError> {
        let mut held = self.held.lock().await;
        if let Some((since, client)) = held.as_ref()
            && since.elapsed() < self.lifetime
        {
            return Ok(client.clone());
        }
        let builder = (self.make)();
        let built = tokio::task::spawn_blocking(|| builder.build()).await;
        let client = built.map_err(|error| error::no_tls(&error))?.map_err(|error| error::no_tls(&error))?;
        *held = Some((Instant::now(), client.clone()));
        Ok(client)
    }
}
