//! The org's callout: sends each change to Signalbox, signed as Standard Webhooks 1.0.0 says, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use signalbox_model::Timestamp;
use signalbox_net::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Salesforce;
use super::org::Event;
use crate::post::{Posted, post};

/// Waits before the second and later tries of one event; afterwards it is given up.
const RETRIES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// The longest that a Retry-After is obeyed, so that one answer cannot end the story.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// What became of the events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Made and sent at least once.
    pub events: u64,
    /// Answered 2xx.
    pub accepted: u64,
    /// Answered in a way that repeating would not change, as a wrong signature is.
    pub refused: u64,
    /// Without an answer of either kind after the last try.
    pub given_up: u64,
}

#[derive(Default)]
struct Counts {
    events: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    given_up: AtomicU64,
}

pub(crate) struct Sender {
    salesforce: Arc<Salesforce>,
    client: Arc<Client>,
    target: watch::Sender<Option<String>>,
    counts: Counts,
}

enum End {
    Accepted,
    Refused,
    GivenUp,
}

impl Sender {
    pub fn new(salesforce: Arc<Salesforce>, client: Arc<Client>) -> Self {
        Self { salesforce, client, target: watch::Sender::new(None), counts: Counts::default() }
    }

    /// Where events go from now on.
    pub fn aim(&self, url: String) {
        self.target.send_replace(Some(url));
    }

    pub fn sent(&self) -> Sent {
        Sent {
            events: self.counts.events.load(Relaxed),
            accepted: self.counts.accepted.load(Relaxed),
            refused: self.counts.refused.load(Relaxed),
            given_up: self.counts.given_up.load(Relaxed),
        }
    }

    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.tell() => {}
        }
    }

    async fn tell(&self) {
        let mut target = self.target.subscribe();
        let mut due = Instant::now();
        while target.wait_for(Option::is_some).await.is_ok() {
            let changed = self.salesforce.dials.changed.notified();
            let Some(interval) = self.salesforce.dials.interval() else {
                changed.await;
                due = Instant::now();
                continue;
            };
            // A rate that was raised counts at once.
            due = due.min(Instant::now() + interval);
            tokio::select! {
                () = sleep_until(due) => {}
                () = changed => continue,
            }
            if self.salesforce.dials.interval().is_none() {
                // Paused in the moment in which it was due.
                continue;
            }
            let event = self.salesforce.org.lock().next(self.salesforce.clock.now());
            if let Some(event) = event {
                self.deliver(&event).await;
            }
            // After a slow answer the next event is due now, but what was missed is not made up for.
            due = (due + interval).max(Instant::now());
        }
    }

    async fn deliver(&self, event: &Event) {
        self.counts.events.fetch_add(1, Relaxed);
        let end = self.send_until_answered(event).await;
        let count = match end {
            End::Accepted => &self.counts.accepted,
            End::Refused => &self.counts.refused,
            End::GivenUp => &self.counts.given_up,
        };
        count.fetch_add(1, Relaxed);
    }

    async fn send_until_answered(&self, event: &Event) -> End {
        let mut key = self.salesforce.secrets.signing_key();
        if self.salesforce.dials.sign_badly() {
            key.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let mut waits = RETRIES.into_iter();
        loop {
            // Read anew for each try: the ingress may have moved with a workspace.
            let Some(url) = self.target.borrow().clone() else { return End::GivenUp };
            let headers = headers(&key, event, self.salesforce.clock.now());
            let answer = post(&self.client, &url, headers, event.body.clone()).await;
            let asked = match &answer {
                Posted::Answered { status: 200..=299, .. } => return End::Accepted,
                Posted::Answered { status: 408 | 425 | 429 | 500..=599, retry_after } => *retry_after,
                Posted::Answered { status, .. } => {
                    tracing::debug!(status, event = event.id, "Signalbox refused a simulated event");
                    return End::Refused;
                }
                Posted::Failed(error) => {
                    tracing::debug!(%error, event = event.id, "a simulated event got no answer");
                    None
                }
            };
            let Some(wait) = waits.next() else {
                tracing::warn!(event = event.id, %url, "a simulated event was given up after {} tries", RETRIES.len() + 1);
                return End::GivenUp;
            };
            sleep(asked.unwrap_or(wait).min(MAX_WAIT)).await;
        }
    }
}

/// The same id on every try, the time of this one.
fn headers(key: &[u8], event: &Event, now: Timestamp) -> Vec<(&'static str, String)> {
    let timestamp = now.as_secs().to_string();
    let signed = format!("{}.{timestamp}.{}", event.id, event.body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    vec![
        ("content-type", "application/json".into()),
        ("user-agent", "SFDC-Callout/61.0".into()),
        ("webhook-id", event.id.clone()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(tag.as_ref()))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_signed_as_the_standard_says() {
        // The vector of the Standard Webhooks libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let event = Event { id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(), body: r#"{"test": 2432232314}"#.into() };
        let headers = headers(&key, &event, Timestamp::from_secs(1_614_265_330));
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert!(headers.contains(&("webhook-signature", signature.to_owned())), "{headers:?}");
    }
}
