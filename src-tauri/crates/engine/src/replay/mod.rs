//! Replay: plan with a frozen set, then a job with its own rate, canary, pause, cancel, undo and resume after a crash.
//!
//! `plan` says what would happen, `run` makes it happen, `prepare` decides for both what one delivery would send.

pub mod patch;
mod plan;
mod prepare;
mod read;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use signalbox_model::ReplayId;
use signalbox_model::replay::ReplayState;
use signalbox_store::replay::{BodyChange, NewReplay, ReplayMove, ReplayRow, ReplaySettings, Requeued};
use signalbox_store::{LaneId, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::dispatch::{Dispatcher, Means};
use crate::view::{ControlError, ReplayRequest, ReplayTarget};
use patch::BodyPatch;
use prepare::{Change, Prepared};

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

    /// Goes on to its end even when the caller hangs up: a job that runs must have its runner.
    pub async fn start(self: &Arc<Self>, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        let service = self.clone();
        let started = self.jobs.spawn(async move { service.start_now(request).await });
        started.await.map_err(|_| ControlError::WrongState("starting the replay stopped unexpectedly".into()))?
    }

    async fn start_now(self: &Arc<Self>, request: ReplayRequest) -> Result<ReplayRow, ControlError> {
        let settings = settings(&request)?;
        let change = change(&request)?;
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
                    change: None,
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
        let planned = match &change {
            Some(change) => Some(change.clone()),
            None => self.means.store.body_change(id).await?,
        };
        if let Some(BodyChange::Edit(body)) = planned {
            self.check_edit(id, known.total, body, settings.mode).await?;
        }
        let settings = match request.target {
            ReplayTarget::Plan(_) if request.rate.is_none() => ReplaySettings { rate: known.settings.rate, ..settings },
            _ => settings,
        };
        // One commit holds the start and the change: a crash after it sends what was asked for, or nothing.
        match self.means.store.start_replay(id, settings, change, now).await? {
            ReplayMove::Moved => {}
            ReplayMove::WrongState(state) => {
                return Err(ControlError::WrongState(format!("replay {id} is {} already", state.as_str())));
            }
            ReplayMove::Missing => return Err(missing(id)),
        }
        tracing::info!(replay = %id, total = known.total, "a replay starts");
        self.spawn(id);
        self.replay(id).await?.ok_or_else(|| missing(id))
    }

    /// A wrong edit starts nothing.
    async fn check_edit(
        &self,
        id: ReplayId,
        total: u64,
        body: Bytes,
        mode: signalbox_model::replay::ReplayMode,
    ) -> Result<(), ControlError> {
        if total != 1 {
            return Err(ControlError::Invalid(format!(
                "an edit is for one delivery; this set has {total}. Give a patch to change them all"
            )));
        }
        let Some(delivery) = self.means.store.next_items(id, 1).await?.first().copied() else { return Ok(()) };
        let Some(dead) = self.dead_letter(delivery).await? else { return Ok(()) };
        match self.prepare(&dead, mode, Some(&Change::Edit(body))).await? {
            Prepared::Misfit(why) => Err(ControlError::Invalid(why)),
            _ => Ok(()),
        }
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

    /// Ends the job and puts back whatever of it was not sent. A request that went out cannot be unsent.
    pub async fn undo(self: &Arc<Self>, id: ReplayId) -> Result<ReplayRow, ControlError> {
        let service = self.clone();
        let undone = self.jobs.spawn(async move { service.undo_now(id).await });
        undone.await.map_err(|_| ControlError::WrongState("undoing the replay stopped unexpectedly".into()))?
    }

    async fn undo_now(&self, id: ReplayId) -> Result<ReplayRow, ControlError> {
        let known = self.replay(id).await?.ok_or_else(|| missing(id))?;
        if known.state == ReplayState::Planned {
            return Err(ControlError::WrongState(format!("replay {id} has not started, so there is nothing to undo")));
        }
        let now = self.means.clock.now();
        let because = Some("undone: what was not sent is as it was before".to_owned());
        // It may have ended by itself meanwhile, which is as good.
        let stopped = self.means.store.move_replay(id, ReplayState::Cancelled, because, now).await?;
        let wake = self.wakes.lock().get(&id).cloned();
        if let Some(wake) = wake {
            wake.notify_one();
        }
        let restored = self.means.store.undo_replay(id, now).await?;
        let row = self.replay(id).await?.ok_or_else(|| missing(id))?;
        if restored == 0 && stopped != ReplayMove::Moved {
            let sent = row.sent.saturating_add(row.delivered).saturating_add(row.dead);
            return Err(ControlError::WrongState(format!(
                "nothing of replay {id} is left to take back: {sent} were sent, and a request cannot be unsent"
            )));
        }
        tracing::info!(replay = %id, restored, "a replay was undone");
        Ok(row)
    }

    pub async fn drain(&self) {
        self.stop.cancel();
        self.jobs.close();
        self.jobs.wait().await;
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

/// What the request says of bodies; a patch is checked as far as it can be.
fn change(request: &ReplayRequest) -> Result<Option<BodyChange>, ControlError> {
    match (&request.edit, &request.patch) {
        (Some(_), Some(_)) => Err(ControlError::Invalid(
            "an edit is the new body of one delivery, a patch changes the whole set: give one of them".into(),
        )),
        (Some(edit), None) => Ok(Some(BodyChange::Edit(Bytes::copy_from_slice(edit)))),
        (None, Some(patch)) => {
            BodyPatch::parse(patch).map_err(|error| ControlError::Invalid(error.to_string()))?;
            Ok(Some(BodyChange::Patch(patch.clone())))
        }
        (None, None) => Ok(None),
    }
}

fn missing(id: ReplayId) -> ControlError {
    ControlError::Missing { what: "replay", name: id.to_string() }
}
