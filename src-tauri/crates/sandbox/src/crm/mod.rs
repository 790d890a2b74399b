//! The simulated custom CRM: one contact per email, a strict schema, ETags and idempotency keys.
//!
//! It stands for the systems that people write themselves. Conditional requests follow RFC 9110 §13, errors RFC 9457,
//! idempotency keys draft-ietf-httpapi-idempotency-key-header-07.

mod contact;
mod idempotency;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use parking_lot::Mutex;
use serde_json::{Value, json};

use self::contact::{Stored, Wrong};
use self::idempotency::{Keys, Seen};
use crate::dials::{Dials, Fault};
use crate::front::{json as answer, typed, with_header};
use crate::query::Query;
use crate::received::idempotency_key;
use crate::records::{self, MAX_RECORDS, email_key};
use crate::secrets::{CRM_KEY, Secrets};

const PAGE: usize = 50;
const MAX_PAGE: usize = 500;
const MAX_KEY: usize = 255;

pub(crate) struct Crm {
    dials: Arc<Dials>,
    key: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    contacts: BTreeMap<String, Stored>,
    /// Counts writes: an ETag is never used twice.
    writes: u64,
    keys: Keys,
}

impl Crm {
    pub fn new(seed: u64, dials: Arc<Dials>) -> Self {
        Self { dials, key: Secrets::new(seed).value(CRM_KEY), inner: Mutex::default() }
    }

    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/contacts", get(list))
            .route("/contacts/{email}", get(read).put(write))
            .layer(from_fn_with_state(self.clone(), admit))
            .fallback(nowhere)
            .with_state(self.clone())
    }

    pub fn records(&self) -> (usize, String) {
        let inner = self.inner.lock();
        let contacts = inner.contacts.iter().map(|(email, stored)| (email.as_str(), &stored.fields));
        (inner.contacts.len(), records::hash(contacts))
    }

    pub fn excuse(fault: Fault) -> Response {
        match fault {
            Fault::TooMany { retry_after_s } => {
                let response = problem(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", None);
                with_header(response, "retry-after", &retry_after_s.to_string())
            }
            Fault::ServerError => {
                problem(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", "The CRM failed inside", None)
            }
        }
    }
}

fn problem(status: StatusCode, code: &str, title: &str, detail: Option<String>) -> Response {
    let mut body = json!({ "type": format!("/problems/{code}"), "title": title, "status": status.as_u16() });
    if let Some(detail) = detail {
        body["detail"] = detail.into();
    }
    typed(status, "application/problem+json", &body)
}

fn wrong_fields(wrong: &[Wrong]) -> Response {
    let errors: Vec<Value> =
        wrong.iter().map(|wrong| json!({ "field": wrong.field, "detail": wrong.detail })).collect();
    let detail: Vec<String> = wrong.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.detail)).collect();
    let body = json!({
        "type": "/problems/invalid-contact", "title": "The contact does not fit the schema", "status": 422,
        "detail": detail.join("; "), "errors": errors,
    });
    typed(StatusCode::UNPROCESSABLE_ENTITY, "application/problem+json", &body)
}

async fn admit(State(crm): State<Arc<Crm>>, request: Request, next: Next) -> Response {
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    if key == Some(crm.key.as_str()) {
        return next.run(request).await;
    }
    let detail = "send the key in the header x-api-key".to_owned();
    problem(StatusCode::UNAUTHORIZED, "unauthorized", "No or wrong API key", Some(detail))
}

async fn nowhere() -> Response {
    problem(StatusCode::NOT_FOUND, "not-found", "There is nothing here", None)
}

/// Whether a list of entity tags names `tag` (RFC 9110 §13.1.1; all tags here are strong).
fn names(list: &header::HeaderValue, tag: Option<&str>) -> bool {
    let Ok(list) = list.to_str() else { return false };
    tag.is_some_and(|tag| list.trim() == "*" || list.split(',').any(|known| known.trim() == tag))
}

