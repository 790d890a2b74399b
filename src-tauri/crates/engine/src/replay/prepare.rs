//! What one dead letter would send in a replay: the same bytes, a new revision, or nothing and why. Plans and jobs ask
//! the same question here, so that what is shown is what is sent.

use bytes::Bytes;
use signalbox_model::replay::ReplayMode;
use signalbox_model::{DeliveryId, FailureKind, Stage};
use signalbox_store::StoreError;
use signalbox_store::event::{Failure, Request};
use signalbox_store::read::{DeliveryRow, EventRow, RevisionRow};
use signalbox_store::replay::{BodyChange, NewRevision, RevisionOrigin};
use signalbox_transform::Limits;
use signalbox_workspace::Integration;

use super::ReplayService;
use super::patch::BodyPatch;
use crate::background::in_background;
use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::outcome::failure;
use crate::steps::{RequestOutcome, StepFailure, StepInput, StepsOutcome, make_raw_request, make_request, run_steps};

/// A dead letter as it stands, with every revision it has.
pub(super) struct DeadLetter {
    pub row: DeliveryRow,
    pub revisions: Vec<RevisionRow>,
}

impl DeadLetter {
    pub fn current(&self) -> Option<&Request> {
        self.revisions.iter().find(|revision| revision.number == self.row.revision).map(|revision| &revision.request)
    }

    /// What a changed body would be: one above every revision that there has been.
    pub fn next_revision(&self) -> u32 {
        self.revisions.iter().map(|revision| revision.number).max().unwrap_or(0).saturating_add(1)
    }
}

/// What a job does to the bodies that it sends.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Edit(Bytes),
    Patch(BodyPatch),
}

impl Change {
    /// `None`: a patch that this program no longer takes.
    pub fn of(change: &BodyChange) -> Option<Self> {
        match change {
            BodyChange::Edit(body) => Some(Self::Edit(body.clone())),
            BodyChange::Patch(text) => BodyPatch::parse(text).ok().map(Self::Patch),
        }
    }
}

pub(super) enum Prepared {
    /// The bytes of its current revision, under their key.
    AsItIs,
    Changed(NewRevision),
    /// The edit or the patch does not fit it: why. It stays as it is.
    Misfit(String),
    /// The steps fail on it as they are now.
    Fails(StepFailure),
    /// The destination is not in the workspace any more.
    Gone,
}

/// What a remap makes of a dead letter now.
enum Remapped {
    Made(Request),
    Fails(StepFailure),
    Gone,
}

const NO_REQUEST: &str = "it has no request yet; its steps never made one";

impl ReplayService {
    pub(super) async fn dead_letter(&self, id: DeliveryId) -> Result<Option<DeadLetter>, StoreError> {
        let Some(row) = self.means.store.delivery(id).await? else { return Ok(None) };
        let revisions = self.means.store.revisions(id).await?;
        Ok(Some(DeadLetter { row, revisions }))
    }

    pub(super) async fn prepare(
        &self,
        dead: &DeadLetter,
        mode: ReplayMode,
        change: Option<&Change>,
    ) -> Result<Prepared, StoreError> {
        let current = dead.current();
        if let Some(Change::Edit(body)) = change {
            let request = match current {
                Some(current) => Ok(Request { body: body.clone(), ..current.clone() }),
                None => self.request_for_edit(&dead.row, body.clone()),
            };
            return Ok(match request {
                Ok(request) => changed(current, request, RevisionOrigin::Edited),
                Err(why) => Prepared::Misfit(why),
            });
        }
        let base = match mode {
            ReplayMode::Exact => current.cloned(),
            ReplayMode::Remap => match self.remap(&dead.row).await? {
                Remapped::Made(request) => Some(request),
                Remapped::Fails(failed) => return Ok(Prepared::Fails(failed)),
                Remapped::Gone => return Ok(Prepared::Gone),
            },
        };
        let patched = match (base, change) {
            (Some(base), Some(Change::Patch(patch))) => match apply(patch.clone(), base.body.clone()).await {
                Ok(body) => (Request { body, ..base }, RevisionOrigin::Edited),
                Err(why) => return Ok(Prepared::Misfit(why)),
            },
            (Some(base), _) => (base, RevisionOrigin::Remapped),
            (None, Some(_)) => return Ok(Prepared::Misfit(NO_REQUEST.into())),
            (None, None) => return Ok(Prepared::AsItIs),
        };
        Ok(changed(current, patched.0, patched.1))
    }

