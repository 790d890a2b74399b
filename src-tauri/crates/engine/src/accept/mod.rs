//! Accept: the port that sources hand their inputs to, and the way from there into the ledger.
//!
//! type, key, dedupe → steps → one request per destination → ONE durable commit → only then the sender's answer.

mod behind;
mod facts;
mod fates;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use signalbox_model::{DeliveryId, EventId, Stage, Timestamp};
use signalbox_store::StoreError;
use signalbox_store::delivery::OpenDelivery;
use signalbox_store::event::{Accepted, Dedupe, Fate, NewDelivery, NewEvent, Placement, Planned, Request};
use signalbox_transform::Limits;
use signalbox_workspace::{Integration, OnConflict, Source};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;

use crate::dispatch::lane::{LaneRuntime, Permit};
use crate::dispatch::outcome::MASK;
use crate::dispatch::{Dispatcher, Means};
use crate::patience::until_taken;
use crate::steps::StepInput;
use behind::{Behind, Behinds, Place};
use facts::{Facts, facts};
use fates::plan_fates;

/// One input as a source received and verified it.
pub struct Input {
    pub received_at: Timestamp,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The scheme's own id of the message.
    pub scheme_id: Option<String>,
    /// The body's place in memory, given back after the commit.
    pub room: Option<OwnedSemaphorePermit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    Accepted {
        event: EventId,
        conflict_of: Option<EventId>,
    },
    /// The same id and bytes are in the ledger already.
    Repeated {
        of: EventId,
    },
}

pub type AcceptFuture = Pin<Box<dyn Future<Output = Result<Receipt, StoreError>> + Send>>;

/// What a source may do: hand in an input for its integration. It knows nothing of dispatch.
pub trait Accept: Send + Sync + 'static {
    /// Goes on to its end even when the sender hangs up: what is committed must be handed to dispatch.
    fn accept(self: Arc<Self>, integration: Arc<ActiveIntegration>, input: Input) -> AcceptFuture;
}

/// An integration with the lanes of its destinations, in their order.
pub struct ActiveIntegration {
    pub integration: Arc<Integration>,
    pub lanes: Vec<Arc<LaneRuntime>>,
}

pub struct Intake {
    means: Arc<Means>,
    dispatcher: Arc<Dispatcher>,
    tasks: TaskTracker,
    behind: Arc<Behinds>,
}

/// Unplanned events that are taken up at once.
const UNPLANNED_MAX: u32 = 1_000;
/// The boot that accepted an event, and one more: after a second crash in its steps it is dead.
const BOOTS_IN_STEPS: u32 = 2;

/// Headers that are never stored as they came: what proves a sender's identity could be used again.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

impl Accept for Intake {
    fn accept(self: Arc<Self>, integration: Arc<ActiveIntegration>, input: Input) -> AcceptFuture {
        Box::pin(async move {
            let intake = self.clone();
            let taken = self.tasks.spawn(async move { intake.take(integration, input).await });
            let stopped = |_| StoreError::Database("accepting this event stopped unexpectedly".to_owned());
            taken.await.map_err(stopped)?
        })
    }
}

/// A planned delivery with what is needed to send it at once.
struct Prepared {
    delivery: NewDelivery,
    request: Option<Request>,
    permit: Option<Permit>,
}

impl Intake {
    pub fn new(means: Arc<Means>, dispatcher: Arc<Dispatcher>) -> Arc<Self> {
        Arc::new(Self { means, dispatcher, tasks: TaskTracker::new(), behind: Arc::new(Behinds::default()) })
    }

    async fn take(&self, active: Arc<ActiveIntegration>, input: Input) -> Result<Receipt, StoreError> {
        let integration = &active.integration;
        let content_type = header_text(&input.headers, "content-type");
        let read = signalbox_transform::read_body(content_type.as_deref(), &input.body);
        let mut notes = Vec::new();
        let body = match read {
            Ok((parsed, _)) => {
                if parsed.duplicate_keys {
                    notes.push("duplicate-keys".to_owned());
                }
                Ok(parsed.value)
            }
            Err(error) => Err(error.to_string()),
        };
        let facts = facts(integration, &input, body.as_ref().ok(), notes);
        let step_input =
            StepInput { method: &input.method, content_type: content_type.as_deref(), raw: &input.body, body };
        let fates = plan_fates(integration, &step_input, facts.key_failure.as_deref(), &Limits::INLINE);
        let event_id = EventId::from_bits(self.means.ids.next(input.received_at));
        let mut waiting = None;
        let (planned, prepared) = match fates {
            Some(fates) => {
                let prepared = self.prepare(&active, fates, input.received_at);
                (Planned::Now(prepared.iter().map(|item| item.delivery.clone()).collect()), prepared)
            }
            None => {
                let Some(place) = self.behind.place() else { return Err(StoreError::Busy) };
                waiting = Some(place);
                let places = active.lanes.iter().map(|lane| (self.delivery_id(input.received_at), lane.id)).collect();
                (Planned::Later(places), Vec::new())
            }
        };
        let later = match &planned {
            Planned::Later(places) => Some(places.clone()),
            Planned::Now(_) => None,
        };
        let event = NewEvent {
            id: event_id,
            integration: integration.name.clone(),
            version: integration.version.clone(),
            received_at: input.received_at,
            dedupe: self.dedupe(integration, &facts, input.received_at),
            event_type: facts.event_type.clone(),
            key: facts.key.clone(),
            method: input.method.clone(),
            path: input.path.clone(),
            query: input.query.clone(),
            headers: stored_headers(&input.headers),
            content_type: content_type.clone(),
            body_hash: *blake3::hash(&input.body).as_bytes(),
            body: input.body.clone(),
            notes: facts.notes,
            planned,
            part: None,
        };
        let accepted = self.means.store.accept(event).await?;
        match accepted {
            Accepted::Duplicate { of } => Ok(Receipt::Repeated { of }),
            Accepted::Stored { placements, conflict_of } => {
                let origin = Origin {
                    event: event_id,
                    received_at: input.received_at,
                    key: facts.key,
                    event_type: facts.event_type,
                };
                match later.zip(waiting) {
                    Some((places, place)) => {
                        let work = Behind { active, places, content_type, body: input.body };
                        self.run_behind(event_id, work, place);
                    }
                    None => self.hand_over(&active, &origin, prepared, &placements),
                }
                Ok(Receipt::Accepted { event: event_id, conflict_of })
            }
        }
    }

