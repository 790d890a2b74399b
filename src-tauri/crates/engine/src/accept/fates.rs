//! What becomes of an event at each destination: a request, filtered, or dead with its reason. Pure.

use signalbox_model::{FailureKind, Stage};
use signalbox_store::event::Fate;
use signalbox_transform::Limits;
use signalbox_workspace::{Destination, Integration};

use crate::dispatch::outcome::failure;
use crate::steps::{
    RequestOutcome, StepFailure, StepInput, Stepped, StepsOutcome, make_raw_request, make_request, run_steps,
};

pub(super) fn dead(integration: &Integration, destination: &Destination, stage: Stage, message: String) -> Fate {
    Fate::Dead(failure(integration, destination, stage, FailureKind::Mapping, None, message))
}

/// One fate per destination; `None`: over the inline budget.
pub(crate) fn plan_fates(
    integration: &Integration,
    input: &StepInput<'_>,
    key_failure: Option<&str>,
    limits: &Limits,
) -> Option<Vec<Fate>> {
    let all_dead = |failed: &StepFailure| {
        integration
            .destinations
            .iter()
            .map(|to| dead(integration, to, failed.stage, failed.message.clone()))
            .collect::<Vec<_>>()
    };
    let body = match &input.body {
        Ok(body) => body,
        Err(unreadable) => {
            let failed =
                StepFailure { stage: Stage::Accept, message: format!("the body cannot be read: {unreadable}") };
            let raw = |to: &Destination| {
                let untouched = integration.steps.is_empty() && key_failure.is_none();
                let request = if untouched { make_raw_request(to, input) } else { None };
                request.map_or_else(|| dead(integration, to, failed.stage, failed.message.clone()), Fate::Send)
            };
            return Some(integration.destinations.iter().map(raw).collect());
        }
    };
    if let Some(message) = key_failure {
        return Some(all_dead(&StepFailure { stage: Stage::Accept, message: message.to_owned() }));
    }
    let stepped = match run_steps(&integration.steps, body, limits) {
        StepsOutcome::Done(stepped) => stepped,
        StepsOutcome::Filtered { step } => {
            return Some(integration.destinations.iter().map(|_| Fate::Filtered { step: step.clone() }).collect());
        }
        StepsOutcome::Failed(failed) => return Some(all_dead(&failed)),
        StepsOutcome::OverBudget => return None,
    };
    integration.destinations.iter().map(|to| destination_fate(integration, to, &stepped, input, limits)).collect()
}

fn destination_fate(
    integration: &Integration,
    destination: &Destination,
    stepped: &Stepped,
    input: &StepInput<'_>,
    limits: &Limits,
) -> Option<Fate> {
    match make_request(destination, stepped, input, limits) {
        RequestOutcome::Made(request) => Some(Fate::Send(request)),
        RequestOutcome::Failed(failed) => Some(dead(integration, destination, failed.stage, failed.message)),
        RequestOutcome::OverBudget => None,
    }
}
