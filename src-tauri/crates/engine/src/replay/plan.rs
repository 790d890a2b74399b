//! The dry run: the frozen set, the exact requests, what a patch fits, and what the systems hold now.

use std::time::Duration;

use signalbox_model::replay::ReplayMode;
use signalbox_model::{DeliveryId, ReplayId};
use signalbox_store::StoreError;
use signalbox_store::event::Request;
use signalbox_store::replay::{BodyChange, NewReplay, PlannedReplay};
use tokio::time::Instant;

use super::prepare::{Change, DeadLetter, Prepared};
use super::{ReplayService, change, patch, settings};
use crate::diff::{self, FieldChange};
use crate::view::{ControlError, PatchCheck, ReplayPlan, ReplayRequest, ReplayTarget, SampleRequest};

/// The most deliveries of a set that a patch is tried on in a dry run.
const PATCH_CHECKED: u32 = 1_000;
const PATCH_CHECK_LONGEST: Duration = Duration::from_secs(5);
const MISFITS_SHOWN: usize = 10;
/// One deadline for all records that are read in a dry run.
const READS_LONGEST: Duration = Duration::from_secs(5);

impl ReplayService {
    pub async fn plan(&self, request: ReplayRequest) -> Result<ReplayPlan, ControlError> {
        let settings = settings(&request)?;
        let body_change = change(&request)?;
        let ReplayTarget::Selection(selection) = request.target else {
            return Err(ControlError::Invalid(
                "a plan is made from a filter or from ids, not from another plan".into(),
            ));
        };
        let now = self.means.clock.now();
        let id = ReplayId::from_bits(self.means.ids.next(now));
        let rate = settings.rate;
        let change = body_change.as_ref().and_then(Change::of);
        let plan =
            NewReplay { id, selection, settings, newer: request.newer, change: body_change.clone(), created_at: now };
        let planned = self.means.store.plan_replay(plan).await?;
        if matches!(body_change, Some(BodyChange::Edit(_))) && planned.count > 1 {
            let message = format!(
                "an edit is for one delivery; this selection has {}. Give a patch to change them all",
                planned.count
            );
            return Err(ControlError::Invalid(message));
        }
        self.show(id, planned, rate, request.mode, change.as_ref()).await
    }

    async fn show(
        &self,
        id: ReplayId,
        planned: PlannedReplay,
        rate: f64,
        mode: ReplayMode,
        change: Option<&Change>,
    ) -> Result<ReplayPlan, ControlError> {
        let deadline = Instant::now() + READS_LONGEST;
        let mut samples = Vec::new();
        for delivery in &planned.samples {
            if let Some(sample) = self.sample(*delivery, mode, change, deadline).await? {
                samples.push(sample);
            }
        }
        let patch = match change {
            Some(Change::Patch(_)) => Some(self.check_patch(id, mode, change).await?),
            _ => None,
        };
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
            patch,
        })
    }

    /// Tries the patch on the set, oldest first, as far as there is time.
    async fn check_patch(
        &self,
        id: ReplayId,
        mode: ReplayMode,
        change: Option<&Change>,
    ) -> Result<PatchCheck, ControlError> {
        let deadline = Instant::now() + PATCH_CHECK_LONGEST;
        let mut check = PatchCheck::default();
        for delivery in self.means.store.next_items(id, PATCH_CHECKED).await? {
            if Instant::now() > deadline {
                break;
            }
            let Some(dead) = self.dead_letter(delivery).await? else { continue };
            let reason = match self.prepare(&dead, mode, change).await? {
                Prepared::AsItIs | Prepared::Changed(_) => None,
                Prepared::Misfit(why) => Some(why),
                Prepared::Fails(failed) => Some(failed.message),
                Prepared::Gone => Some(GONE.to_owned()),
            };
            check.checked += 1;
            match reason {
                None => check.fits += 1,
                Some(reason) => {
                    check.misfits += 1;
                    if check.examples.len() < MISFITS_SHOWN {
                        check.examples.push((delivery, reason));
                    }
                }
            }
        }
        Ok(check)
    }

    async fn sample(
        &self,
        id: DeliveryId,
        mode: ReplayMode,
        change: Option<&Change>,
        deadline: Instant,
    ) -> Result<Option<SampleRequest>, ControlError> {
        let Some(dead) = self.dead_letter(id).await? else { return Ok(None) };
        let Some(lane) = self.dispatcher.lane(dead.row.lane) else { return Ok(None) };
        let current = dead.current().cloned();
        let (request, revision, fails) = match self.prepare(&dead, mode, change).await? {
            Prepared::AsItIs => (current, dead.row.revision, None),
            Prepared::Changed(new) => (Some(new.request), dead.next_revision(), None),
            Prepared::Misfit(why) => (current, dead.row.revision, Some(why)),
            Prepared::Fails(failed) => (current, dead.row.revision, Some(failed.message)),
            Prepared::Gone => (current, dead.row.revision, Some(GONE.to_owned())),
        };
        let Some(request) = request else {
            let fails = fails.or_else(|| Some("it has no request yet; its steps never made one".into()));
            return Ok(Some(SampleRequest { fails, ..SampleRequest::empty(id) }));
        };
        let changes = self.changes(&dead, &request).await?;
        let record = if fails.is_none() { self.current_record(&lane, &request, id, deadline).await } else { None };
        let (url, headers) = crate::masked::as_sent(&lane, &request, id, revision, self.means.clock.now());
        Ok(Some(SampleRequest {
            delivery: id,
            method: request.method,
            url,
            headers,
            body: request.body.to_vec(),
            fails,
            changes,
            current: record,
        }))
    }

    /// Against the bytes that were sent last; nothing where nothing was.
    async fn changes(&self, dead: &DeadLetter, request: &Request) -> Result<Vec<FieldChange>, StoreError> {
        let attempts = self.means.store.attempts(dead.row.id).await?;
        let sent = attempts.last().and_then(|last| dead.revisions.iter().find(|one| one.number == last.revision));
        Ok(sent.map(|sent| diff::requests(&sent.request, request)).unwrap_or_default())
    }

    /// The patch that an edit of one delivery is, for its whole group.
    pub async fn patch_of_edit(&self, delivery: DeliveryId, edit: &[u8]) -> Result<serde_json::Value, ControlError> {
        let missing = || ControlError::Missing { what: "delivery", name: delivery.to_string() };
        let dead = self.dead_letter(delivery).await?.ok_or_else(missing)?;
        let before = match dead.current() {
            Some(current) => current.body.clone(),
            None => match self.prepare(&dead, ReplayMode::Remap, None).await? {
                Prepared::Changed(new) => new.request.body,
                _ => {
                    return Err(ControlError::WrongState(
                        "it has no body yet that a patch could change: its steps fail on it".into(),
                    ));
                }
            },
        };
        patch::between(&before, edit).map_err(|error| ControlError::Invalid(error.to_string()))
    }
}

const GONE: &str = "its destination is no longer in the workspace";
