//! The webhook source: cap size → verify → hand in → answer after the commit.

mod answer;
mod challenge;
mod refusals;
mod session;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
/// What the ingress listener serves; the supervisor hands it on without knowing it.
pub use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, header};
use signalbox_model::verify::Scheme;
use signalbox_model::{Clock, IdSource, RejectedId};
use signalbox_net::doctor::Known;
use signalbox_net::serve::{BodyError, MinRate, read_body};
use signalbox_net::verify::{Incoming, Refusal, Verifier, scheme_id};
use signalbox_store::event::Rejected;
use signalbox_store::{Store, StoreError};
use signalbox_workspace::{Source, WebhookSource};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::doctor::{Case, Doctor};
use crate::accept::{Accept, AcceptError, ActiveIntegration, Input, stored_headers};
use crate::hops;
use answer::Voice;
pub use refusals::RefusalBudget;

/// The most of a refused request's body that is kept.
const REJECTED_BODY_KEPT: usize = 16 << 10;
/// Bodies being read or waiting for their commit, all together; more is answered with 503 before memory grows.
const BODIES_KIB: usize = 64 << 10;
/// The mark of an event that a person made with the API's token: its trace says so. A sender cannot set it.
pub const TEST_HEADER: &str = "x-signalbox-test";

/// One webhook path that is open now.
pub struct Door {
    pub active: Arc<ActiveIntegration>,
    /// `Err`: the secret is not set or cannot be used; the door answers 503 until it can.
    pub verifier: Result<Verifier, String>,
    /// What the verifier was made of, for the signature doctor.
    pub secrets: Vec<Known>,
}

impl Door {
    pub fn source(&self) -> &WebhookSource {
        let Source::Webhook(source) = &self.active.integration.source;
        source
    }

    fn voice(&self) -> Voice {
        match self.source().verify.scheme {
            Scheme::SalesforceOutbound { .. } => Voice::SoapAck,
            _ => Voice::Json,
        }
    }
}

/// All open paths; replaced as a whole on reload.
pub type Doors = BTreeMap<String, Arc<Door>>;

/// Integrations whose files are broken since the start: their senders are told to come again.
#[derive(Default)]
pub struct Broken {
    /// Path → integration.
    pub paths: BTreeMap<String, String>,
    /// One whose path is not known: any path may be its.
    pub somewhere: Option<String>,
}

impl Broken {
    fn at(&self, path: &str) -> Option<&str> {
        self.paths.get(path).or(self.somewhere.as_ref()).map(String::as_str)
    }
}

pub struct Ingress {
    pub doors: ArcSwap<Doors>,
    pub broken: ArcSwap<Broken>,
    pub accept: Arc<dyn Accept>,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<IdSource>,
    /// `http://host:port`, for schemes that sign the URL.
    pub base_url: ArcSwap<String>,
    pub refusals: RefusalBudget,
    pub doctor: Doctor,
    /// One permit per KiB of body.
    pub bodies: Arc<Semaphore>,
}

impl Ingress {
    /// For [`Ingress::bodies`].
    pub fn body_budget() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(BODIES_KIB))
    }
}

/// The source answers this question of its vendor, and makes no event of it.
pub fn answers_by_itself(source: &WebhookSource, body: &[u8]) -> bool {
    challenge::url_verification(source, body).is_some()
}

pub fn router(ingress: Arc<Ingress>) -> Router {
    Router::new().fallback(receive).with_state(ingress)
}

/// A refusal on its way out: what the sender is told, and what is kept for the operator.
struct Refused {
    status: StatusCode,
    code: &'static str,
    /// For the operator; a sender whose signature fails is never told why.
    reason: String,
    /// For the signature doctor.
    examine: Option<(Arc<Door>, Refusal)>,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, reason: String) -> Self {
        Self { status, code, reason, examine: None }
    }
}

