//! An event as it goes to the ledger, and what is to be done once it is there.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use signalbox_model::{DeliveryId, EventId, Timestamp};
use signalbox_store::delivery::OpenDelivery;
use signalbox_store::event::{Dedupe, Fate, NewDelivery, NewEvent, Part, Placement, Planned, Request};
use signalbox_store::{LaneId, StoreError};
use signalbox_transform::Value;
use signalbox_workspace::{Integration, OnConflict, Source};
use tokio::time::Instant;

use super::behind::{Behind, Place};
use super::facts::{Facts, Patience};
use super::outline::Outline;
use super::{ActiveIntegration, Input, Intake};
use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::permit::Permit;
use crate::reading::Element;

/// The longest that an event waits for a lane while it holds a place of another.
const WHILE_HOLDING: Duration = Duration::from_millis(40);

/// What waits for the commit of an event.
pub(super) struct Draft {
    event: EventId,
    received_at: Timestamp,
    key: Option<String>,
    event_type: Option<String>,
    next: Next,
}

enum Next {
    Send(Vec<Prepared>),
    RunSteps {
        places: Vec<(DeliveryId, LaneId)>,
        content_type: Option<String>,
        hops: u8,
        body: Bytes,
        value: Result<Value, String>,
    },
}

/// What is needed to send a planned delivery at once.
struct Prepared {
    delivery: DeliveryId,
    request: Option<Request>,
    permit: Option<Permit>,
}

/// What the events of one request have in common.
pub(super) struct Common<'a> {
    pub active: &'a ActiveIntegration,
    pub input: &'a Input,
    pub headers: Vec<(String, String)>,
    pub patience: Patience,
}

impl Intake {
    /// `part`: of a split request.
    pub(super) fn draft(
        &self,
        common: &Common<'_>,
        id: EventId,
        element: Element,
        part: Option<Part>,
    ) -> (NewEvent, Draft) {
        let Common { active, input, .. } = common;
        let integration = &active.integration;
        let index = part.map(|part| part.index as usize);
        let outline = Outline::of(integration, input, element, index, &common.patience);
        let Outline { body, content_type, value, facts, hops, fates } = outline;
        let (planned, next) = match fates {
            Some(fates) => {
                let (deliveries, prepared) = self.prepare(active, fates, input.received_at);
                (Planned::Now(deliveries), Next::Send(prepared))
            }
            None => {
                let places: Vec<_> =
                    active.lanes.iter().map(|lane| (self.delivery_id(input.received_at), lane.id)).collect();
                let (content_type, body) = (content_type.clone(), body.clone());
                (Planned::Later(places.clone()), Next::RunSteps { places, content_type, hops, body, value })
            }
        };
        let draft = Draft {
            event: id,
            received_at: input.received_at,
            key: facts.key.clone(),
            event_type: facts.event_type.clone(),
            next,
        };
        let event = NewEvent {
            id,
            integration: integration.name.clone(),
            version: integration.version.clone(),
            received_at: input.received_at,
            dedupe: dedupe(integration, &facts, input.received_at),
            event_type: facts.event_type,
            key: facts.key,
            method: input.method.clone(),
            path: input.path.clone(),
            query: input.query.clone(),
            headers: common.headers.clone(),
            content_type,
            body_hash: *blake3::hash(&body).as_bytes(),
            body,
            notes: facts.notes,
            planned,
            part,
        };
        (event, draft)
    }

    fn prepare(
        &self,
        active: &ActiveIntegration,
        fates: Vec<Fate>,
        now: Timestamp,
    ) -> (Vec<NewDelivery>, Vec<Prepared>) {
        let prepare = |(lane, fate): (&Arc<LaneRuntime>, Fate)| {
            let (id, lane) = (self.delivery_id(now), lane.id);
            let request = match &fate {
                Fate::Send(request) => Some(request.clone()),
                Fate::Filtered { .. } | Fate::Dead(_) => None,
            };
            let prepared = Prepared { delivery: id, request, permit: None };
            (NewDelivery { id, lane, fate, may_open: false }, prepared)
        };
        active.lanes.iter().zip(fates).map(prepare).unzip()
    }

    /// Which of the event's deliveries may go as soon as they are in the ledger.
    pub(super) async fn reserve(
        active: &ActiveIntegration,
        event: &mut NewEvent,
        draft: &mut Draft,
        patience: Instant,
    ) {
        let (Planned::Now(deliveries), Next::Send(prepared)) = (&mut event.planned, &mut draft.next) else { return };
        let mut until = patience;
        for ((delivery, prepared), lane) in deliveries.iter_mut().zip(prepared).zip(&active.lanes) {
            if prepared.request.is_some() {
                prepared.permit = lane.reserve_direct(draft.received_at, until).await;
                delivery.may_open = prepared.permit.is_some();
            }
            if delivery.may_open {
                // Shorter than others wait for the place that it holds: a lane that stands still must not make them give up.
                until = until.min(Instant::now() + WHILE_HOLDING);
            }
        }
    }

    /// One place for all events of a request whose steps run behind the commit. `Busy`: too many wait already.
    pub(super) fn place_for(&self, drafts: &[Draft]) -> Result<Option<Arc<Place>>, StoreError> {
        if drafts.iter().all(|draft| matches!(draft.next, Next::Send(_))) {
            return Ok(None);
        }
        self.behind.place().map(|place| Some(Arc::new(place))).ok_or(StoreError::Busy)
    }

    /// After the commit: open attempts go to their lanes, queued ones wake them, steps that take longer are run.
    pub(super) fn hand_over(
        &self,
        active: &Arc<ActiveIntegration>,
        draft: Draft,
        placements: &[Placement],
        place: Option<Arc<Place>>,
    ) {
        let Draft { event, received_at, key, event_type, next } = draft;
        let prepared = match (next, place) {
            (Next::Send(prepared), _) => prepared,
            (Next::RunSteps { places, content_type, hops, body, value }, Some(place)) => {
                let work = Behind { active: active.clone(), places, content_type, hops, body, value };
                return self.run_behind(event, work, place);
            }
            (Next::RunSteps { .. }, None) => return,
        };
        for ((item, placement), lane) in prepared.into_iter().zip(placements).zip(&active.lanes) {
            match (placement, item.request, item.permit) {
                (Placement::Opened { epoch }, Some(request), Some(permit)) => {
                    let open = OpenDelivery {
                        id: item.delivery,
                        event,
                        lane: lane.id,
                        attempt: 1,
                        tries: 1,
                        epoch: *epoch,
                        revision: 1,
                        accepted_at: received_at,
                        round_started_at: received_at,
                        key: key.clone(),
                        event_type: event_type.clone(),
                        replay: None,
                        request,
                    };
                    self.dispatcher.send(lane.clone(), open, permit);
                }
                (Placement::Queued, ..) => lane.nudge(),
                _ => {}
            }
        }
    }
}

fn dedupe(integration: &Integration, facts: &Facts, now: Timestamp) -> Option<Dedupe> {
    let Source::Webhook(source) = &integration.source;
    let source_id = facts.source_id.clone()?;
    Some(Dedupe {
        source_id,
        keep_until: now.plus(source.dedupe.window),
        hold_conflicts: source.on_conflict == OnConflict::Hold,
    })
}