async fn read(State(crm): State<Arc<Crm>>, Path(email): Path<String>, headers: HeaderMap) -> Response {
    let renamed = crm.dials.renamed();
    let inner = crm.inner.lock();
    let Some(stored) = inner.contacts.get(&email_key(&email)) else {
        return problem(StatusCode::NOT_FOUND, "not-found", "There is no such contact", None);
    };
    if headers.get(header::IF_NONE_MATCH).is_some_and(|list| names(list, Some(&stored.etag))) {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return with_header(response, "etag", &stored.etag);
    }
    with_header(answer(StatusCode::OK, &stored.shown(renamed)), "etag", &stored.etag)
}

async fn list(State(crm): State<Arc<Crm>>, RawQuery(query): RawQuery) -> Response {
    let query = Query::parse(query.as_deref());
    let Some(limit @ 1..=MAX_PAGE) = query.number("limit", PAGE) else {
        let detail = format!("limit must be 1 to {MAX_PAGE}");
        return problem(StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter is wrong", Some(detail));
    };
    let renamed = crm.dials.renamed();
    let inner = crm.inner.lock();
    let after = query.get("after").map_or(Bound::Unbounded, |after| Bound::Excluded(email_key(after)));
    let mut behind = inner.contacts.range((after, Bound::Unbounded));
    let page: Vec<_> = behind.by_ref().take(limit).collect();
    let next = page.last().filter(|_| behind.next().is_some()).map(|(email, _)| (*email).clone());
    let items: Vec<Value> = page.iter().map(|(_, stored)| stored.shown(renamed)).collect();
    answer(StatusCode::OK, &json!({ "items": items, "next": next }))
}

async fn write(State(crm): State<Arc<Crm>>, Path(email): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let renamed = crm.dials.renamed();
    let email = email_key(&email);
    let inner = &mut *crm.inner.lock();
    let key = idempotency_key(&headers);
    if key.is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
        let detail = format!("Idempotency-Key must have 1 to {MAX_KEY} characters");
        return problem(StatusCode::BAD_REQUEST, "invalid-idempotency-key", "The key is wrong", Some(detail));
    }
    match key.map(|key| inner.keys.look(key, &email, &body)) {
        Some(Seen::Same(answer)) => return answer.response(),
        Some(Seen::Other) => {
            let detail = "this key came before with another request; a changed request needs a new key".to_owned();
            let title = "The idempotency key was used already";
            return problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title, Some(detail));
        }
        Some(Seen::Never) | None => {}
    }
    let fields = match contact::checked(&body, &email, renamed) {
        Ok(fields) => fields,
        Err(wrong) => return wrong_fields(&wrong),
    };
    let current = inner.contacts.get(&email);
    let tag = current.map(|stored| stored.etag.as_str());
    let mismatch = headers.get(header::IF_MATCH).is_some_and(|list| !names(list, tag))
        || headers.get(header::IF_NONE_MATCH).is_some_and(|list| names(list, tag));
    if mismatch {
        let detail = match tag {
            Some(tag) => format!("the contact is at {tag} now; read it again"),
            None => "there is no such contact".to_owned(),
        };
        let response =
            problem(StatusCode::PRECONDITION_FAILED, "precondition-failed", "It is not as expected", Some(detail));
        return match tag {
            Some(tag) => with_header(response, "etag", tag),
            None => response,
        };
    }
    if current.is_none() && inner.contacts.len() >= MAX_RECORDS {
        let detail = format!("the simulated CRM holds {MAX_RECORDS} contacts");
        return problem(StatusCode::INSUFFICIENT_STORAGE, "full", "The CRM is full", Some(detail));
    }
    let status = if current.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    inner.writes += 1;
    let stored = Stored { fields, etag: format!("\"{:x}\"", inner.writes) };
    let done = idempotency::Answer { status, etag: stored.etag.clone(), body: stored.shown(renamed) };
    inner.contacts.insert(email.clone(), stored);
    if let Some(key) = key {
        inner.keys.remember(key, &email, &body, done.clone());
    }
    done.response()
}
