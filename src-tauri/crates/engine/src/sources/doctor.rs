//! Lets the signature doctor look at refused requests, after their senders were answered: what it finds, and how long it
//! takes, tells a sender nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use signalbox_model::{RejectedId, Timestamp};
use signalbox_net::doctor::{self, Patient};
use signalbox_net::verify::{Incoming, Refusal};
use signalbox_store::Store;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::webhook::{Door, Doors, RefusalBudget};
use crate::background::in_background;

/// Of one examination, on a blocking thread.
const LONGEST: Duration = Duration::from_millis(20);
/// With [`LONGEST`]: at most a fifth of one core, however many requests are refused.
const PER_SECOND: u32 = 10;
/// For how long one sender's right time speaks for this machine's clock.
const CLOCK_TRUSTED: Duration = Duration::from_secs(3_600);

pub struct Doctor {
    budget: RefusalBudget,
    one_at_a_time: Arc<Semaphore>,
    /// When a signed time last agreed with the clock, in microseconds.
    clock_agreed: AtomicI64,
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            budget: RefusalBudget::of(PER_SECOND),
            one_at_a_time: Arc::new(Semaphore::new(1)),
            clock_agreed: AtomicI64::new(i64::MIN),
        }
    }
}

/// A refused request that was kept under `id`.
pub(super) struct Case {
    pub id: RejectedId,
    pub door: Arc<Door>,
    /// All that are open, for the secrets of the other sources.
    pub doors: Arc<Doors>,
    pub method: String,
    pub public_url: Option<String>,
    pub url_seen: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub refusal: Refusal,
    pub now: Timestamp,
}

impl Doctor {
    /// A request was accepted whose signed time is near ours.
    pub(super) fn clock_agrees(&self, now: Timestamp) {
        self.clock_agreed.store(now.as_micros(), Ordering::Relaxed);
    }

    pub(super) fn examine(&self, store: Arc<dyn Store>, mut case: Case) {
        if !self.budget.take(case.now.as_secs()) {
            return;
        }
        if case.body.len() > doctor::MAX_BODY {
            // Too long to be examined; a slice would hold on to all of it.
            case.body = Bytes::copy_from_slice(case.body.get(..=doctor::MAX_BODY).unwrap_or_default());
        }
        let agreed = Timestamp::from_micros(self.clock_agreed.load(Ordering::Relaxed));
        let clock_agrees = case.now.since(agreed) <= CLOCK_TRUSTED;
        let one_at_a_time = self.one_at_a_time.clone();
        tokio::spawn(async move {
            let Ok(_turn) = one_at_a_time.acquire().await else { return };
            let id = case.id;
            let Some(Some(found)) = in_background(move || case.diagnosis(clock_agrees)).await else { return };
            if let Err(error) = store.diagnose(id, found).await {
                tracing::debug!(%error, "what the signature doctor found was not kept");
            }
        });
    }
}

impl Case {
    /// As JSON.
    fn diagnosis(&self, clock_agrees: bool) -> Option<String> {
        let started = Instant::now();
        let over = || started.elapsed() > LONGEST;
        let others = self.doors.values().filter(|door| !Arc::ptr_eq(door, &self.door));
        let others: Vec<doctor::Known> = others.flat_map(|door| door.secrets.iter().cloned()).collect();
        let patient = Patient {
            verify: &self.door.source().verify,
            own: &self.door.secrets,
            others: &others,
            request: Incoming {
                method: &self.method,
                public_url: self.public_url.as_deref(),
                url_seen: &self.url_seen,
                headers: &self.headers,
                body: &self.body,
            },
            refusal: &self.refusal,
            now: self.now,
            clock_agrees,
        };
        serde_json::to_string(&doctor::diagnose(&patient, &over)?).ok()
    }
}
