//! One attempt at one delivery, and what every attempt has in common: when it began, where it went, how it ended.

use std::time::Duration;

use signalbox_model::auth::Auth;
use signalbox_model::outcome::reason_phrase;
use signalbox_model::{AttemptId, DeliveryId, FailureKind, Timestamp};
use signalbox_net::client::{Answer, Outbound, SendError};
use signalbox_net::quota::{self, Reading};
use signalbox_store::delivery::{AttemptRecord, Completion, EndedBatch, Next, OpenDelivery};
use signalbox_workspace::Destination;

use super::condition::{Conflict, judge_conflict, judge_unread, judge_unversioned};
use super::lane::LaneConfig;
use super::outcome::{Case, GateEffect, Judged, judge, judge_unsendable, retry_after};
use super::permit::Permit;
use super::{Dispatcher, Means};
use crate::connect::{Deliver, RESPONSE_MAX, Sender, idempotency_key};
use crate::gates::{Chosen, Turn};

/// Of a failure's text, for the breaker's reason, characters.
const LAST_MAX: usize = 200;

/// Deliveries that go out in one request.
pub(super) struct Load {
    pub rows: Vec<OpenDelivery>,
    /// Under the system's limits; none: it is still to be asked for, or there are none.
    pub turn: Option<Turn>,
    /// Given back when the outcome is committed. Batches are bounded by their places on the wire instead.
    _permit: Option<Permit>,
}

impl Load {
    pub fn alone(row: OpenDelivery, mut permit: Permit) -> Self {
        Self { rows: vec![row], turn: permit.turn.take(), _permit: Some(permit) }
    }

    pub fn together(rows: Vec<OpenDelivery>) -> Self {
        Self { rows, turn: None, _permit: None }
    }
}

/// How a request ended: for the ledger, for the lane's gate, and for what the lane's system is thought of.
pub(super) struct Called {
    pub ends: Ends,
    pub effect: GateEffect,
    /// Of the request as a whole; none: the system did its work.
    pub kind: Option<FailureKind>,
    /// What the system's gates learn of it; none where its deliveries go again in smaller requests.
    pub heard: Option<Heard>,
}

impl Called {
    pub fn again(loads: Vec<Load>) -> Self {
        Self { ends: Ends::Again(loads), effect: GateEffect::None, kind: None, heard: None }
    }
}

/// Where a request goes.
pub(super) struct To {
    pub chosen: Chosen,
    /// It finds out whether the system is back, and uses no try when it is not.
    pub tries_system: bool,
    /// The one of them that was brought forward after a restart; it, too, uses no try when the system is still away.
    pub restart_probe: Option<DeliveryId>,
}

/// What was heard of the system during a request.
#[derive(Default)]
pub(super) struct Heard {
    /// Something went onto the wire, or was to: a refused address never does.
    pub left: bool,
    /// `503 Service Unavailable`, or what the network said.
    pub last: String,
    /// The Retry-After of a 5xx.
    pub away: Option<Duration>,
    pub readings: Vec<Reading>,
    pub took: Duration,
}

pub(super) enum Ends {
    Alone(Box<Completion>),
    Together(EndedBatch),
    /// Still open: to be sent in smaller requests.
    Again(Vec<Load>),
}

impl Ends {
    /// Something of it was confirmed: more than that somebody answered.
    pub fn confirmed(&self) -> bool {
        self.completions().iter().any(|end| matches!(end.next, Next::Delivered))
    }

    pub fn completions(&self) -> &[Completion] {
        match self {
            Self::Alone(end) => std::slice::from_ref(end),
            Self::Together(batch) => &batch.completions,
            Self::Again(_) => &[],
        }
    }
}

/// A request while it is made.
pub(super) struct Call {
    started_at: Timestamp,
    started: tokio::time::Instant,
    url: String,
    wait: Option<Duration>,
    left: bool,
    last: String,
    away: Option<Duration>,
    readings: Vec<Reading>,
}

