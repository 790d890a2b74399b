//! Mapping time-travel: the stored events through changed files, before they are saved. For each destination the request
//! that would be made now is compared with the one that was made then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use signalbox_model::filter::{Filter, Term};
use signalbox_model::{DeliveryState, EventId};
use signalbox_store::StoreError;
use signalbox_store::event::{Fate, Request};
use signalbox_store::read::{DeliveryRow, EventRow, ListQuery, PAGE_MAX};
use signalbox_store::replay::RevisionOrigin;
use signalbox_transform::Limits;
use signalbox_workspace::{ChangedFiles, Integration, IntegrationFiles, SaveError, Source};
use tokio::time::Instant;

use super::Runtime;
use crate::accept::plan_fates;
use crate::background::in_background;
use crate::diff::{self, FieldChange};
use crate::steps::{StepInput, envelope};
use crate::view::{ControlError, Preview, PreviewExample, PreviewOutcome};

/// The most events of one preview.
pub const MOST_EVENTS: u32 = 1_000;
const LONGEST: Duration = Duration::from_secs(10);
const EXAMPLES: usize = 50;
/// Of a body in an example, in characters.
const SHOWN: usize = 4_096;

/// What an integration makes of an event at one destination.
enum Made {
    Sent(Request),
    Filtered(String),
    Failed(String),
}

/// An event with what was made of it.
struct Past {
    event: EventRow,
    raw: Bytes,
    /// With its first request, where its steps made one.
    deliveries: Vec<(DeliveryRow, Option<Request>)>,
    /// The integration as it was then, where it is needed and kept.
    then: Option<Arc<Integration>>,
}

impl Runtime {
    /// Runs `files` over the newest stored events of the integration. One at a time; bounded in time, and it says how far
    /// it got.
    pub async fn preview(
        &self,
        name: &str,
        files: ChangedFiles,
        last: u32,
        filter: Filter,
    ) -> Result<Preview, ControlError> {
        let _one_at_a_time = self.previewing.lock().await;
        let started = Instant::now();
        let workspace = self.workspace();
        if !workspace.integrations.contains_key(name) && !workspace.broken.contains_key(name) {
            return Err(ControlError::Missing { what: "integration", name: name.to_owned() });
        }
        let tried_name = name.to_owned();
        let tried = in_background(move || signalbox_workspace::try_files(&workspace, &tried_name, &files));
        let tried =
            tried.await.ok_or_else(|| ControlError::WrongState("checking the files stopped unexpectedly".into()))?;
        let mut preview = Preview { problems: tried.problems, ..Preview::default() };
        let Some(integration) = tried.integration.map(Arc::new) else { return Ok(preview) };
        preview.version.clone_from(&integration.version);
        let deadline = started + LONGEST;
        let mut versions = BTreeMap::new();
        let (events, all) = self.newest_events(name, last.clamp(1, MOST_EVENTS), filter, deadline).await?;
        preview.complete = all;
        for id in events {
            if Instant::now() >= deadline {
                preview.complete = false;
                break;
            }
            let Some(past) = self.past(name, id, &mut versions).await? else { continue };
            let (now, id) = (integration.clone(), past.event.id);
            // Steps may take their whole budget.
            let compared = in_background(move || compare(&now, &past)).await;
            let compared =
                compared.ok_or_else(|| ControlError::WrongState(format!("a step stopped unexpectedly on {id}")))?;
            preview.events += 1;
            for (destination, compared) in compared {
                preview.count(id, destination, compared);
            }
        }
        preview.took = started.elapsed();
        Ok(preview)
    }

    /// `None`: there is no such integration. Reads a few files: to be asked off the async threads.
    pub fn integration_files(&self, name: &str) -> Option<IntegrationFiles> {
        signalbox_workspace::integration_files(&self.workspace(), name)
    }

