//! Replay: plan with a frozen set, then a job with its own rate, canary, pause, cancel and resume after a crash.

mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use signalbox_model::replay::ReplayState;
use signalbox_model::{DeliveryId, FailureKind, ReplayId, Stage};
use signalbox_store::event::Request;
use signalbox_store::read::{DeliveryRow, RevisionRow};
use signalbox_store::replay::{
    NewReplay, NewRevision, PlannedReplay, ReplayMove, ReplayRow, ReplaySettings, Requeued, RevisionOrigin,
};
use signalbox_store::{LaneId, StoreError};
use signalbox_transform::Limits;
use signalbox_workspace::Integration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dispatch::lane::LaneRuntime;
use crate::dispatch::outcome::failure;
use crate::dispatch::{Dispatcher, Means};
use crate::steps::{RequestOutcome, StepFailure, StepInput, StepsOutcome, make_raw_request, make_request, run_steps};
use crate::view::{ControlError, ReplayPlan, ReplayRequest, ReplayTarget, SampleRequest};

/// Per second, when nobody says otherwise.
pub const DEFAULT_RATE: f64 = 5.0;
pub const RATE_RANGE: std::ops::RangeInclusive<f64> = 0.1..=1_000.0;

pub struct ReplayService {
    means: Arc<Means>,
    dispatcher: Arc<Dispatcher>,
    /// Wakes the job's runner when a person moves it.
    wakes: Mutex<BTreeMap<ReplayId, Arc<Notify>>>,
    stop: CancellationToken,
    jobs: TaskTracker,
}

/// What a remap makes of a dead letter now.
pub(crate) enum Remapped {
    /// The same bytes as its current revision.
    Same,
    Changed(Request),
    Fails(StepFailure),
    /// The destination is not in the workspace any more.
    Gone,
}

impl ReplayService {
    pub fn new(means: Arc<Means>, dispatcher: Arc<Dispatcher>) -> Arc<Self> {
        Arc::new(Self {
            means,
            dispatcher,
            wakes: Mutex::new(BTreeMap::new()),
            stop: CancellationToken::new(),
            jobs: TaskTracker::new(),
        })
    }

    /// Jobs that were running when the program stopped go on.
    pub async fn resume_jobs(self: &Arc<Self>) -> Result<usize, StoreError> {
        let running = self.means.store.replays(true, 100).await?;
        let count = running.len();
        for row in running {
            self.spawn(row.id);
        }
        Ok(count)
    }

    pub async fn plan(&self, request: ReplayRequest) -> Result<ReplayPlan, ControlError> {
        let settings = settings(&request)?;
        let ReplayTarget::Selection(selection) = request.target else {
            return Err(ControlError::Invalid(
                "a plan is made from a filter or from ids, not from another plan".into(),
            ));
        };
        let now = self.means.clock.now();
        let id = ReplayId::from_bits(self.means.ids.next(now));
        let rate = settings.rate;
        let plan = NewReplay { id, selection, settings, newer: request.newer, created_at: now };
        let planned = self.means.store.plan_replay(plan).await?;
        if request.edit.is_some() && planned.count != 1 {
            let message = format!("an edit is for one delivery; this selection has {}", planned.count);
            return Err(ControlError::Invalid(message));
        }
        self.show(id, planned, rate, request.mode, request.edit).await
    }

    async fn show(
        &self,
        id: ReplayId,
        planned: PlannedReplay,
        rate: f64,
        mode: signalbox_model::replay::ReplayMode,
        edit: Option<Vec<u8>>,
    ) -> Result<ReplayPlan, ControlError> {
        let mut samples = Vec::new();
        for delivery in &planned.samples {
            if let Some(sample) = self.sample(*delivery, mode, edit.as_deref()).await? {
                samples.push(sample);
            }
        }
        let now = self.means.clock.now();
        let mut gate = None;
        let mut by_destination = Vec::new();
        for (lane, count) in &planned.by_lane {
            let Some(lane) = self.dispatcher.lane(*lane) else { continue };
            by_destination.push((lane.integration.clone(), lane.destination.clone(), *count));
            let view = crate::gates::view::lane(&lane, now);
            if gate.is_none() || view.reason.is_some() {
                gate = Some(view);
            }
        }
        Ok(ReplayPlan {
            id,
            count: planned.count,
            by_destination,
            skipped_newer: planned.skipped_newer,
            skipped_state: planned.skipped_state,
            with_key: planned.with_key,
            gate,
            seconds: planned.count as f64 / rate,
            samples,
        })
    }

    /// Goes on to its end even when the caller hangs up: a job that runs must have its runner.
    pub async fn start(self: &Arc<Self>, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        let service = self.clone();
        let started = self.jobs.spawn(async move { service.start_now(request).await });
        started.await.map_err(|_| ControlError::WrongState("starting the replay stopped unexpectedly".into()))?
    }