    /// A dead letter that died in its steps has no request yet: the edit is its first body.
    fn request_for_edit(&self, row: &DeliveryRow, body: Bytes) -> Result<Request, String> {
        let gone = || "its destination is no longer in the workspace".to_owned();
        let lane = self.dispatcher.lane(row.lane).ok_or_else(gone)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref().ok_or_else(gone)?;
        let destination = config.destination().ok_or_else(gone)?;
        let value = signalbox_transform::parse_json(&body)
            .map_err(|error| format!("the edited body is not JSON: {error}"))?
            .value;
        let path = destination
            .path
            .render(&value, &Limits::BEHIND)
            .map_err(|error| format!("the path cannot be made from the edited body: {error}"))?;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        for (name, template) in &destination.headers {
            let text = template
                .render(&value, &Limits::BEHIND)
                .map_err(|error| format!("the header {name} cannot be made: {error}"))?;
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.to_ascii_lowercase(), text));
        }
        Ok(Request { method: destination.method.clone(), path, headers, body })
    }

    /// The event through the integration as it is now.
    async fn remap(&self, row: &DeliveryRow) -> Result<Remapped, StoreError> {
        let Some(lane) = self.dispatcher.lane(row.lane) else { return Ok(Remapped::Gone) };
        let Some(event) = self.means.store.event(row.event).await? else { return Ok(Remapped::Gone) };
        let raw = self.means.store.event_body(row.event).await?.unwrap_or_default();
        let remapped = in_background(move || remap_now(&lane, &event, &raw)).await;
        Ok(remapped.unwrap_or_else(|| {
            let message = "a step stopped unexpectedly on this event".into();
            Remapped::Fails(StepFailure { stage: Stage::Map, message })
        }))
    }

    /// The failure of a remap, as the ledger keeps it.
    pub(super) fn remap_failure(&self, row: &DeliveryRow, failed: StepFailure) -> Option<Failure> {
        let lane = self.dispatcher.lane(row.lane)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        let destination = config.destination()?;
        Some(failure(&config.integration, destination, failed.stage, FailureKind::Mapping, None, failed.message))
    }
}

/// Large bodies and long patches take their time.
async fn apply(patch: BodyPatch, body: Bytes) -> Result<Bytes, String> {
    let applied = in_background(move || patch.apply(&body)).await;
    applied.unwrap_or_else(|| Err("the patch stopped unexpectedly on its body".into()))
}

fn changed(current: Option<&Request>, request: Request, origin: RevisionOrigin) -> Prepared {
    if current == Some(&request) { Prepared::AsItIs } else { Prepared::Changed(NewRevision { origin, request }) }
}

fn remap_now(lane: &LaneRuntime, event: &EventRow, raw: &Bytes) -> Remapped {
    let config = lane.config.load_full();
    let Some(config) = config.as_ref() else { return Remapped::Gone };
    let Some(destination) = config.destination() else { return Remapped::Gone };
    let integration: &Integration = &config.integration;
    let body = crate::reading::stored(&integration.source, event, raw);
    let hops = crate::hops::of_stored(&event.headers);
    let input = StepInput { method: &event.method, content_type: event.content_type.as_deref(), hops, raw, body };
    let made = match &input.body {
        Err(unreadable) => match make_raw_request(destination, &input).filter(|_| integration.steps.is_empty()) {
            Some(request) => RequestOutcome::Made(request),
            None => RequestOutcome::Failed(StepFailure {
                stage: Stage::Accept,
                message: format!("the body cannot be read: {unreadable}"),
            }),
        },
        Ok(body) => match run_steps(&integration.steps, body, &Limits::BEHIND) {
            StepsOutcome::Done(stepped) => make_request(destination, &stepped, &input, &Limits::BEHIND),
            StepsOutcome::Failed(failed) => RequestOutcome::Failed(failed),
            StepsOutcome::Filtered { step } => RequestOutcome::Failed(StepFailure {
                stage: Stage::Filter,
                message: format!("the integration as it is now filters this event out ({step})"),
            }),
            StepsOutcome::OverBudget => RequestOutcome::OverBudget,
        },
    };
    match made {
        RequestOutcome::Made(request) => Remapped::Made(request),
        RequestOutcome::Failed(failed) => Remapped::Fails(failed),
        RequestOutcome::OverBudget => {
            Remapped::Fails(StepFailure { stage: Stage::Map, message: "the steps ran over their budget".into() })
        }
    }
}
