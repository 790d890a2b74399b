//! One attempt at one delivery, and what every attempt has in common: when it began, where it went, how it ended.

use std::time::Duration;

use signalbox_model::auth::Auth;
use signalbox_model::{AttemptId, FailureKind, Timestamp};
use signalbox_net::client::{Answer, Outbound, SendError};
use signalbox_store::delivery::{AttemptRecord, Completion, EndedBatch, OpenDelivery};
use signalbox_workspace::Destination;

use super::condition::{Conflict, judge_conflict, judge_unread, judge_unversioned};
use super::lane::{LaneConfig, Permit};
use super::outcome::{Case, GateEffect, Judged, judge, judge_unsendable};
use super::{Dispatcher, Means};
use crate::connect::{Deliver, RESPONSE_MAX, Sender, idempotency_key};

/// Deliveries that go out in one request.
pub(super) struct Load {
    pub rows: Vec<OpenDelivery>,
    /// Given back when the outcome is committed. Batches are bounded by their places on the wire instead.
    _permit: Option<Permit>,
}

impl Load {
    pub fn alone(row: OpenDelivery, permit: Permit) -> Self {
        Self { rows: vec![row], _permit: Some(permit) }
    }

    pub fn together(rows: Vec<OpenDelivery>) -> Self {
        Self { rows, _permit: None }
    }
}

/// How a request ended: for the ledger, for the lane's gate, and for what the lane's system is thought of.
pub(super) struct Called {
    pub ends: Ends,
    pub effect: GateEffect,
    /// Of the request as a whole; none: the system did its work.
    pub kind: Option<FailureKind>,
}

impl Called {
    pub fn again(loads: Vec<Load>) -> Self {
        Self { ends: Ends::Again(loads), effect: GateEffect::None, kind: None }
    }
}

pub(super) enum Ends {
    Alone(Box<Completion>),
    Together(EndedBatch),
    /// Still open: to be sent in smaller requests.
    Again(Vec<Load>),
}

/// A request while it is made.
pub(super) struct Call {
    started_at: Timestamp,
    started: tokio::time::Instant,
    url: String,
    wait: Option<Duration>,
}

impl Call {
    pub fn begin(started_at: Timestamp, config: &LaneConfig) -> Self {
        let url = config.system.base_url.to_string();
        Self { started_at, started: tokio::time::Instant::now(), url, wait: None }
    }

    /// What is left of one deadline over several requests.
    pub fn left(&self, of: Duration) -> Duration {
        of.saturating_sub(self.started.elapsed()).max(Duration::from_millis(1))
    }

    pub async fn make(&mut self, deliver: &dyn Deliver, outbound: Outbound, auth: &Auth) -> Result<Answer, SendError> {
        self.url = masked_url(&outbound.url, auth);
        let result = deliver.deliver(outbound).await;
        self.wait = result.as_ref().ok().map(|answer| answer.wait);
        result
    }

    pub fn end(&self, means: &Means, open: &OpenDelivery, ended_at: Timestamp, judged: Judged) -> Completion {
        let attempt = AttemptRecord {
            id: AttemptId::from_bits(means.ids.next(self.started_at)),
            started_at: self.started_at,
            ended_at,
            status: judged.status,
            kind: judged.kind,
            error: judged.error,
            wait_us: self.wait.map(micros),
            total_us: micros(self.started.elapsed()),
            url: self.url.clone(),
            response: judged.response,
        };
        Completion { delivery: open.id, epoch: open.epoch, attempt, next: judged.next }
    }
}

/// How an attempt at one delivery came out, before it is judged.
pub(super) enum Tried {
    Answered(Result<Answer, SendError>),
    /// The request could not be made.
    Unsendable(String),
    /// The record that was to be read first was not.
    Unread(Result<Answer, SendError>),
    /// It was read, and has no version to hold it to.
    Unversioned(Answer),
    Conflict(Conflict),
}

impl LaneConfig {
    pub(super) fn case<'a>(
        &'a self,
        destination: &'a Destination,
        open: &'a OpenDelivery,
        now: Timestamp,
        chance: f64,
    ) -> Case<'a> {
        Case {
            integration: &self.integration,
            destination,
            system_title: &self.system.title,
            open,
            has_credential: self.system.auth.secret().is_some(),
            now,
            chance,
        }
    }

    pub(super) fn sender<'a>(&'a self, destination: &'a Destination, key: &'a str, now: Timestamp) -> Sender<'a> {
        let response_cap = RESPONSE_MAX;
        Sender { system: &self.system, destination, secrets: &self.secrets, key, now, response_cap }
    }
}

impl Dispatcher {
    pub(super) async fn attempt_one(
        &self,
        config: &LaneConfig,
        destination: &Destination,
        open: &OpenDelivery,
    ) -> Called {
        let started_at = self.means.clock.now();
        let mut call = Call::begin(started_at, config);
        let key = idempotency_key(open.id, open.revision);
        let sender = config.sender(destination, &key, started_at);
        let tried = match &destination.condition {
            Some(condition) => self.try_guarded(&mut call, &sender, condition, &open.request).await,
            None => match sender.outbound(&open.request) {
                Ok(outbound) => Tried::Answered(call.make(&*self.means.deliver, outbound, &config.system.auth).await),
                Err(error) => Tried::Unsendable(error.to_string()),
            },
        };
        let ended_at = self.means.clock.now().max(started_at);
        let case = config.case(destination, open, ended_at, self.means.random.unit());
        let judged = match &tried {
            Tried::Answered(result) => judge(&case, result),
            Tried::Unsendable(message) => judge_unsendable(&case, message.clone()),
            Tried::Unread(result) => judge_unread(&case, result),
            Tried::Unversioned(answer) => judge_unversioned(&case, answer),
            Tried::Conflict(conflict) => judge_conflict(&case, conflict),
        };
        let (effect, kind) = (judged.gate.clone(), judged.kind);
        let completion = call.end(&self.means, open, ended_at, judged);
        Called { ends: Ends::Alone(Box::new(completion)), effect, kind }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An API key in the query must not reach the ledger.
fn masked_url(url: &str, auth: &Auth) -> String {
    use signalbox_model::auth::ApiKeyPlace;
    let Auth::ApiKey { place: ApiKeyPlace::Query(name), .. } = auth else { return url.to_owned() };
    let Ok(mut parsed) = url::Url::parse(url) else { return String::new() };
    let pairs: Vec<(String, String)> = parsed
        .query_pairs()
        .map(|(key, value)| {
            let shown = if key == name.as_str() { super::outcome::MASK.to_owned() } else { value.into_owned() };
            (key.into_owned(), shown)
        })
        .collect();
    parsed.query_pairs_mut().clear().extend_pairs(pairs);
    parsed.into()
}
