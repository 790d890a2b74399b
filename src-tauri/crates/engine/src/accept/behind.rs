//! The steps of an event that ran over their inline budget, run behind the commit with a larger one.

use std::sync::Arc;

use bytes::Bytes;
use signalbox_model::DeliveryId;
use signalbox_store::LaneId;
use signalbox_store::event::NewDelivery;
use signalbox_transform::Limits;

use super::ActiveIntegration;
use super::fates::plan_fates;
use crate::steps::StepInput;

pub(super) struct Behind {
    pub active: Arc<ActiveIntegration>,
    pub places: Vec<(DeliveryId, LaneId)>,
    pub content_type: Option<String>,
    pub body: Bytes,
}

impl Behind {
    pub fn run(self) -> Vec<NewDelivery> {
        let body = signalbox_transform::read_body(self.content_type.as_deref(), &self.body)
            .map(|(parsed, _)| parsed.value)
            .map_err(|error| error.to_string());
        let input = StepInput { method: "POST", content_type: self.content_type.as_deref(), raw: &self.body, body };
        let fates = plan_fates(&self.active.integration, &input, None, &Limits::BEHIND).unwrap_or_default();
        self.places
            .iter()
            .zip(fates)
            .map(|((id, lane), fate)| NewDelivery { id: *id, lane: *lane, fate, may_open: false })
            .collect()
    }
}