    fn delivery_id(&self, now: Timestamp) -> DeliveryId {
        DeliveryId::from_bits(self.means.ids.next(now))
    }

    fn prepare(&self, active: &ActiveIntegration, fates: Vec<Fate>, now: Timestamp) -> Vec<Prepared> {
        active
            .lanes
            .iter()
            .zip(fates)
            .map(|(lane, fate)| {
                let request = match &fate {
                    Fate::Send(request) => Some(request.clone()),
                    Fate::Filtered { .. } | Fate::Dead(_) => None,
                };
                let permit = request.as_ref().and_then(|_| lane.try_reserve(now));
                let delivery =
                    NewDelivery { id: self.delivery_id(now), lane: lane.id, fate, may_open: permit.is_some() };
                Prepared { delivery, request, permit }
            })
            .collect()
    }

    /// After the commit: open attempts go to their lanes, queued ones wake them.
    fn hand_over(
        &self,
        active: &ActiveIntegration,
        origin: &Origin,
        prepared: Vec<Prepared>,
        placements: &[Placement],
    ) {
        for ((item, placement), lane) in prepared.into_iter().zip(placements).zip(&active.lanes) {
            match (placement, item.request, item.permit) {
                (Placement::Opened { epoch }, Some(request), Some(permit)) => {
                    let open = OpenDelivery {
                        id: item.delivery.id,
                        event: origin.event,
                        lane: lane.id,
                        attempt: 1,
                        tries: 1,
                        epoch: *epoch,
                        revision: 1,
                        accepted_at: origin.received_at,
                        round_started_at: origin.received_at,
                        key: origin.key.clone(),
                        event_type: origin.event_type.clone(),
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

    fn run_behind(&self, event: EventId, work: Behind, place: Place) {
        if !self.behind.begin(event) {
            return;
        }
        let (means, dispatcher) = (self.means.clone(), self.dispatcher.clone());
        let behind = self.behind.clone();
        self.tasks.spawn(async move {
            let _place = place;
            // A panic inside a step must not take its event along: it stays unplanned and is tried at the next start.
            match behind.run(work).await {
                Some(deliveries) => plan(&means, &dispatcher, event, deliveries).await,
                None => {
                    tracing::error!(%event, "the steps of an event stopped unexpectedly; tried again at the next start")
                }
            }
            behind.end(event);
        });
    }

    /// Events whose steps have not run: at start, and after a change of the workspace or an undo brought some back.
    pub async fn resume_unplanned(
        &self,
        integrations: &BTreeMap<String, Arc<ActiveIntegration>>,
    ) -> Result<(), StoreError> {
        for unplanned in self.means.store.unplanned(UNPLANNED_MAX).await? {
            let Some(active) = integrations.get(&unplanned.integration) else { continue };
            let Some(event) = self.means.store.event(unplanned.event).await? else { continue };
            let body = self.means.store.event_body(unplanned.event).await?.unwrap_or_default();
            let work =
                Behind { active: active.clone(), places: unplanned.deliveries, content_type: event.content_type, body };
            if unplanned.boots > BOOTS_IN_STEPS {
                let message = "Signalbox stopped twice while this event was in its steps";
                plan(&self.means, &self.dispatcher, unplanned.event, work.dead(Stage::Map, message)).await;
                continue;
            }
            let Some(place) = self.behind.place() else { return Ok(()) };
            self.run_behind(unplanned.event, work, place);
        }
        Ok(())
    }

    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn dedupe(&self, integration: &Integration, facts: &Facts, now: Timestamp) -> Option<Dedupe> {
        let Source::Webhook(source) = &integration.source;
        let source_id = facts.source_id.clone()?;
        Some(Dedupe {
            source_id,
            keep_until: now.plus(source.dedupe.window),
            hold_conflicts: source.on_conflict == OnConflict::Hold,
        })
    }
}

/// Writes what the steps made, and wakes the lanes; a full queue or disk is waited for.
async fn plan(means: &Means, dispatcher: &Dispatcher, event: EventId, deliveries: Vec<NewDelivery>) {
    match until_taken(|| means.store.plan(event, deliveries.clone())).await {
        // A placeholder was `queued` before, so no change of state tells that it can go now.
        Ok(_) => deliveries.iter().filter_map(|planned| dispatcher.lane(planned.lane)).for_each(|lane| lane.nudge()),
        Err(error) => {
            tracing::error!(%event, %error, "the steps' result could not be written; tried at the next start");
        }
    }
}

struct Origin {
    event: EventId,
    received_at: Timestamp,
    key: Option<String>,
    event_type: Option<String>,
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

pub(crate) fn stored_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let masked = CREDENTIAL_HEADERS.contains(&name.as_str());
            let text = if masked { MASK.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
            (name.as_str().to_owned(), text)
        })
        .collect()
}
