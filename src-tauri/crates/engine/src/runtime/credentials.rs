//! Notices secrets that were set or changed while the program runs, so that a closed gate or door opens by itself.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::Runtime;

/// How often secrets are looked up again, and only those that something waits for.
const LOOK: Duration = Duration::from_secs(5);

impl Runtime {
    pub(super) async fn watch_credentials(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if self.credential_arrived().await {
                tracing::info!("a secret was set or changed; what waited for it goes on");
                if let Err(error) = self.apply_workspace(self.workspace(), &[]).await {
                    tracing::warn!(%error, "the secret could not be taken over; tried again in a moment");
                }
            }
        }
    }

    /// A secret that was missing is there, or one that was refused has another value now.
    async fn credential_arrived(&self) -> bool {
        for lane in self.dispatcher.lanes() {
            let config = lane.config.load_full();
            let Some(config) = config.as_ref() else { continue };
            let named = config.system.auth.secrets().len();
            let (missing, refused) = {
                let gate = lane.gate.lock();
                (gate.missing_secret.is_some(), gate.refused.is_some())
            };
            // One of a rotation may be missing while the other signs.
            if !missing && !refused && config.secrets.len() == named {
                continue;
            }
            let (now, _) = self.outgoing(&config.system.auth).await;
            let same = now.len() == config.secrets.len()
                && now.iter().zip(&config.secrets).all(|(now, before)| now.expose_secret() == before.expose_secret());
            if !now.is_empty() && !same {
                return true;
            }
        }
        for door in self.ingress.doors.load_full().values() {
            if door.verifier.is_err() && self.verifier(&door.active.integration.name, door.source()).await.is_ok() {
                return true;
            }
        }
        false
    }
}
