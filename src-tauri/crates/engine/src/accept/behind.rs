//! The steps of an event that ran over their inline budget, run behind the commit with a larger one.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use signalbox_model::{DeliveryId, EventId, FailureKind, Stage};
use signalbox_store::LaneId;
use signalbox_store::event::{Failure, Fate, NewDelivery};
use signalbox_transform::{Limits, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ActiveIntegration;
use super::fates::{dead, plan_fates};
use crate::background::in_background;
use crate::fingerprint::group_id;
use crate::steps::StepInput;

/// Runs at a time: each may use a core and 64 MiB.
const RUNS: usize = 2;
/// Events that may wait for their turn; more are not accepted.
const WAITING: usize = 256;

/// A place among the events that wait for their steps.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// Bounds what is run behind the commit.
pub(super) struct Behinds {
    runs: Semaphore,
    places: Arc<Semaphore>,
    /// Events that wait or run now: each runs once at a time.
    events: Mutex<HashSet<EventId>>,
}

impl Default for Behinds {
    fn default() -> Self {
        Self { runs: Semaphore::new(RUNS), places: Arc::new(Semaphore::new(WAITING)), events: Mutex::default() }
    }
}

impl Behinds {
    pub fn place(&self) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    /// False: it waits or runs already.
    pub fn begin(&self, event: EventId) -> bool {
        self.events.lock().insert(event)
    }

    pub fn end(&self, event: EventId) {
        self.events.lock().remove(&event);
    }

    /// In the background, since it may take its whole budget. `None`: a step panicked.
    pub async fn run(&self, work: Behind) -> Option<Vec<NewDelivery>> {
        let _run = self.runs.acquire().await.ok()?;
        in_background(move || work.run()).await
    }
}

pub(super) struct Behind {
    pub active: Arc<ActiveIntegration>,
    /// The rows that hold the event's places.
    pub places: Vec<(DeliveryId, LaneId)>,
    pub content_type: Option<String>,
    pub hops: u8,
    pub body: Bytes,
    pub value: Result<Value, String>,
}

impl Behind {
    fn run(self) -> Vec<NewDelivery> {
        let (content_type, body) = (self.content_type.as_deref(), self.value.clone());
        let input = StepInput { method: "POST", content_type, hops: self.hops, raw: &self.body, body };
        let fates = plan_fates(&self.active.integration, &input, None, &Limits::BEHIND).unwrap_or_default();
        self.by_place(|destination| fates.get(destination).cloned())
    }

    /// The same end for all of them.
    pub fn dead(&self, stage: Stage, message: &str) -> Vec<NewDelivery> {
        let integration = &self.active.integration;
        self.by_place(|destination| {
            let to = integration.destinations.get(destination)?;
            Some(dead(integration, to, stage, message.to_owned()))
        })
    }

    /// By lane, not by position: the workspace may have changed since the places were made.
    fn by_place(&self, fate: impl Fn(usize) -> Option<Fate>) -> Vec<NewDelivery> {
        let place = |(id, lane): &(DeliveryId, LaneId)| {
            let destination = self.active.lanes.iter().position(|known| known.id == *lane);
            let fate = destination.and_then(&fate).unwrap_or_else(|| self.gone());
            NewDelivery { id: *id, lane: *lane, fate, may_open: false }
        };
        self.places.iter().map(place).collect()
    }

    fn gone(&self) -> Fate {
        let message = "its destination was taken out of the workspace before its steps had run".to_owned();
        let (kind, stage) = (FailureKind::Mapping, Stage::Request);
        let group = group_id(&self.active.integration.name, "", stage, kind, None, &message);
        Fate::Dead(Failure { kind, stage, status: None, message, group, park: true })
    }
}
