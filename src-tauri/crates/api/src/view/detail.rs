//! Everything about one delivery: attempts with their requests, revisions, trace.

use signalbox_engine::Runtime;
use signalbox_engine::view::TraceStep as EngineStep;
use signalbox_store::StoreError;
use signalbox_store::event::Request;
use signalbox_store::read::{AttemptRow, DeliveryRow, RevisionRow};
use signalbox_store::{Store, delivery};

use super::{BODY_SHOWN, body};
use crate::dto::attempt::{Attempt, ReceivedResponse, Revision, SentRequest, Timing, TraceStep};
use crate::dto::delivery::{DeliveryDetail, LineageStep, WaitsFor};
use crate::dto::words::millis;
use crate::problem::Problem;

/// How much of a revision is shown, bytes: as much as the panel can edit.
const REVISION_SHOWN: usize = 1 << 20;

pub(crate) async fn detail(runtime: &Runtime, found: &DeliveryRow) -> Result<DeliveryDetail, Problem> {
    let (attempts, revisions, siblings) = read(&**runtime.store(), found).await?;
    let event = runtime.store().event(found.event).await?;
    let split = super::split::split(&**runtime.store(), event.and_then(|event| event.part)).await?;
    let trace = runtime.trace(found.id).await?.unwrap_or_default();
    let lineage = runtime.lineage(found.id).await?.unwrap_or_default();
    let explained = runtime.explain(found).await?;
    let workspace = runtime.workspace();
    let title = |title: Option<&String>, name: &String| title.unwrap_or(name).clone();
    let facts = super::delivery::facts(runtime, found);
    let together = attempts.last().and_then(|attempt| attempt.batch.as_ref()).map(super::batch::sentence);
    Ok(DeliveryDetail {
        integration_title: title(
            workspace.integrations.get(&facts.integration).map(|known| &known.title),
            &facts.integration,
        ),
        system_title: title(workspace.systems.get(&facts.system).map(|known| &known.title), &facts.system),
        facts,
        split,
        explain: explained.text + &together.unwrap_or_default(),
        waits_for: explained.waits_for.map(waits_for),
        attempts: attempts.iter().map(|attempt| one_attempt(runtime, found, attempt, &revisions)).collect(),
        trace: trace.into_iter().map(step).collect(),
        lineage: lineage.into_iter().map(lineage_step).collect(),
        siblings: siblings
            .iter()
            .filter(|sibling| sibling.id != found.id)
            .map(|sibling| super::delivery::sibling(runtime, sibling))
            .collect(),
        revisions: revisions.iter().map(revision).collect(),
    })
}

type Parts = (Vec<AttemptRow>, Vec<RevisionRow>, Vec<DeliveryRow>);

async fn read(store: &dyn Store, found: &DeliveryRow) -> Result<Parts, StoreError> {
    let (attempts, revisions, siblings) =
        tokio::join!(store.attempts(found.id), store.revisions(found.id), store.deliveries_of(found.event));
    Ok((attempts?, revisions?, siblings?))
}

fn one_attempt(runtime: &Runtime, found: &DeliveryRow, attempt: &AttemptRow, revisions: &[RevisionRow]) -> Attempt {
    let request = revisions
        .iter()
        .find(|revision| revision.number == attempt.revision)
        .map(|revision| sent(runtime, found, attempt, &revision.request));
    Attempt {
        id: attempt.id.to_string(),
        number: attempt.number,
        revision: attempt.revision,
        started_at: attempt.started_at.into(),
        ended_at: attempt.ended_at.map(Into::into),
        status: attempt.status,
        kind: attempt.kind.map(Into::into),
        error: attempt.error.clone(),
        waited_for: attempt.waited_for.clone(),
        next_due_at: attempt.next_due_at.map(Into::into),
        timing: Timing { total_ms: attempt.total_us.map(millis), wait_ms: attempt.wait_us.map(millis) },
        request,
        response: attempt.response.as_ref().map(response),
        endpoint: attempt.url.as_deref().and_then(|url| stand_in(runtime, &found.system, url)),
        batch: attempt.batch.as_ref().map(super::batch::batch),
    }
}

/// Which of the system's failover URLs the request went to.
fn stand_in(runtime: &Runtime, system: &str, url: &str) -> Option<String> {
    let workspace = runtime.workspace();
    let failover = &workspace.systems.get(system)?.failover;
    let went_to = failover.iter().find(|base| url.starts_with(base.as_str().trim_end_matches('/')));
    went_to.map(ToString::to_string)
}

fn sent(runtime: &Runtime, found: &DeliveryRow, attempt: &AttemptRow, request: &Request) -> SentRequest {
    // The idempotency key follows the revision that was sent, which an edit since then may have replaced.
    let (url, headers) = runtime.masked_request(found.lane, request, found.id, attempt.revision);
    let shown = body(&request.body, BODY_SHOWN);
    SentRequest {
        method: request.method.clone(),
        // The system's address may have changed since; the attempt knows where it went.
        url: attempt.url.clone().unwrap_or(url),
        headers,
        body: shown.text,
        body_base64: shown.base64,
        truncated: shown.truncated,
    }
}

fn waits_for(waits: signalbox_engine::view::WaitsFor) -> WaitsFor {
    WaitsFor { reason: waits.reason.into(), until: waits.until.map(Into::into), ahead: waits.ahead }
}

fn response(response: &delivery::Response) -> ReceivedResponse {
    let shown = body(&response.body, BODY_SHOWN);
    ReceivedResponse {
        headers: response.headers.clone(),
        body: shown.text,
        body_base64: shown.base64,
        truncated: response.truncated || shown.truncated,
        size: response.size,
    }
}

fn revision(row: &RevisionRow) -> Revision {
    let shown = body(&row.request.body, REVISION_SHOWN);
    Revision {
        number: row.number,
        origin: row.origin.as_str().to_owned(),
        created_at: row.created_at.into(),
        body: shown.text,
        body_base64: shown.base64,
        truncated: shown.truncated,
    }
}

fn lineage_step(step: signalbox_engine::view::LineageStep) -> LineageStep {
    LineageStep { at: step.at.into(), what: step.what.to_owned(), id: step.id, text: step.text }
}

fn step(step: EngineStep) -> TraceStep {
    TraceStep {
        step: step.step,
        at: step.at.map(Into::into),
        took_us: step.took.map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
        outcome: step.outcome.to_owned(),
        detail: step.detail,
        input: step.input,
        output: step.output,
    }
}
