//! Conditional writes (RFC 9110 §13.1): a record is only written while it is still what the write was made for.
//!
//! A 412 is a conflict: it dies at once in a group of its own, and a person decides. Nothing is written over.

use bytes::Bytes;
use http::Method;
use signalbox_model::{FailureKind, Stage};
use signalbox_net::client::{Answer, Outbound, SendError};
use signalbox_store::delivery::Next;
use signalbox_store::event::{Failure, Request};
use signalbox_workspace::{Condition, OnDead};

use super::Dispatcher;
use super::attempt::{Call, Tried};
use super::outcome::{Case, GateEffect, Judged, decide, fail, judge, keep};
use crate::connect::{CallError, Sender};
use crate::fingerprint::group_id;

/// What the record must still be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// `If-Match`, verbatim as the system or the mapping gave it.
    Version(String),
    /// `If-None-Match: *`: it must not be there.
    Absent,
}

/// The record was no longer what the write was made for.
#[derive(Debug)]
pub(super) struct Conflict {
    pub path: String,
    pub guard: Guard,
    /// The record's version now, where the system says it.
    pub current: Option<String>,
    pub answer: Answer,
}

impl Dispatcher {
    /// All requests of it within one deadline and one place on the wire.
    pub(super) async fn try_guarded(
        &self,
        call: &mut Call,
        sender: &Sender<'_>,
        condition: &Condition,
        request: &Request,
    ) -> Tried {
        let (guard, request) = match condition {
            // The header was made with the request.
            Condition::IfMatch(_) => match header(request, IF_MATCH) {
                Some(version) => (Guard::Version(version), request.clone()),
                None => return Tried::Unsendable(OLDER.to_owned()),
            },
            Condition::Read => match self.read_first(call, sender, request).await {
                Ok(guard) => {
                    let guarded = guarded(request, &guard);
                    (guard, guarded)
                }
                Err(tried) => return tried,
            },
        };
        let write = match sender.outbound(&request) {
            Ok(write) => Outbound { timeout: call.left(sender.system.timeout), ..write },
            Err(error) => return Tried::Unsendable(error.to_string()),
        };
        match call.make(&*self.means.deliver, write, &sender.system.auth).await {
            Ok(answer) if answer.status == 412 => {
                let current = match etag(&answer) {
                    Some(version) => Some(version),
                    None => self.version_now(call, sender, &request).await,
                };
                Tried::Conflict(Conflict { path: request.path, guard, current, answer })
            }
            result => Tried::Answered(result),
        }
    }

    async fn read_first(&self, call: &mut Call, sender: &Sender<'_>, request: &Request) -> Result<Guard, Tried> {
        let read = reading(sender, request).map_err(|error| Tried::Unsendable(error.to_string()))?;
        match call.make(&*self.means.deliver, read, &sender.system.auth).await {
            Ok(answer) if answer.status == 404 => Ok(Guard::Absent),
            Ok(answer) if is_success(&answer) => match etag(&answer) {
                Some(version) => Ok(Guard::Version(version)),
                None => Err(Tried::Unversioned(answer)),
            },
            other => Err(Tried::Unread(other)),
        }
    }

    /// Only for the message: a GET is safe whatever the record has become (RFC 9110 §9.2.1).
    async fn version_now(&self, call: &Call, sender: &Sender<'_>, request: &Request) -> Option<String> {
        let read = reading(sender, request).ok()?;
        let read = Outbound { timeout: call.left(sender.system.timeout), ..read };
        let answer = self.means.deliver.deliver(read).await.ok()?;
        if is_success(&answer) { etag(&answer) } else { None }
    }
}

const IF_MATCH: &str = "if-match";
const IF_NONE_MATCH: &str = "if-none-match";
const OLDER: &str = "its request was made before 'condition' was written: replay it with remap";

fn guarded(request: &Request, guard: &Guard) -> Request {
    let mut request = request.clone();
    request.headers.push(match guard {
        Guard::Version(version) => (IF_MATCH.to_owned(), version.clone()),
        Guard::Absent => (IF_NONE_MATCH.to_owned(), "*".to_owned()),
    });
    request
}

/// A GET of the record that the request would write, with the same credential.
fn reading(sender: &Sender<'_>, request: &Request) -> Result<Outbound, CallError> {
    let about_the_write = ["content-type", "content-encoding", IF_MATCH, IF_NONE_MATCH];
    let headers = request.headers.iter().filter(|(name, _)| !about_the_write.contains(&name.as_str()));
    let read = Request {
        method: Method::GET.to_string(),
        path: request.path.clone(),
        headers: headers.cloned().collect(),
        body: Bytes::new(),
    };
    let mut read = sender.outbound(&read)?;
    // It would make the write look like a repetition of the read.
    read.headers.remove(sender.destination.idempotency.header.as_str());
    Ok(read)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

fn etag(answer: &Answer) -> Option<String> {
    answer.headers.get(http::header::ETAG)?.to_str().ok().map(str::to_owned)
}

/// The record that is to be read first answered something else, or nothing.
pub(super) fn judge_unread(case: &Case<'_>, result: &Result<Answer, SendError>) -> Judged {
    let mut judged = judge(case, result);
    let say = |message: &mut String| message.insert_str(0, "reading the record first: ");
    if let Some(error) = &mut judged.error {
        say(error);
    }
    match &mut judged.next {
        Next::Retry { failure, .. } | Next::Wait { failure, .. } | Next::Dead(failure) => say(&mut failure.message),
        Next::Delivered => {}
    }
    judged
}

/// Without a version, a write could undo what somebody else wrote, and nobody would know.
pub(super) fn judge_unversioned(case: &Case<'_>, answer: &Answer) -> Judged {
    let message = format!(
        "{} gives this record no ETag, so nothing can say whether it changed: it was not written",
        case.system_title
    );
    let failure = fail(case, Stage::Deliver, FailureKind::Rejected, Some(answer.status), message);
    refused(case, failure, answer)
}

pub(super) fn judge_conflict(case: &Case<'_>, conflict: &Conflict) -> Judged {
    let (system, path) = (case.system_title, &conflict.path);
    let now = conflict.current.as_deref().map_or_else(|| "unknown".to_owned(), |version| format!("version {version}"));
    let mut message = match &conflict.guard {
        Guard::Version(version) => {
            format!("{system}: {path} changed meanwhile, this write was for version {version} and it is {now} now")
        }
        Guard::Absent => format!("{system}: {path} was to be created and is there already, {now}"),
    };
    if case.open.tries > 1 {
        message.push_str("; an earlier try of this delivery may have been the change");
    }
    let (integration, destination) = (case.integration, case.destination);
    let (stage, kind, status) = (Stage::Deliver, FailureKind::Rejected, Some(conflict.answer.status));
    // One group for all conflicts of a destination, whatever their records and versions.
    let group = group_id(&integration.name, &destination.name, stage, kind, status, "write conflict");
    let park = destination.on_dead == OnDead::Park;
    refused(case, Failure { kind, stage, status, message, group, park }, &conflict.answer)
}

fn refused(case: &Case<'_>, failure: Failure, answer: &Answer) -> Judged {
    let (kind, status, error) = (Some(failure.kind), failure.status, Some(failure.message.clone()));
    let next = decide(case, failure, None);
    Judged { next, kind, status, error, response: Some(keep(answer)), gate: GateEffect::CredentialWorks }
}
