//! Notices a wall clock that was set back, and lets what waits follow it.
//!
//! A machine that slept, or a clock that was set forward, needs nothing: what is overdue goes once, as far as places,
//! limits and breakers allow. A clock that was set back would leave every waiting row waiting for that much longer.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::Timestamp;

use super::Runtime;

const LOOK: Duration = Duration::from_secs(1);
/// Smaller steps are those of a clock that is being kept right; the wait is not worth a write.
const NOTICED: Duration = Duration::from_secs(2);

impl Runtime {
    pub(super) async fn watch_clock(self: Arc<Self>) {
        let mut latest = self.means.clock.now();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            latest = self.follow_clock(latest).await;
        }
    }

    /// What the clock says now.
    async fn follow_clock(&self, latest: Timestamp) -> Timestamp {
        let now = self.means.clock.now();
        let back = latest.since(now);
        if back > NOTICED {
            tracing::warn!(seconds = back.as_secs(), "the clock was set back; what waits follows it");
            self.dispatcher.follow_clock_back(back).await;
        }
        now
    }
}
