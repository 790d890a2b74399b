//! Accept: the port that sources hand their inputs to, and the way from there into the ledger.
//!
//! read and split → type, key, dedupe → steps → one request per destination → ONE durable commit → only then the sender's
//! answer.

mod behind;
mod draft;
pub(crate) mod facts;
mod fates;
mod outline;
mod trial;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use signalbox_model::{DeliveryId, EventId, Stage, Timestamp};
use signalbox_store::StoreError;
use signalbox_store::event::{Accepted, NewDelivery, NewEvent, Part};
use signalbox_workspace::{Integration, Source};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::outcome::MASK;
use crate::dispatch::{Dispatcher, Means};
use crate::hops;
use crate::patience::until_taken;
use crate::reading::{self, Element, Raw, Reading, Unfit};
use crate::steps::off_the_way;
use behind::{Behind, Behinds, Place};
use draft::{Common, Draft};
use facts::Patience;

pub(crate) use fates::plan_fates;
pub(crate) use trial::{Trial, Trials};

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

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// In the order of the request.
    pub events: Vec<Received>,
    /// It may hold any number of events; else there is exactly one.
    pub split: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub event: EventId,
    /// The same id and bytes were in the ledger already, as this event.
    pub duplicate: bool,
    pub conflict_of: Option<EventId>,
}

#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub type AcceptFuture = Pin<Box<dyn Future<Output = Result<Receipt, AcceptError>> + Send>>;

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

/// The longest that a request waits for lanes whose windows are full, all of them together. Senders wait for seconds; a
/// queue that builds up is noticed within this.
const FOR_A_PERMIT: Duration = Duration::from_millis(100);
/// Events of one request whose steps are run without making room for other tasks first.
const AT_ONCE: usize = 8;
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

impl Intake {
    pub fn new(means: Arc<Means>, dispatcher: Arc<Dispatcher>) -> Arc<Self> {
        Arc::new(Self { means, dispatcher, tasks: TaskTracker::new(), behind: Arc::new(Behinds::default()) })
    }

    async fn take(&self, active: Arc<ActiveIntegration>, input: Input) -> Result<Receipt, AcceptError> {
        let Source::Webhook(source) = &active.integration.source;
        let raw = Raw { headers: &input.headers, query: input.query.as_deref(), body: &input.body };
        let (elements, split) = match reading::read(source, &raw)? {
            Reading::One(element) => (vec![element], false),
            Reading::Split(elements) => (elements, true),
        };
        if elements.is_empty() {
            return Ok(Receipt { events: Vec::new(), split });
        }
        let (mut events, mut drafts) = if elements.len() > AT_ONCE {
            off_the_way(|| self.draft_all(&active, &input, elements, split))
        } else {
            self.draft_all(&active, &input, elements, split)
        };
        let ids: Vec<EventId> = events.iter().map(|event: &NewEvent| event.id).collect();
        let place = self.place_for(&drafts)?;
        let mut patience = Instant::now() + FOR_A_PERMIT;
        for (event, draft) in events.iter_mut().zip(&mut drafts) {
            Self::reserve(&active, event, draft, patience).await;
            // Only the first of a request waits: who holds permits must not wait for others that do the same.
            patience = Instant::now();
        }
        let accepted = self.means.store.accept_all(events).await?;
        let mut received = Vec::with_capacity(ids.len());
        for ((event, draft), accepted) in ids.into_iter().zip(drafts).zip(accepted) {
            received.push(match accepted {
                Accepted::Duplicate { of } => Received { event: of, duplicate: true, conflict_of: None },
                Accepted::Stored { placements, conflict_of } => {
                    self.hand_over(&active, draft, &placements, place.clone());
                    Received { event, duplicate: false, conflict_of }
                }
            });
        }
        Ok(Receipt { events: received, split })
    }

    fn draft_all(
        &self,
        active: &ActiveIntegration,
        input: &Input,
        elements: Vec<Element>,
        split: bool,
    ) -> (Vec<NewEvent>, Vec<Draft>) {
        let Source::Webhook(source) = &active.integration.source;
        let headers = stored_headers(&input.headers, source.verify.scheme.credential_header());
        let common = Common { active, input, headers, patience: Patience::begin() };
        let of = u32::try_from(elements.len()).unwrap_or(u32::MAX);
        let mut first = None;
        let draft = |(index, element): (u32, Element)| {
            let id = EventId::from_bits(self.means.ids.next(input.received_at));
            let request = *first.get_or_insert(id);
            self.draft(&common, id, element, split.then_some(Part { request, index, of }))
        };
        (1..).zip(elements).map(draft).unzip()
    }

    fn delivery_id(&self, now: Timestamp) -> DeliveryId {
        DeliveryId::from_bits(self.means.ids.next(now))
    }

    fn run_behind(&self, event: EventId, work: Behind, place: Arc<Place>) {
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
            let value = reading::stored(&active.integration.source, &event, &body);
            let (active, places, content_type) = (active.clone(), unplanned.deliveries, event.content_type);
            let hops = hops::of_stored(&event.headers);
            let work = Behind { active, places, content_type, hops, body, value };
            if unplanned.boots > BOOTS_IN_STEPS {
                let message = "Signalbox stopped twice while this event was in its steps";
                plan(&self.means, &self.dispatcher, unplanned.event, work.dead(Stage::Map, message)).await;
                continue;
            }
            let Some(place) = self.behind.place() else { return Ok(()) };
            self.run_behind(unplanned.event, work, Arc::new(place));
        }
        Ok(())
    }

    pub async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
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

/// `credential`: the header in which this source's senders prove who they are, if it is one of their own.
pub(crate) fn stored_headers(headers: &HeaderMap, credential: Option<&str>) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let own = credential.is_some_and(|credential| credential.eq_ignore_ascii_case(name.as_str()));
            let masked = own || CREDENTIAL_HEADERS.contains(&name.as_str());
            let text = if masked { MASK.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() };
            (name.as_str().to_owned(), text)
        })
        .collect()
}