async fn receive(State(ingress): State<Arc<Ingress>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let remote = parts.extensions.get::<SocketAddr>().map(ToString::to_string).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let doors = ingress.doors.load();
    let Some(door) = doors.get(&path).cloned() else {
        if let Some(integration) = ingress.broken.load().at(&path) {
            let refused = Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "integration-broken",
                format!("integrations/{integration}.toml has errors, so that nothing is taken here"),
            );
            return ingress.refuse(None, &parts, &remote, Bytes::new(), refused).await;
        }
        let refused = Refused::new(
            StatusCode::NOT_FOUND,
            "path-unknown",
            format!("no integration listens on {}", shorten(&path, 200)),
        );
        return ingress.refuse(None, &parts, &remote, Bytes::new(), refused).await;
    };
    drop(doors);
    match ingress.take(&door, &parts, body).await {
        Ok(response) => response,
        Err((refused, body)) => ingress.refuse(Some(&door), &parts, &remote, body, refused).await,
    }
}

impl Ingress {
    async fn take(
        &self,
        door: &Arc<Door>,
        parts: &http::request::Parts,
        body: Body,
    ) -> Result<Response, (Refused, Bytes)> {
        if parts.method == http::Method::OPTIONS && !door.source().allowed_origins.is_empty() {
            return challenge::may_send(door.source(), &parts.headers).map_err(|origin| {
                let reason = format!("the origin '{origin}' is not in this source's allowed_origins");
                (Refused::new(StatusCode::FORBIDDEN, "origin-not-allowed", reason), Bytes::new())
            });
        }
        if parts.method != http::Method::POST && parts.method != http::Method::PUT {
            let reason = format!("{} is not taken here; send POST", shorten(parts.method.as_str(), 20));
            return Err((Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", reason), Bytes::new()));
        }
        if hops::of(&parts.headers) > hops::MOST {
            let reason = format!(
                "this request has gone through {} integrations already: somewhere a destination leads back to where it \
                 came from",
                hops::MOST
            );
            return Err((Refused::new(StatusCode::BAD_REQUEST, "too-many-hops", reason), Bytes::new()));
        }
        let Ok(verifier) = &door.verifier else {
            let reason = door.verifier.as_ref().err().cloned().unwrap_or_default();
            return Err((Refused::new(StatusCode::SERVICE_UNAVAILABLE, "secret-missing", reason), Bytes::new()));
        };
        if parts.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            let reason = "compressed bodies are not taken; send it without Content-Encoding".to_owned();
            return Err((Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding", reason), Bytes::new()));
        }
        let cap = usize::try_from(door.source().max_body).unwrap_or(usize::MAX);
        let Some(room) = self.room(parts, cap) else {
            return Ok(door.voice().unavailable(&StoreError::Busy));
        };
        let body = read_body(body, cap, MinRate::default())
            .await
            .map_err(|error| (body_refusal(&error, cap), Bytes::new()))?;
        let now = self.clock.now();
        let verified = self.verify(verifier, door, parts, &body, now).map_err(|refusal| {
            let refused = Refused::new(StatusCode::UNAUTHORIZED, refusal.code(), refusal.to_string());
            (Refused { examine: Some((door.clone(), refusal)), ..refused }, body.clone())
        })?;
        if let Some(answer) = challenge::url_verification(door.source(), &body) {
            return Ok(answer);
        }
        let scheme = &door.source().verify.scheme;
        let scheme_id = verified.or_else(|| scheme_id(scheme, &parts.headers));
        let mut headers = parts.headers.clone();
        headers.remove(TEST_HEADER);
        let input = Input {
            received_at: now,
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers,
            body: body.clone(),
            scheme_id,
            room: Some(room),
        };
        match self.accept.clone().accept(door.active.clone(), input).await {
            Ok(receipt) => Ok(door.voice().receipt(&receipt)),
            Err(AcceptError::Store(error)) => Ok(door.voice().unavailable(&error)),
            Err(AcceptError::Unfit(unfit)) => {
                Err((Refused::new(unfit.status(), unfit.code(), unfit.to_string()), body))
            }
        }
    }

    /// Room for the body, by its announced length; without one, for the longest that this source takes.
    fn room(&self, parts: &http::request::Parts, cap: usize) -> Option<OwnedSemaphorePermit> {
        let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        self.room_for(announced.unwrap_or(cap).min(cap))
    }

    /// Room for so many bytes.
    pub fn room_for(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = bytes.div_ceil(1 << 10).clamp(1, BODIES_KIB);
        self.bodies.clone().try_acquire_many_owned(u32::try_from(kib).ok()?).ok()
    }

    fn verify(
        &self,
        verifier: &Verifier,
        door: &Door,
        parts: &http::request::Parts,
        body: &[u8],
        now: signalbox_model::Timestamp,
    ) -> Result<Option<String>, Refusal> {
        if door.source().verify.scheme == Scheme::None {
            return Ok(None);
        }
        let seen = self.url_seen(parts);
        let incoming = Incoming {
            method: parts.method.as_str(),
            public_url: door.source().public_url.as_deref(),
            url_seen: &seen,
            headers: &parts.headers,
            body,
        };
        let verified = verifier.verify(&incoming, now)?;
        if verified.timestamp.is_some() {
            self.doctor.clock_agrees(now);
        }
        Ok(verified.id)
    }

    fn url_seen(&self, parts: &http::request::Parts) -> String {
        let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        format!("{}{path_and_query}", self.base_url.load())
    }

    /// Answers, and keeps the request for the person who has to find out why.
    async fn refuse(
        &self,
        door: Option<&Door>,
        parts: &http::request::Parts,
        remote: &str,
        body: Bytes,
        refused: Refused,
    ) -> Response {
        let now = self.clock.now();
        let voice = door.map_or(Voice::Json, Door::voice);
        let credential = door.and_then(|door| door.source().verify.scheme.credential_header());
        let body = if voice == Voice::SoapAck { session::without_session(&body) } else { body };
        tracing::debug!(path = parts.uri.path(), code = refused.code, reason = refused.reason, "a request was refused");
        if self.refusals.take(now.as_secs()) {
            let rejected = Rejected {
                id: RejectedId::from_bits(self.ids.next(now)),
                at: now,
                integration: door.map(|door| door.active.integration.name.clone()),
                path: shorten(parts.uri.path(), 500),
                status: refused.status.as_u16(),
                code: refused.code.to_owned(),
                reason: refused.reason.clone(),
                remote: remote.to_owned(),
                headers: stored_headers(&parts.headers, credential),
                size: body.len() as u64,
                body: body.slice(..body.len().min(REJECTED_BODY_KEPT)),
                doctor: None,
            };
            let id = rejected.id;
            // The sender is answered either way: keeping the request is for the operator.
            match (self.store.reject(rejected).await, refused.examine) {
                (Err(error), _) => tracing::debug!(%error, "a refused request was not kept"),
                (Ok(()), Some((door, refusal))) => {
                    let case = Case {
                        id,
                        public_url: door.source().public_url.clone(),
                        door,
                        doors: self.doors.load_full(),
                        method: parts.method.as_str().to_owned(),
                        url_seen: self.url_seen(parts),
                        headers: parts.headers.clone(),
                        body,
                        refusal,
                        now,
                    };
                    self.doctor.examine(self.store.clone(), case);
                }
                (Ok(()), None) => {}
            }
        }
        // What helps the operator and not the sender stays here.
        let (code, detail) = match refused.status {
            StatusCode::UNAUTHORIZED => {
                ("unauthorized", "The signature or credential of this request was not accepted.".to_owned())
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                (refused.code, "This address is not ready; send it again later.".to_owned())
            }
            _ => (refused.code, refused.reason),
        };
        let mut response = voice.problem(refused.status, code, &detail);
        if let (StatusCode::METHOD_NOT_ALLOWED, Some(door)) = (refused.status, door) {
            response.headers_mut().insert(header::ALLOW, challenge::methods(door.source()));
        }
        response
    }
}

fn body_refusal(error: &BodyError, cap: usize) -> Refused {
    match error {
        BodyError::TooLarge { .. } => Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("the body is larger than {cap} bytes, this source's max_body"),
        ),
        BodyError::TooSlow { .. } => {
            Refused::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the body arrived too slowly".into())
        }
        BodyError::Broken(reason) => Refused::new(
            StatusCode::BAD_REQUEST,
            "body-broken",
            format!("the body ended early or was malformed: {reason}"),
        ),
    }
}

fn shorten(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
