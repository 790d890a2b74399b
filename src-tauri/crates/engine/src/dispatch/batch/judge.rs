//! From a batch's answer to the end of each delivery's attempt. Pure.

use bytes::Bytes;
use signalbox_model::{FailureKind, Stage};
use signalbox_net::client::{Answer, SendError};
use signalbox_store::delivery::{Next, Response};
use signalbox_workspace::BatchShape;

use super::record::{Outcome, Record, outcomes};
use crate::dispatch::outcome::{Case, GateEffect, Judged, decide, fail, judge, kept_headers};

/// A whole request's failure is kept with each of its records: so much of the answer's body, bytes.
const SHARED_KEPT: usize = 2 << 10;

/// Refusals that one record can bring upon all: an input that is wrong, a conflict, too much at once.
const BY_ONE: [u16; 4] = [400, 409, 413, 422];

/// What one record's refusal looks like when it takes the whole request along.
pub(super) fn refused_by_one(result: &Result<Answer, SendError>) -> bool {
    result.as_ref().is_ok_and(|answer| BY_ONE.contains(&answer.status))
}

/// One end per case, in their order; `cases` are those of `records`.
pub(super) fn judge_batch(
    shape: &BatchShape,
    cases: &[Case<'_>],
    records: &[Record],
    result: &Result<Answer, SendError>,
) -> Vec<Judged> {
    match result {
        Ok(answer) if (200..300).contains(&answer.status) => {
            let system = cases.first().map_or("", |case| case.system_title);
            let outcomes = outcomes(shape, system, answer, records);
            cases.iter().zip(outcomes).map(|(case, outcome)| judge_record(case, answer, outcome)).collect()
        }
        whole => cases.iter().map(|case| shortened(judge(case, whole))).collect(),
    }
}

fn judge_record(case: &Case<'_>, answer: &Answer, outcome: Outcome) -> Judged {
    let status = outcome.status.unwrap_or(answer.status);
    let part = outcome.part.unwrap_or_default();
    // Whoever asks the vendor about a failure needs its headers, with their ids of the request.
    let headers = if outcome.failure.is_some() { kept_headers(answer) } else { Vec::new() };
    let response = Response { headers, size: part.len() as u64, body: part, truncated: false };
    let gate = GateEffect::CredentialWorks;
    let (next, kind, error) = match outcome.failure {
        None => (Next::Delivered, None, None),
        Some(failed) => {
            let failure = fail(case, Stage::Confirm, failed.kind, Some(status), failed.message.clone());
            (decide(case, failure, None), Some(failed.kind), Some(failed.message))
        }
    };
    Judged { next, kind, status: Some(status), error, response: Some(response), gate }
}

fn shortened(mut judged: Judged) -> Judged {
    if let Some(response) = &mut judged.response
        && response.body.len() > SHARED_KEPT
    {
        response.body = Bytes::copy_from_slice(&response.body[..SHARED_KEPT]);
        response.truncated = true;
    }
    judged
}

/// What the request as a whole was to its system: an answer that it could give is none of its failures.
pub(super) fn kind_of_call(result: &Result<Answer, SendError>, judged: &[Judged]) -> Option<FailureKind> {
    match result {
        Ok(answer) if (200..300).contains(&answer.status) => None,
        _ => judged.first().and_then(|judged| judged.kind),
    }
}