    /// Checks and saves; the watcher then takes them over as any edit. Goes on to its end even when the caller hangs up.
    pub async fn save_files(
        self: &Arc<Self>,
        name: String,
        files: ChangedFiles,
        version: String,
    ) -> Result<IntegrationFiles, SaveError> {
        let runtime = self.clone();
        let saved = tokio::spawn(async move {
            let _one_at_a_time = runtime.saving.lock().await;
            let workspace = runtime.workspace();
            let work = move || signalbox_workspace::save_files(&workspace, &name, &files, &version);
            in_background(work).await
        });
        let stopped = || SaveError::Io {
            file: "the files of the integration".into(),
            source: std::io::Error::other("saving stopped unexpectedly"),
        };
        saved.await.map_err(|_| stopped())?.ok_or_else(stopped)?
    }

    /// Newest first; false where time ran out before there were enough.
    async fn newest_events(
        &self,
        name: &str,
        last: u32,
        mut filter: Filter,
        deadline: Instant,
    ) -> Result<(Vec<EventId>, bool), ControlError> {
        let own =
            Filter::parse(&format!("integration:{name}")).map_err(|error| ControlError::Invalid(error.message))?;
        let own: Vec<Term> = own.terms;
        filter.terms.extend(own);
        let mut events: Vec<EventId> = Vec::new();
        let mut cursor = None;
        while Instant::now() < deadline {
            let query = ListQuery {
                filter: filter.clone(),
                now: self.means.clock.now(),
                gates: self.closed_gates(),
                cursor,
                limit: PAGE_MAX,
            };
            let page = self.means.store.list(query).await?;
            for row in page.items {
                if !events.contains(&row.event) {
                    events.push(row.event);
                }
                if events.len() >= last as usize {
                    return Ok((events, true));
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok((events, true));
            }
        }
        Ok((events, false))
    }

    async fn past(
        &self,
        name: &str,
        id: EventId,
        versions: &mut BTreeMap<String, Option<Arc<Integration>>>,
    ) -> Result<Option<Past>, StoreError> {
        let store = &self.means.store;
        let Some(event) = store.event(id).await? else { return Ok(None) };
        let raw = store.event_body(id).await?.unwrap_or_default();
        let mut deliveries = Vec::new();
        for row in store.deliveries_of(id).await?.into_iter().filter(|row| row.integration == name) {
            let first = store.revisions(row.id).await?.into_iter().next();
            let first = first.filter(|first| first.number == 1 && first.origin == RevisionOrigin::Mapped);
            deliveries.push((row, first.map(|first| first.request)));
        }
        let mut then = None;
        if deliveries.iter().any(|(_, request)| request.is_none()) {
            if !versions.contains_key(&event.version) {
                versions.insert(event.version.clone(), self.version_of(name, &event.version).await?);
            }
            then = versions.get(&event.version).cloned().flatten();
        }
        Ok(Some(Past { event, raw, deliveries, then }))
    }
}

/// What a comparison says, and what is shown of it.
pub(crate) struct Compared {
    outcome: Option<PreviewOutcome>,
    before: Option<String>,
    after: Option<String>,
    error: Option<String>,
    diff: Vec<FieldChange>,
}

/// By destination.
fn compare(integration: &Integration, past: &Past) -> Vec<(String, Compared)> {
    let mut now = make(integration, past);
    let mut then = past.then.as_deref().map(|then| make(then, past)).unwrap_or_default();
    let mut compared = Vec::new();
    for (row, request) in &past.deliveries {
        let before = match request {
            Some(request) => Made::Sent(request.clone()),
            None => then.remove(&row.destination).unwrap_or_else(|| as_the_row_says(row)),
        };
        let after = now.remove(&row.destination);
        let after = after.unwrap_or_else(|| Made::Filtered("the changed files have no such destination".into()));
        compared.push((row.destination.clone(), difference(Some(before), after)));
    }
    compared.extend(now.into_iter().map(|(destination, made)| (destination, difference(None, made))));
    compared
}

fn as_the_row_says(row: &DeliveryRow) -> Made {
    let message = row.message.clone().unwrap_or_default();
    if row.state == DeliveryState::Filtered { Made::Filtered(message) } else { Made::Failed(message) }
}

fn make(integration: &Integration, past: &Past) -> BTreeMap<String, Made> {
    let event = &past.event;
    let body = crate::reading::stored(&integration.source, event, &past.raw);
    let hops = crate::hops::of_stored(&event.headers);
    let content_type = event.content_type.as_deref();
    let input = StepInput { method: &event.method, content_type, hops, raw: &past.raw, body };
    let key_failure = key_failure(integration, event, &input);
    let fates = plan_fates(integration, &input, key_failure.as_deref(), &Limits::BEHIND);
    let names = integration.destinations.iter().map(|destination| destination.name.clone());
    let Some(fates) = fates else {
        return names.map(|name| (name, Made::Failed("the steps ran over their budget".into()))).collect();
    };
    let made = fates.into_iter().map(|fate| match fate {
        Fate::Send(request) => Made::Sent(request),
        Fate::Filtered { step } => Made::Filtered(step),
        Fate::Dead(failure) => Made::Failed(failure.message),
    });
    names.zip(made).collect()
}

/// Without its key a delivery dies: a changed key expression can fail too.
fn key_failure(integration: &Integration, event: &EventRow, input: &StepInput<'_>) -> Option<String> {
    let Source::Webhook(source) = &integration.source;
    let (program, body) = (source.key.as_ref()?, input.body.as_ref().ok()?);
    let mut headers = HeaderMap::with_capacity(event.headers.len());
    for (name, value) in &event.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            headers.append(name, value);
        }
    }
    let asked = program.run_optional(&envelope(&headers, event.query.as_deref(), body), &Limits::BEHIND);
    asked.err().map(|error| format!("the source's key expression failed: {error}"))
}