    async fn start_now(self: &Arc<Self>, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        let settings = settings(&request)?;
        let now = self.means.clock.now();
        let id = match &request.target {
            ReplayTarget::Plan(id) => *id,
            ReplayTarget::Selection(selection) => {
                let id = ReplayId::from_bits(self.means.ids.next(now));
                let plan = NewReplay {
                    id,
                    selection: selection.clone(),
                    settings: settings.clone(),
                    newer: request.newer,
                    created_at: now,
                };
                self.means.store.plan_replay(plan).await?;
                id
            }
        };
        let known = self.replay(id).await?.ok_or_else(|| missing(id))?;
        if known.state != ReplayState::Planned {
            return Err(ControlError::WrongState(format!("replay {id} is {} already", known.state.as_str())));
        }
        if request.edit.is_some() && known.total != 1 {
            return Err(ControlError::Invalid(format!("an edit is for one delivery; this set has {}", known.total)));
        }
        let settings = match request.target {
            ReplayTarget::Plan(_) if request.rate.is_none() => ReplaySettings { rate: known.settings.rate, ..settings },
            _ => settings,
        };
        // Made before the job runs, so that a wrong edit starts nothing.
        let edited = match request.edit {
            Some(edit) => self.edited_revision(id, Bytes::from(edit)).await?,
            None => None,
        };
        match self.means.store.start_replay(id, settings, now).await? {
            ReplayMove::Moved => {}
            ReplayMove::WrongState(state) => {
                return Err(ControlError::WrongState(format!("replay {id} is {} already", state.as_str())));
            }
            ReplayMove::Missing => return Err(missing(id)),
        }
        if let Some((delivery, revision)) = edited {
            let requeued = self.means.store.requeue(id, delivery, Some(revision), now).await?;
            self.nudge(requeued);
        }
        tracing::info!(replay = %id, total = known.total, "a replay starts");
        self.spawn(id);
        self.replay(id).await?.ok_or_else(|| missing(id))
    }

    pub async fn replay(&self, id: ReplayId) -> Result<Option<ReplayRow>, StoreError> {
        self.means.store.replay(id).await
    }

    pub async fn move_to(self: &Arc<Self>, id: ReplayId, to: ReplayState) -> Result<ReplayRow, ControlError> {
        let now = self.means.clock.now();
        match self.means.store.move_replay(id, to, None, now).await? {
            ReplayMove::Moved => {}
            ReplayMove::WrongState(state) => {
                let wanted = match to {
                    ReplayState::Running => "resumed",
                    ReplayState::Paused => "paused",
                    _ => "cancelled",
                };
                return Err(ControlError::WrongState(format!(
                    "replay {id} is {}; it cannot be {wanted}",
                    state.as_str()
                )));
            }
            ReplayMove::Missing => return Err(missing(id)),
        }
        // Not inside the match: its lock would be held while `spawn` takes it again.
        let wake = self.wakes.lock().get(&id).cloned();
        match (to, wake) {
            (_, Some(wake)) => wake.notify_one(),
            (ReplayState::Running, None) => self.spawn(id),
            _ => {}
        }
        self.replay(id).await?.ok_or_else(|| missing(id))
    }

    pub async fn drain(&self) {
        self.stop.cancel();
        self.jobs.close();
        self.jobs.wait().await;
    }

    async fn edited_revision(
        &self,
        id: ReplayId,
        body: Bytes,
    ) -> Result<Option<(DeliveryId, NewRevision)>, ControlError> {
        let Some(delivery) = self.means.store.next_items(id, 1).await?.first().copied() else { return Ok(None) };
        let Some((row, current)) = self.current(delivery).await? else { return Ok(None) };
        let request = match current {
            Some(current) => Request { body, ..current.request },
            None => self.request_for_edit(&row, body)?,
        };
        Ok(Some((delivery, NewRevision { origin: RevisionOrigin::Edited, request })))
    }

