//! What a person sees of one delivery: its trace, its sentence, its request.

use std::sync::Arc;

use signalbox_model::{DeliveryId, DeliveryState, HeldReason, Timestamp};
use signalbox_store::event::Request;
use signalbox_store::read::DeliveryRow;
use signalbox_store::{LaneId, StoreError};
use signalbox_workspace::Integration;

use super::Runtime;
use crate::background::in_background;
use crate::view::{ControlError, Explained, LineageStep, TraceStep};

impl Runtime {
    /// `None`: no such delivery.
    pub async fn trace(&self, id: DeliveryId) -> Result<Option<Vec<TraceStep>>, ControlError> {
        let store = &self.means.store;
        let Some(row) = store.delivery(id).await? else { return Ok(None) };
        let Some(event) = store.event(row.event).await? else { return Ok(None) };
        let raw = store.event_body(row.event).await?.unwrap_or_default();
        let Some(integration) = self.version_of(&event.integration, &event.version).await? else {
            return Ok(Some(Vec::new()));
        };
        let work = move || crate::trace::compute(&integration, &row, &event, &raw);
        let trace = in_background(work).await;
        Ok(Some(trace.ok_or_else(|| ControlError::WrongState("a step stopped unexpectedly".into()))?))
    }

    /// The integration as it was when the event came, from memory or from the kept files.
    pub(super) async fn version_of(&self, name: &str, version: &str) -> Result<Option<Arc<Integration>>, StoreError> {
        if let Some(now) = self.workspace().integrations.get(name).filter(|now| now.version == version) {
            return Ok(Some(now.clone()));
        }
        let Some(files) = self.means.store.version_files(name, version).await? else { return Ok(None) };
        Ok(signalbox_workspace::integration_from_files(name, &files).map(Arc::new))
    }

    /// Where it comes from and what became of it, oldest first. `None`: no such delivery.
    pub async fn lineage(&self, id: DeliveryId) -> Result<Option<Vec<LineageStep>>, StoreError> {
        let store = &self.means.store;
        let Some(row) = store.delivery(id).await? else { return Ok(None) };
        let (attempts, revisions, history) = tokio::join!(store.attempts(id), store.revisions(id), store.history(id));
        Ok(Some(crate::lineage::of(&row, &attempts?, &revisions?, &history?)))
    }

    /// Where it stands and why.
    pub async fn explain(&self, row: &DeliveryRow) -> Result<Explained, StoreError> {
        let looks = crate::explain::looks_ahead(row.state);
        let ahead = if looks { self.means.store.ahead(row.id).await? } else { None };
        let (lane, now) = (self.dispatcher.lane(row.lane), self.means.clock.now());
        Ok(Explained {
            text: crate::explain::explain(row, lane.as_deref(), ahead.as_ref(), now),
            waits_for: crate::explain::waits_for(row, lane.as_deref(), ahead.as_ref(), now),
        })
    }

    /// What the row reads as now, gates included, and when it is due.
    pub fn shown_state(&self, row: &DeliveryRow) -> (DeliveryState, Option<HeldReason>, Option<Timestamp>) {
        let lane = self.dispatcher.lane(row.lane);
        let holds = lane.and_then(|lane| crate::explain::holds(row, &lane, self.means.clock.now()));
        let (state, reason) = crate::explain::shown_state(row, holds.as_ref());
        (state, reason, crate::explain::shown_due(row, holds.as_ref()))
    }

    /// Of one round; `None` when the destination is gone.
    pub fn max_attempts(&self, lane: LaneId) -> Option<u32> {
        let lane = self.dispatcher.lane(lane)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        Some(config.destination()?.retry.max_attempts())
    }

    /// URL and headers as sent, credentials masked.
    pub fn masked_request(
        &self,
        lane: LaneId,
        request: &Request,
        delivery: DeliveryId,
        revision: u32,
    ) -> (String, Vec<(String, String)>) {
        match self.dispatcher.lane(lane) {
            Some(lane) => crate::masked::as_sent(&lane, request, delivery, revision, self.means.clock.now()),
            None => (request.path.clone(), request.headers.clone()),
        }
    }
}
