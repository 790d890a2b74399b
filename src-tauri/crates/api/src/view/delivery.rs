//! The row of a delivery.

use signalbox_engine::Runtime;
use signalbox_store::read::DeliveryRow;

use crate::dto::delivery::{Delivery, DeliveryFacts, Sibling};
use crate::dto::words::millis;

pub(crate) fn row(runtime: &Runtime, row: &DeliveryRow) -> Delivery {
    Delivery { facts: facts(runtime, row), attempts: row.attempts }
}

pub(super) fn facts(runtime: &Runtime, row: &DeliveryRow) -> DeliveryFacts {
    let (state, reason, due_at) = runtime.shown_state(row);
    DeliveryFacts {
        id: row.id.to_string(),
        event: row.event.to_string(),
        integration: row.integration.clone(),
        destination: row.destination.clone(),
        system: row.system.clone(),
        state: state.into(),
        reason: reason.map(Into::into),
        kind: row.kind.map(Into::into),
        stage: row.stage.map(Into::into),
        status: row.status,
        // A round starts counting anew, the attempts of earlier ones stay in the number shown.
        max_attempts: runtime.max_attempts(row.lane).map(|most| most.saturating_add(row.tries_before)),
        key: row.key.clone(),
        r#type: row.event_type.clone(),
        message: row.message.clone(),
        accepted_at: row.accepted_at.into(),
        due_at: due_at.map(Into::into),
        ended_at: row.ended_at.map(Into::into),
        latency_ms: row.latency_us.map(millis),
        revision: row.revision,
        group: row.group.map(|group| group.to_string()),
        conflict_of: row.conflict_of.map(|event| event.to_string()),
        replay: row.replay.map(|replay| replay.to_string()),
    }
}

pub(crate) fn sibling(runtime: &Runtime, row: &DeliveryRow) -> Sibling {
    let (state, ..) = runtime.shown_state(row);
    Sibling { id: row.id.to_string(), destination: row.destination.clone(), state: state.into() }
}