fn difference(before: Option<Made>, after: Made) -> Compared {
    use PreviewOutcome::{Changed, Mended, NewFailure, NowFiltered, NowSent};
    let mut compared = Compared { outcome: None, before: None, after: None, error: None, diff: Vec::new() };
    if let Some(Made::Sent(request)) = &before {
        compared.before = Some(shown(request));
    }
    if let Made::Sent(request) = &after {
        compared.after = Some(shown(request));
    }
    compared.outcome = match (before, after) {
        (Some(Made::Sent(before)), Made::Sent(after)) => {
            compared.diff = diff::requests(&before, &after);
            (before != after).then_some(Changed)
        }
        (Some(Made::Failed(_)), Made::Failed(_)) | (Some(Made::Filtered(_)), Made::Filtered(_)) => None,
        (_, Made::Failed(why)) => {
            compared.error = Some(why);
            Some(NewFailure)
        }
        (Some(Made::Failed(why)), _) => {
            compared.error = Some(why);
            Some(Mended)
        }
        (Some(Made::Filtered(_)) | None, Made::Sent(_)) => Some(NowSent),
        (_, Made::Filtered(why)) => {
            compared.error = Some(why);
            Some(NowFiltered)
        }
    };
    compared
}

fn shown(request: &Request) -> String {
    let text = String::from_utf8_lossy(&request.body);
    if text.len() <= SHOWN { text.into_owned() } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

impl Preview {
    fn count(&mut self, event: EventId, destination: String, compared: Compared) {
        self.checked += 1;
        let Some(outcome) = compared.outcome else {
            self.same += 1;
            return;
        };
        *match outcome {
            PreviewOutcome::Changed | PreviewOutcome::NowSent => &mut self.changed,
            PreviewOutcome::NewFailure => &mut self.new_failures,
            PreviewOutcome::Mended => &mut self.mended,
            PreviewOutcome::NowFiltered => &mut self.filtered,
        } += 1;
        if self.examples.len() < EXAMPLES {
            let Compared { before, after, error, diff, .. } = compared;
            self.examples.push(PreviewExample { event, destination, outcome, before, after, error, diff });
        }
    }
}
