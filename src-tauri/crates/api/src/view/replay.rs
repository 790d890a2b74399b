//! Replays: plan, progress, report.

use signalbox_engine::view::{
    CurrentRecord as EngineRecord, PatchCheck as EngineCheck, ReplayPlan as EnginePlan, SampleRequest as EngineSample,
};
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_store::replay::{ReplayItemRow, ReplayRow};

use super::{BODY_SHOWN, body, gate};
use crate::dto::attempt::SentRequest;
use crate::dto::replay::{
    CurrentRecord, Misfit, NewerWord, PatchCheck, Replay, ReplayItem, ReplayModeWord, ReplayPlan, SampleRequest,
    Skipped,
};

impl From<ReplayModeWord> for ReplayMode {
    fn from(word: ReplayModeWord) -> Self {
        match word {
            ReplayModeWord::Remap => Self::Remap,
            ReplayModeWord::Exact => Self::Exact,
        }
    }
}

impl From<ReplayMode> for ReplayModeWord {
    fn from(mode: ReplayMode) -> Self {
        match mode {
            ReplayMode::Remap => Self::Remap,
            ReplayMode::Exact => Self::Exact,
        }
    }
}

impl From<NewerWord> for NewerPolicy {
    fn from(word: NewerWord) -> Self {
        match word {
            NewerWord::Skip => Self::Skip,
            NewerWord::Send => Self::Send,
        }
    }
}

impl From<NewerPolicy> for NewerWord {
    fn from(policy: NewerPolicy) -> Self {
        match policy {
            NewerPolicy::Skip => Self::Skip,
            NewerPolicy::Send => Self::Send,
        }
    }
}

pub(crate) fn plan(plan: EnginePlan) -> ReplayPlan {
    ReplayPlan {
        plan: plan.id.to_string(),
        count: plan.count,
        by_destination: plan
            .by_destination
            .into_iter()
            .map(|(integration, destination, count)| (format!("{integration}/{destination}"), count))
            .collect(),
        skipped: Skipped { newer: plan.skipped_newer, state: plan.skipped_state, patch: 0, parked: 0 },
        with_key: plan.with_key,
        gate: plan.gate.iter().map(gate::gate).collect(),
        seconds: plan.seconds,
        sample_requests: plan.samples.into_iter().map(sample).collect(),
        patch: plan.patch.map(patch_check),
    }
}

fn patch_check(check: EngineCheck) -> PatchCheck {
    let misfit =
        |(delivery, reason): (signalbox_model::DeliveryId, String)| Misfit { delivery: delivery.to_string(), reason };
    PatchCheck {
        fits: check.fits,
        misfits: check.misfits,
        checked: check.checked,
        examples: check.examples.into_iter().map(misfit).collect(),
    }
}

fn record(record: EngineRecord) -> CurrentRecord {
    CurrentRecord {
        status: record.status,
        readable: record.readable,
        reason: record.reason,
        diff: record.diff.into_iter().map(Into::into).collect(),
    }
}

pub(crate) fn item(row: &ReplayItemRow) -> ReplayItem {
    ReplayItem {
        delivery: row.delivery.to_string(),
        state: row.state.as_str().to_owned(),
        message: row.message.clone(),
    }
}

fn sample(sample: EngineSample) -> SampleRequest {
    let shown = body(&sample.body, BODY_SHOWN);
    SampleRequest {
        delivery: sample.delivery.to_string(),
        request: SentRequest {
            method: sample.method,
            url: sample.url,
            headers: sample.headers,
            body: shown.text,
            body_base64: shown.base64,
            truncated: shown.truncated,
        },
        fails: sample.fails,
        changes: sample.changes.into_iter().map(Into::into).collect(),
        current: sample.current.map(record),
    }
}

pub(crate) fn progress(row: &ReplayRow) -> Replay {
    let settings = &row.settings;
    let running = row.state == ReplayState::Running;
    Replay {
        id: row.id.to_string(),
        state: row.state.as_str().to_owned(),
        mode: settings.mode.into(),
        rate: settings.rate,
        canary: settings.canary,
        newer: row.newer.into(),
        reason: settings.reason.clone(),
        created_at: row.created_at.into(),
        ended_at: row.ended_at.map(Into::into),
        total: row.total,
        sent: row.sent.saturating_add(row.delivered).saturating_add(row.dead),
        delivered: row.delivered,
        dead: row.dead,
        skipped: Skipped {
            newer: row.skipped_newer,
            state: row.skipped_state,
            patch: row.skipped_patch,
            parked: row.skipped_parked,
        },
        undone: row.undone,
        canary_ok: canary_ok(row),
        eta_seconds: (running && settings.rate > 0.0).then(|| row.pending as f64 / settings.rate),
        stopped_because: row.stopped_because.clone(),
    }
}

/// Only a canary that failed stops a replay by itself, and nothing else is sent before it was confirmed.
fn canary_ok(row: &ReplayRow) -> Option<bool> {
    if !row.settings.canary {
        return None;
    }
    match row.state {
        ReplayState::Stopped => Some(false),
        _ => (row.delivered > 0).then_some(true),
    }
}

#[cfg(test)]
mod tests {
    use signalbox_model::{ReplayId, Timestamp};
    use signalbox_store::replay::ReplaySettings;

    use super::*;

    fn row(state: ReplayState) -> ReplayRow {
        ReplayRow {
            id: ReplayId::from_bits(1),
            state,
            settings: ReplaySettings { mode: ReplayMode::Remap, rate: 5.0, canary: true, reason: None },
            newer: NewerPolicy::Skip,
            created_at: Timestamp::from_secs(1),
            started_at: None,
            ended_at: None,
            stopped_because: None,
            total: 40,
            sent: 3,
            delivered: 20,
            dead: 2,
            skipped_newer: 5,
            skipped_state: 0,
            skipped_patch: 0,
            skipped_parked: 0,
            undone: 0,
            pending: 10,
        }
    }

    #[test]
    fn progress_counts_what_has_started_and_the_time_for_the_rest() {
        let shown = progress(&row(ReplayState::Running));
        assert_eq!((shown.sent, shown.delivered, shown.dead), (25, 20, 2));
        assert_eq!(shown.eta_seconds, Some(2.0));
        assert_eq!(progress(&row(ReplayState::Paused)).eta_seconds, None);
    }

    #[test]
    fn the_canary_is_known_once_one_was_confirmed_or_the_replay_stopped_itself() {
        assert_eq!(progress(&row(ReplayState::Running)).canary_ok, Some(true));
        let waiting = ReplayRow { delivered: 0, dead: 0, ..row(ReplayState::Running) };
        assert_eq!(progress(&waiting).canary_ok, None);
        let stopped = ReplayRow { delivered: 0, ..row(ReplayState::Stopped) };
        assert_eq!(progress(&stopped).canary_ok, Some(false));
    }
}
