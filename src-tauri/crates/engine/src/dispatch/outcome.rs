//! Judges an attempt: what the answer means, what happens to the delivery and to its gate. Pure.

use std::time::Duration;

use bytes::Bytes;
use signalbox_model::outcome::{classify, reason_phrase};
use signalbox_model::retry::{Failed, GiveUp, RetryDecision};
use signalbox_model::{FailureKind, Stage, Timestamp};
use signalbox_net::client::{Answer, SendError};
use signalbox_store::delivery::{Next, OpenDelivery, Response};
use signalbox_store::event::Failure;
use signalbox_transform::Value;
use signalbox_workspace::{Destination, Integration, OnDead};

use crate::connect::RESPONSE_KEPT;
use crate::fingerprint::group_id;
use crate::gates::counts_against;
use crate::steps::with_larger_budget;

pub struct Judged {
    pub next: Next,
    pub kind: Option<FailureKind>,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub response: Option<Response>,
    pub gate: GateEffect,
}

/// What an answer does to the lane's gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateEffect {
    None,
    /// The destination took the credential.
    CredentialWorks,
    /// 401 to a static credential: stop asking, try one again at `probe_at`.
    CredentialRefused {
        probe_at: Timestamp,
    },
    /// The destination said when to come back.
    RetryAfter {
        until: Timestamp,
        status: u16,
    },
}

/// How long a refused credential is left alone before one delivery tries it again.
pub const CREDENTIAL_PROBE: Duration = Duration::from_secs(60);

pub struct Case<'a> {
    pub integration: &'a Integration,
    pub destination: &'a Destination,
    pub system_title: &'a str,
    pub open: &'a OpenDelivery,
    pub has_credential: bool,
    /// It finds out whether the system is back (a breaker's probe, a failed endpoint's): when it is not, no try is used.
    pub tries_system: bool,
    /// It was brought forward after a restart, to find out the same.
    pub restart_probe: bool,
    pub now: Timestamp,
    /// For the jitter.
    pub chance: f64,
}

pub fn judge(case: &Case<'_>, result: &Result<Answer, SendError>) -> Judged {
    match result {
        Err(error) => judge_failure(case, error),
        Ok(answer) => judge_answer(case, answer),
    }
}

/// The request could not even be made: a template or header that does not fit, found at sending time.
pub fn judge_unsendable(case: &Case<'_>, message: String) -> Judged {
    let failure = fail(case, Stage::Request, FailureKind::Mapping, None, message.clone());
    Judged {
        next: Next::Dead(failure),
        kind: Some(FailureKind::Mapping),
        status: None,
        error: Some(message),
        response: None,
        gate: GateEffect::None,
    }
}

fn judge_failure(case: &Case<'_>, error: &SendError) -> Judged {
    let kind = error.kind();
    let message = error.to_string();
    let answer = match error {
        SendError::AnswerTooLarge { answer, .. } => Some(answer.as_ref()),
        _ => None,
    };
    let status = answer.map(|answer| answer.status);
    let failure = fail(case, Stage::Deliver, kind, status, message.clone());
    Judged {
        next: decide(case, failure, None),
        kind: Some(kind),
        status,
        error: Some(message),
        response: answer.map(keep),
        gate: GateEffect::None,
    }
}

fn judge_answer(case: &Case<'_>, answer: &Answer) -> Judged {
    let status = answer.status;
    let retry_after = retry_after(answer, case.now);
    let response = Some(keep(answer));
    let Some(kind) = classify(status, retry_after.is_some(), &answer.body) else {
        return judge_confirm(case, answer, response);
    };
    let message = answer_message(case.system_title, status, &answer.body);
    let failure = fail(case, Stage::Deliver, kind, Some(status), message.clone());
    let refused = status == 401 && case.has_credential;
    let (next, gate) = if refused {
        let probe_at = case.now.plus(CREDENTIAL_PROBE);
        let too_old = probe_at > case.open.round_started_at.plus(case.destination.retry.max_age);
        let next = if too_old { Next::Dead(failure) } else { Next::Wait { failure, due_at: probe_at } };
        (next, GateEffect::CredentialRefused { probe_at })
    } else {
        let gate = match retry_after {
            Some(after) if kind == FailureKind::Rate => {
                let longest = case.now.plus(case.destination.retry.max_age);
                GateEffect::RetryAfter { until: case.now.plus(after).min(longest), status }
            }
            _ => GateEffect::None,
        };
        (decide(case, failure, retry_after), gate)
    };
    Judged { next, kind: Some(kind), status: Some(status), error: Some(message), response, gate }
}

/// How long the answer asks to wait.
pub(super) fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let date = answer.headers.get("date").map(|value| value.as_bytes());
    let value = answer.headers.get("retry-after")?;
    signalbox_net::retry_after::parse(value.as_bytes(), date, now)
}