    /// A dead letter that died in its steps has no request yet: the edit is its first body.
    fn request_for_edit(&self, row: &DeliveryRow, body: Bytes) -> Result<Request, ControlError> {
        let gone = || ControlError::WrongState("its destination is no longer in the workspace".into());
        let lane = self.dispatcher.lane(row.lane).ok_or_else(gone)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref().ok_or_else(gone)?;
        let destination = config.destination().ok_or_else(gone)?;
        let value = signalbox_transform::parse_json(&body)
            .map_err(|error| ControlError::Invalid(format!("the edited body is not JSON: {error}")))?
            .value;
        let path = destination
            .path
            .render(&value, &Limits::BEHIND)
            .map_err(|error| ControlError::Invalid(format!("the path cannot be made from the edited body: {error}")))?;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        for (name, template) in &destination.headers {
            let text = template
                .render(&value, &Limits::BEHIND)
                .map_err(|error| ControlError::Invalid(format!("the header {name} cannot be made: {error}")))?;
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.to_ascii_lowercase(), text));
        }
        Ok(Request { method: destination.method.clone(), path, headers, body })
    }

    async fn current(&self, id: DeliveryId) -> Result<Option<(DeliveryRow, Option<RevisionRow>)>, StoreError> {
        let Some(row) = self.means.store.delivery(id).await? else { return Ok(None) };
        let revisions = self.means.store.revisions(id).await?;
        let current = revisions.into_iter().find(|revision| revision.number == row.revision);
        Ok(Some((row, current)))
    }

    async fn sample(
        &self,
        id: DeliveryId,
        mode: signalbox_model::replay::ReplayMode,
        edit: Option<&[u8]>,
    ) -> Result<Option<SampleRequest>, ControlError> {
        let Some((row, current)) = self.current(id).await? else { return Ok(None) };
        let Some(lane) = self.dispatcher.lane(row.lane) else { return Ok(None) };
        let current = current.map(|revision| revision.request);
        let (request, fails) = match (edit, mode) {
            (Some(edit), _) => {
                let body = Bytes::copy_from_slice(edit);
                let request = match current {
                    Some(current) => Request { body, ..current },
                    None => self.request_for_edit(&row, body)?,
                };
                (Some(request), None)
            }
            (None, signalbox_model::replay::ReplayMode::Exact) => (current, None),
            (None, signalbox_model::replay::ReplayMode::Remap) => match self.remap(&row, current.as_ref()).await? {
                Remapped::Same => (current, None),
                Remapped::Changed(request) => (Some(request), None),
                Remapped::Fails(failed) => (current, Some(failed.message)),
                Remapped::Gone => (current, Some("its destination is no longer in the workspace".into())),
            },
        };
        let Some(request) = request else {
            let fails = fails.or_else(|| Some("it has no request yet; its steps never made one".into()));
            return Ok(Some(SampleRequest {
                delivery: id,
                method: String::new(),
                url: String::new(),
                headers: Vec::new(),
                body: Vec::new(),
                fails,
            }));
        };
        let (url, headers) = crate::masked::as_sent(&lane, &request, id, row.revision, self.means.clock.now());
        Ok(Some(SampleRequest {
            delivery: id,
            method: request.method,
            url,
            headers,
            body: request.body.to_vec(),
            fails,
        }))
    }

    /// The event through the integration as it is now.
    pub(crate) async fn remap(&self, row: &DeliveryRow, current: Option<&Request>) -> Result<Remapped, StoreError> {
        let Some(lane) = self.dispatcher.lane(row.lane) else { return Ok(Remapped::Gone) };
        let Some(event) = self.means.store.event(row.event).await? else { return Ok(Remapped::Gone) };
        let raw = self.means.store.event_body(row.event).await?.unwrap_or_default();
        let current = current.cloned();
        let work = move || remap_now(&lane, &event, &raw, current.as_ref());
        match tokio::task::spawn_blocking(work).await {
            Ok(remapped) => Ok(remapped),
            Err(_) => Ok(Remapped::Fails(StepFailure {
                stage: Stage::Map,
                message: "a step stopped unexpectedly on this event".into(),
            })),
        }
    }

    fn nudge(&self, requeued: Requeued) {
        let (Requeued::Queued { lane } | Requeued::Held { lane }) = requeued else { return };
        self.nudge_lane(lane);
    }

    fn nudge_lane(&self, lane: LaneId) {
        if let Some(lane) = self.dispatcher.lane(lane) {
            lane.nudge();
        }
    }

    /// The failure of a remap, as the ledger keeps it.
    fn remap_failure(&self, row: &DeliveryRow, failed: StepFailure) -> Option<signalbox_store::event::Failure> {
        let lane = self.dispatcher.lane(row.lane)?;
        let config = lane.config.load_full();
        let config = config.as_ref().as_ref()?;
        let destination = config.destination()?;
        Some(failure(&config.integration, destination, failed.stage, FailureKind::Mapping, None, failed.message))
    }
}

fn remap_now(
    lane: &LaneRuntime,
    event: &signalbox_store::read::EventRow,
    raw: &Bytes,
    current: Option<&Request>,
) -> Remapped {
    let config = lane.config.load_full();
    let Some(config) = config.as_ref() else { return Remapped::Gone };
    let Some(destination) = config.destination() else { return Remapped::Gone };
    let integration: &Integration = &config.integration;
    let body = crate::reading::stored(&integration.source, event, raw);
    let input = StepInput { method: &event.method, content_type: event.content_type.as_deref(), raw, body };
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
        RequestOutcome::Made(request) if current == Some(&request) => Remapped::Same,
        RequestOutcome::Made(request) => Remapped::Changed(request),
        RequestOutcome::Failed(failed) => Remapped::Fails(failed),
        RequestOutcome::OverBudget => {
            Remapped::Fails(StepFailure { stage: Stage::Map, message: "the steps ran over their budget".into() })
        }
    }
}

fn settings(request: &ReplayRequest) -> Result<ReplaySettings, ControlError> {
    let rate = request.rate.unwrap_or(DEFAULT_RATE);
    if !RATE_RANGE.contains(&rate) {
        let message =
            format!("a rate of {rate} is out of range: {} to {} per second", RATE_RANGE.start(), RATE_RANGE.end());
        return Err(ControlError::Invalid(message));
    }
    Ok(ReplaySettings { mode: request.mode, rate, canary: request.canary, reason: request.reason.clone() })
}

fn missing(id: ReplayId) -> ControlError {
    ControlError::Missing { what: "replay", name: id.to_string() }
}