impl Call {
    pub fn begin(started_at: Timestamp, to: &To) -> Self {
        let started = tokio::time::Instant::now();
        let (url, last) = (to.chosen.url.to_string(), String::new());
        Self { started_at, started, url, wait: None, left: false, last, away: None, readings: Vec::new() }
    }

    pub fn heard(&mut self) -> Heard {
        let (last, readings) = (std::mem::take(&mut self.last), std::mem::take(&mut self.readings));
        Heard { left: self.left, last, away: self.away, readings, took: self.started.elapsed() }
    }

    /// What is left of one deadline over several requests.
    pub fn left(&self, of: Duration) -> Duration {
        of.saturating_sub(self.started.elapsed()).max(Duration::from_millis(1))
    }

    pub async fn make(&mut self, deliver: &dyn Deliver, outbound: Outbound, auth: &Auth) -> Result<Answer, SendError> {
        self.url = masked_url(&outbound.url, auth);
        let result = deliver.deliver(outbound).await;
        self.wait = result.as_ref().ok().map(|answer| answer.wait);
        let failed = result.as_ref().ok().filter(|answer| answer.status >= 500);
        self.away = failed.and_then(|answer| retry_after(answer, self.started_at));
        match &result {
            Ok(answer) => {
                self.last = format!("{} {}", answer.status, reason_phrase(answer.status)).trim_end().to_owned();
                self.readings = quota::read(&answer.headers, self.started_at);
            }
            Err(error) => self.last = error.to_string().chars().take(LAST_MAX).collect(),
        }
        self.left |= !matches!(result, Err(SendError::Refused(_)));
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
        to: &To,
        now: Timestamp,
        chance: f64,
    ) -> Case<'a> {
        Case {
            integration: &self.integration,
            destination,
            system_title: &self.system.title,
            open,
            has_credential: self.system.auth.secret().is_some(),
            tries_system: to.tries_system,
            restart_probe: to.restart_probe == Some(open.id),
            now,
            chance,
        }
    }

    pub(super) fn sender<'a>(
        &'a self,
        destination: &'a Destination,
        key: &'a str,
        to: &'a To,
        now: Timestamp,
    ) -> Sender<'a> {
        let (response_cap, base_url) = (RESPONSE_MAX, &to.chosen.url);
        Sender { system: &self.system, base_url, destination, secrets: &self.secrets, key, now, response_cap }
    }
}

impl Dispatcher {
    pub(super) async fn attempt_one(
        &self,
        config: &LaneConfig,
        destination: &Destination,
        open: &OpenDelivery,
        to: &To,
    ) -> Called {
        let started_at = self.means.clock.now();
        let mut call = Call::begin(started_at, to);
        let key = idempotency_key(open.id, open.revision);
        let sender = config.sender(destination, &key, to, started_at);
        let tried = match &destination.condition {
            Some(condition) => self.try_guarded(&mut call, &sender, condition, &open.request).await,
            None => match sender.outbound(&open.request) {
                Ok(outbound) => Tried::Answered(call.make(&*self.means.deliver, outbound, &config.system.auth).await),
                Err(error) => Tried::Unsendable(error.to_string()),
            },
        };
        let ended_at = self.means.clock.now().max(started_at);
        let case = config.case(destination, open, to, ended_at, self.means.random.unit());
        let judged = match &tried {
            Tried::Answered(result) => judge(&case, result),
            Tried::Unsendable(message) => judge_unsendable(&case, message.clone()),
            Tried::Unread(result) => judge_unread(&case, result),
            Tried::Unversioned(answer) => judge_unversioned(&case, answer),
            Tried::Conflict(conflict) => judge_conflict(&case, conflict),
        };
        let (effect, kind) = (judged.gate.clone(), judged.kind);
        let completion = call.end(&self.means, open, ended_at, judged);
        Called { ends: Ends::Alone(Box::new(completion)), effect, kind, heard: Some(call.heard()) }
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
