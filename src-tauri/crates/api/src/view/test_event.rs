//! What a test event would do, or did.

use signalbox_engine::accept::Received;
use signalbox_engine::view::{
    DryRun, TriedDelivery as EngineDelivery, TriedEvent as EngineEvent, TriedOutcome as EngineOutcome,
};

use super::{BODY_SHOWN, body};
use crate::dto::attempt::SentRequest;
use crate::dto::test_event::{AcceptedEvent, TestDryRun, TriedDelivery, TriedEvent, TriedOutcome};

pub(crate) fn dry_run(run: DryRun) -> TestDryRun {
    TestDryRun { count: run.count, events: run.events.into_iter().map(event).collect() }
}

pub(crate) fn accepted(received: &Received) -> AcceptedEvent {
    AcceptedEvent {
        event: received.event.to_string(),
        duplicate: received.duplicate,
        conflict_of: received.conflict_of.map(|first| first.to_string()),
    }
}

fn event(event: EngineEvent) -> TriedEvent {
    TriedEvent {
        r#type: event.event_type,
        key: event.key,
        source_id: event.source_id,
        content_type: event.content_type,
        notes: event.notes,
        destinations: event.destinations.into_iter().map(delivery).collect(),
    }
}

fn delivery(tried: EngineDelivery) -> TriedDelivery {
    let EngineDelivery { destination, system, outcome } = tried;
    let nothing = TriedDelivery {
        destination,
        system,
        outcome: TriedOutcome::Dead,
        request: None,
        waits: None,
        stage: None,
        message: None,
    };
    match outcome {
        EngineOutcome::Send { method, url, headers, body: bytes, waits } => {
            let shown = body(&bytes, BODY_SHOWN);
            let request = SentRequest {
                method,
                url,
                headers,
                body: shown.text,
                body_base64: shown.base64,
                truncated: shown.truncated,
            };
            TriedDelivery { outcome: TriedOutcome::Sent, request: Some(request), waits, ..nothing }
        }
        EngineOutcome::Filtered { step } => {
            TriedDelivery { outcome: TriedOutcome::Filtered, message: Some(step), ..nothing }
        }
        EngineOutcome::Dead { stage, message } => {
            TriedDelivery { stage: Some(stage.into()), message: Some(message), ..nothing }
        }
    }
}
