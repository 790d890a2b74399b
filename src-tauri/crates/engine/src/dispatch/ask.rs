//! A request that belongs to no delivery, and yet is one more that its system had to answer.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::outcome::classify;
use signalbox_net::client::{Answer, Outbound, SendError};
use tokio::time::Instant;

use super::Dispatcher;
use super::attempt::{Call, To};
use super::lane::LaneConfig;
use crate::gates::Chosen;

impl Dispatcher {
    /// Reads at the URL that deliveries go to now. The caller holds a place and a turn under the system's limits. Its
    /// breaker, quotas and endpoints learn from the answer; how long it took says nothing of how long a write takes.
    /// `patience`: what a delivery would wait; a read that had less, and used it up, says nothing of the system.
    pub async fn ask(
        self: &Arc<Self>,
        config: &LaneConfig,
        outbound: Outbound,
        patience: Duration,
    ) -> Result<Answer, SendError> {
        let (longest, begun) = (outbound.timeout, Instant::now());
        let chosen = Chosen { url: config.gates.active_url(), trying: false };
        let to = To { chosen, tries_system: false, restart_probe: None };
        let mut call = Call::begin(self.means.clock.now(), &to);
        let result = call.make(&*self.means.deliver, outbound, &config.system.auth).await;
        if result.is_err() && longest < patience && begun.elapsed() >= longest {
            return result;
        }
        let kind = match &result {
            Ok(answer) => classify(answer.status, answer.headers.contains_key("retry-after"), &answer.body),
            Err(error) => Some(error.kind()),
        };
        self.settle(config, &to.chosen, kind, &call.heard(), None).await;
        result
    }
}