fn judge_confirm(case: &Case<'_>, answer: &Answer, response: Option<Response>) -> Judged {
    let status = answer.status;
    let refusal = case.destination.confirm.as_ref().and_then(|confirm| {
        let value = answer_value(answer);
        match with_larger_budget(|limits| confirm.is_truthy(&value, limits)) {
            Ok(true) => None,
            Ok(false) => {
                let said = said(&answer.body).map(|text| format!(": {text}")).unwrap_or_default();
                Some(format!("{} answered {status}, but confirm says no{said}", case.system_title))
            }
            Err(error) => Some(format!("confirm failed on the answer ({status}): {error}")),
        }
    });
    let (next, kind) = match &refusal {
        None => (Next::Delivered, None),
        Some(message) => {
            let failure = fail(case, Stage::Confirm, FailureKind::Rejected, Some(status), message.clone());
            (decide(case, failure, None), Some(FailureKind::Rejected))
        }
    };
    Judged { next, kind, status: Some(status), error: refusal, response, gate: GateEffect::CredentialWorks }
}

pub(super) fn decide(case: &Case<'_>, failure: Failure, retry_after: Option<Duration>) -> Next {
    let too_old = case.now > case.open.round_started_at.plus(case.destination.retry.max_age);
    // One that says when it will be back is not back, although that counts against nobody.
    let away = counts_against(failure.kind) || failure.status.is_some_and(|status| status >= 500);
    if case.tries_system && away && !too_old {
        return Next::Wait { failure, due_at: case.now };
    }
    let failed = Failed {
        kind: failure.kind,
        status: failure.status,
        tries: case.open.tries,
        round_started_at: case.open.round_started_at,
        now: case.now,
        retry_after,
        chance: case.chance,
    };
    // Where the system says when to come back, no later restart brings it forward again: that may use a try.
    if case.restart_probe && counts_against(failure.kind) && !too_old && retry_after.is_none() {
        // It waits as it did before.
        let before = Failed { tries: failed.tries.saturating_sub(1), ..failed };
        match case.destination.retry.decide(&before) {
            RetryDecision::Retry { due_at, .. } => return Next::Wait { failure, due_at },
            RetryDecision::GiveUp(GiveUp::TooOld) => {
                let due_at = case.open.round_started_at.plus(case.destination.retry.max_age);
                return Next::Wait { failure, due_at };
            }
            RetryDecision::GiveUp(GiveUp::NotRepeatable | GiveUp::Exhausted) => {}
        }
    }
    match case.destination.retry.decide(&failed) {
        RetryDecision::Retry { due_at, waited_for } => Next::Retry { failure, due_at, waited_for },
        RetryDecision::GiveUp(GiveUp::NotRepeatable | GiveUp::Exhausted | GiveUp::TooOld) => Next::Dead(failure),
    }
}

pub(super) fn fail(case: &Case<'_>, stage: Stage, kind: FailureKind, status: Option<u16>, message: String) -> Failure {
    failure(case.integration, case.destination, stage, kind, status, message)
}

/// A failure with its group, the one way in which they are made.
pub fn failure(
    integration: &Integration,
    destination: &Destination,
    stage: Stage,
    kind: FailureKind,
    status: Option<u16>,
    message: String,
) -> Failure {
    let group = group_id(&integration.name, &destination.name, stage, kind, status, &message);
    Failure { kind, stage, status, message, group, park: destination.on_dead == OnDead::Park }
}

/// `{ status, headers, body }` for confirm.
pub(crate) fn answer_value(answer: &Answer) -> Value {
    let content_type = answer.headers.get("content-type").and_then(|value| value.to_str().ok());
    let body = signalbox_transform::read_body(content_type, &answer.body)
        .map(|(parsed, _)| parsed.value)
        .unwrap_or_else(|_| Value::string(&String::from_utf8_lossy(&answer.body)));
    let headers = answer
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), Value::string(value.to_str().ok()?))))
        .collect::<Vec<_>>();
    Value::object([
        ("status", Value::from_json(&serde_json::Value::from(answer.status))),
        ("headers", Value::object(headers)),
        ("body", body),
    ])
}

fn answer_message(system: &str, status: u16, body: &[u8]) -> String {
    let phrase = reason_phrase(status);
    let space = if phrase.is_empty() { "" } else { " " };
    let said = said(body).map(|text| format!(": {text}")).unwrap_or_default();
    format!("{system} answered {status}{space}{phrase}{said}")
}

/// The sentence in which APIs commonly say what is wrong, at most 200 characters.
fn said(body: &[u8]) -> Option<String> {
    const FIELDS: [&str; 6] = ["detail", "message", "error_description", "error", "title", "reason"];
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let first =
        |value: &serde_json::Value| FIELDS.iter().find_map(|field| value.get(field)?.as_str().map(str::to_owned));
    // HubSpot's 207 and Salesforce's lists put the sentence into the first error.
    let text = first(&answer).or_else(|| first(answer.get("errors")?.get(0)?)).or_else(|| first(answer.get(0)?))?;
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    // Our sentences go on after it.
    let text = text.trim_end_matches('.');
    (!text.is_empty()).then(|| text.to_owned())
}

pub(super) fn keep(answer: &Answer) -> Response {
    let kept = answer.body.len().min(RESPONSE_KEPT);
    Response {
        headers: kept_headers(answer),
        body: Bytes::copy_from_slice(&answer.body[..kept]),
        truncated: answer.truncated || kept < answer.body.len(),
        size: answer.body.len() as u64,
    }
}

pub(super) fn kept_headers(answer: &Answer) -> Vec<(String, String)> {
    answer
        .headers
        .iter()
        .take(64)
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = if name == "set-cookie" { MASK.to_owned() } else { text.chars().take(2048).collect() };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

/// What stands where a secret was.
pub const MASK: &str = "••••••••";
