//! The REST routes of contacts, reading them, and the token route, with Salesforce's limit header
//! (developer.salesforce.com, REST API Developer Guide).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, patch, post};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::contact::Contact;
use super::write::Refusal;
use super::{Salesforce, collections, write};
use crate::front::{bearer, json as answer, with_header};
use crate::query::Query;
use crate::secrets::{SALESFORCE_CLIENT, SALESFORCE_TOKEN};

/// Calls per rolling day of the simulated org; the sandbox counts since its start.
const DAILY_CALLS: u64 = 100_000;

impl Salesforce {
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/services/data/{version}/sobjects/Contact", post(write::create))
            .route("/services/data/{version}/sobjects/Contact/describe", get(describe))
            .route("/services/data/{version}/sobjects/Contact/{id}", get(read).patch(write::update))
            .route("/services/data/{version}/sobjects/Contact/{field}/{value}", patch(write::upsert))
            .route("/services/data/{version}/composite/sobjects", post(collections::create).patch(collections::update))
            .route("/services/data/{version}/composite/sobjects/Contact", post(collections::retrieve))
            .route("/services/data/{version}/composite/sobjects/Contact/{field}", patch(collections::upsert))
            .layer(from_fn_with_state(self.clone(), admit))
            .route("/services/oauth2/token", post(token))
            .fallback(nowhere)
            .with_state(self.clone())
    }
}

/// Salesforce answers errors as a list.
fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    answer(status, &json!([{ "message": message, "errorCode": code }]))
}

fn not_found() -> Response {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist")
}

async fn nowhere() -> Response {
    not_found()
}

async fn admit(State(salesforce): State<Arc<Salesforce>>, request: Request, next: Next) -> Response {
    if bearer(request.headers()) != Some(salesforce.secrets.value(SALESFORCE_TOKEN).as_str()) {
        return refuse(StatusCode::UNAUTHORIZED, "INVALID_SESSION_ID", "Session expired or invalid");
    }
    let calls = salesforce.calls.fetch_add(1, Relaxed) + 1;
    let response = if calls > DAILY_CALLS {
        // No Retry-After: Salesforce gives none.
        refuse(StatusCode::FORBIDDEN, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    } else if is_of_a_version(request.uri().path()) {
        next.run(request).await
    } else {
        not_found()
    };
    with_header(response, "sforce-limit-info", &format!("api-usage={}/{DAILY_CALLS}", calls.min(DAILY_CALLS)))
}

/// `/services/data/v62.0/…`
fn is_of_a_version(path: &str) -> bool {
    let version = path.strip_prefix("/services/data/v").and_then(|rest| rest.split('/').next());
    version.and_then(|version| version.strip_suffix(".0")).is_some_and(|major| major.parse::<u8>().is_ok())
}

/// The fields of a contact as the org describes them.
const FIELDS: [&str; 8] =
    ["Id", "Email", "FirstName", "LastName", "Phone", "Company__c", "Version__c", "LastModifiedDate"];

/// The fields that are asked for, under their own names.
pub(super) fn fields_of<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<&'static str>, Refusal> {
    let known = |name: &str| {
        let field = FIELDS.into_iter().find(|field| field.eq_ignore_ascii_case(name));
        field.ok_or_else(|| Refusal::bad("INVALID_FIELD", format!("No such column '{name}' on entity 'Contact'")))
    };
    names.map(known).collect()
}

/// `GET …/sobjects/Contact/{id}?fields=…`
async fn read(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let wanted = Query::parse(query.as_deref()).list("fields");
    let fields = match wanted {
        None => FIELDS.to_vec(),
        Some(wanted) => match fields_of(wanted.iter().map(String::as_str)) {
            Ok(fields) => fields,
            Err(refusal) => return refusal.response(),
        },
    };
    let org = salesforce.org.lock();
    match org.find(&id) {
        Some(contact) => answer(StatusCode::OK, &shown(contact, &version, &fields)),
        None => not_found(),
    }
}

/// `GET …/sobjects/Contact/describe`: as much as clients need to know what to ask for.
async fn describe() -> Response {
    let fields: Vec<Value> = FIELDS.iter().map(|name| json!({ "name": name, "type": "string" })).collect();
    answer(StatusCode::OK, &json!({ "name": "Contact", "keyPrefix": "003", "fields": fields }))
}

pub(super) fn shown(contact: &Contact, version: &str, fields: &[&str]) -> Value {
    let mut shown = Map::new();
    let url = format!("/services/data/{version}/sobjects/Contact/{}", contact.id);
    shown.insert("attributes".to_owned(), json!({ "type": "Contact", "url": url }));
    for field in fields {
        let value = match *field {
            "Id" => json!(contact.id),
            "Email" => json!(contact.email),
            "FirstName" => json!(contact.first_name),
            "LastName" => json!(contact.last_name),
            "Phone" => json!(contact.phone),
            "Company__c" => json!(contact.company),
            "Version__c" => json!(contact.version),
            _ => json!(contact.modified_date()),
        };
        shown.insert((*field).to_owned(), value);
    }
    Value::Object(shown)
}

async fn token(State(salesforce): State<Arc<Salesforce>>, body: Bytes) -> Response {
    let form = Query::parse(std::str::from_utf8(&body).ok());
    let refuse = |error: &str, description: &str| {
        answer(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": description }))
    };
    if form.get("grant_type") != Some("client_credentials") {
        return refuse("unsupported_grant_type", "grant type not supported");
    }
    let secret = salesforce.secrets.value(SALESFORCE_CLIENT);
    if form.get("client_id").is_none_or(str::is_empty) || form.get("client_secret") != Some(secret.as_str()) {
        return refuse("invalid_client", "invalid client credentials");
    }
    // No expires_in: Salesforce gives none.
    let url = &salesforce.instance_url;
    let body = json!({
        "access_token": salesforce.secrets.value(SALESFORCE_TOKEN), "instance_url": url, "token_type": "Bearer",
        "id": format!("{url}/id/00D5g000000sandEAA/0055g000000userAAA"), "scope": "api",
        "issued_at": salesforce.clock.now().as_millis().to_string(),
    });
    answer(StatusCode::OK, &body)
}
