//! Senders that never let go of an event before it is acknowledged, for tests that kill the program under them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::{Destination, Received, ServeProcess, TestWorkspace, http, until, workspace};

/// As many keys, each with a sender of its own.
pub const SENDERS: usize = 6;

/// An integration `sync` to `one` and `two`, which tries for long enough that an outage kills nothing.
pub async fn two_destinations() -> (TestWorkspace, Destination, Destination) {
    let schedule = vec!["\"500ms\""; 60].join(", ");
    let patient = format!("retry = {{ schedule = [{schedule}], jitter = 0.0 }}");
    let (workspace, one, two) = (TestWorkspace::new(), Destination::start().await, Destination::start().await);
    workspace.system("one", &one.url(), "").system("two", &two.url(), "");
    let both = format!("{}{}", workspace::destination("one", &patient), workspace::destination("two", &patient));
    workspace.integration("sync", &both);
    (workspace, one, two)
}

/// Each sends its key's numbers one after the other, and the same number again until it is acknowledged.
#[derive(Default)]
pub struct Load {
    acknowledged: [AtomicU64; SENDERS],
    stop: AtomicBool,
}

impl Load {
    /// `ingress` is followed: the program listens elsewhere after each restart.
    pub fn start(ingress: watch::Receiver<String>) -> (Arc<Self>, JoinSet<()>) {
        let load = Arc::new(Self::default());
        let mut tasks = JoinSet::new();
        for sender in 0..SENDERS {
            tasks.spawn(load.clone().send(sender, ingress.clone()));
        }
        (load, tasks)
    }

    async fn send(self: Arc<Self>, sender: usize, ingress: watch::Receiver<String>) {
        let mut number = 1;
        while !self.stop.load(Ordering::Relaxed) {
            let url = ingress.borrow().clone();
            let body = json!({ "type": "a", "key": format!("k{sender}"), "number": number }).to_string();
            let id = format!("{sender}-{number}");
            let headers = [("content-type", "application/json"), ("webhook-id", id.as_str())];
            match http::send(&url, "POST", "/hooks/sync", &headers, body.as_bytes()).await {
                Ok(answer) if answer.status == 200 => {
                    self.acknowledged[sender].store(number, Ordering::Relaxed);
                    number += 1;
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Acknowledged events.
    pub fn total(&self) -> u64 {
        self.acknowledged.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Every acknowledged number of every key arrived, and nothing came before what it had to wait for.
    ///
    /// # Panics
    /// Where it is not so; `name` says at which destination.
    pub fn check(&self, name: &str, received: &[Received]) {
        let mut keys: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for request in received {
            let body = request.json();
            keys.entry(body["key"].as_str().unwrap().to_owned()).or_default().push(body["number"].as_u64().unwrap());
        }
        for (sender, acknowledged) in self.acknowledged.iter().enumerate() {
            let arrived = keys.remove(&format!("k{sender}")).unwrap_or_default();
            assert!(arrived.is_sorted(), "{name}, key k{sender}: out of order: {arrived:?}");
            let distinct: BTreeSet<u64> = arrived.into_iter().collect();
            let lost: Vec<u64> =
                (1..=acknowledged.load(Ordering::Relaxed)).filter(|number| !distinct.contains(number)).collect();
            assert!(lost.is_empty(), "{name}, key k{sender}: acknowledged and lost: {lost:?}");
        }
    }
}

/// Waits until everything is delivered, as long as it becomes less: how much there is, is a matter of the load.
///
/// # Panics
/// When none was delivered for [`crate::PATIENCE`].
pub async fn settled(process: &ServeProcess) {
    let mut left = u64::MAX;
    while left > 0 {
        left = until("anything more to be delivered", || async {
            let page = process.get("deliveries?limit=1&filter=-state%3Adelivered").await;
            page["total"].as_u64().filter(|total| *total < left)
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(numbers: &[u64]) -> Vec<Received> {
        let request = |number: &u64| Received {
            method: "POST".into(),
            path: "/".into(),
            headers: Vec::new(),
            body: json!({ "key": "k0", "number": number }).to_string().into_bytes(),
            answered: Some(200),
            at: tokio::time::Instant::now(),
        };
        numbers.iter().map(request).collect()
    }

    fn passes(numbers: &[u64]) -> bool {
        let load = Load::default();
        load.acknowledged[0].store(3, Ordering::Relaxed);
        std::panic::catch_unwind(|| load.check("one", &arrived(numbers))).is_ok()
    }

    #[test]
    fn a_loss_and_an_inversion_are_seen() {
        assert!(passes(&[1, 2, 2, 3, 4]), "a repetition is none");
        assert!(!passes(&[1, 3]), "2 is lost");
        assert!(!passes(&[1, 3, 2]), "2 came after 3");
    }
}
