//! The REST routes of contacts and the token route, with Salesforce's errors and limit header
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

use super::Salesforce;
use super::contact::Contact;
use super::org::Full;
use crate::front::{bearer, json as answer, with_header};
use crate::query::Query;
use crate::records::{MAX_FIELD, is_email};
use crate::secrets::{SALESFORCE_CLIENT, SALESFORCE_TOKEN};

/// Calls per rolling day of the simulated org; the sandbox counts since its start.
const DAILY_CALLS: u64 = 100_000;

impl Salesforce {
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/services/data/{version}/sobjects/Contact/{id}", get(read))
            .route("/services/data/{version}/sobjects/Contact/{field}/{value}", patch(upsert))
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
    } else {
        next.run(request).await
    };
    with_header(response, "sforce-limit-info", &format!("api-usage={}/{DAILY_CALLS}", calls.min(DAILY_CALLS)))
}

fn is_version(version: &str) -> bool {
    version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0")).is_some_and(|major| major.parse::<u8>().is_ok())
}

async fn read(State(salesforce): State<Arc<Salesforce>>, Path((version, id)): Path<(String, String)>) -> Response {
    let org = salesforce.org.lock();
    match org.find(&id) {
        Some(contact) if is_version(&version) => answer(StatusCode::OK, &shown(contact, &version)),
        _ => not_found(),
    }
}

fn shown(contact: &Contact, version: &str) -> Value {
    json!({
        "attributes": {
            "type": "Contact", "url": format!("/services/data/{version}/sobjects/Contact/{}", contact.id),
        },
        "Id": contact.id, "Email": contact.email, "FirstName": contact.first_name, "LastName": contact.last_name,
        "Phone": contact.phone, "Company__c": contact.company, "Version__c": contact.version,
        "LastModifiedDate": contact.modified_date(),
    })
}

/// Creates or changes a contact by its email, the one external id that the simulated org has. The change is told to
/// Signalbox as any other.
async fn upsert(
    State(salesforce): State<Arc<Salesforce>>,
    Path((version, field, value)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    if !is_version(&version) {
        return not_found();
    }
    if !field.eq_ignore_ascii_case("Email") {
        let message = format!("Provided external ID field does not exist or is not accessible: {field}");
        return refuse(StatusCode::NOT_FOUND, "NOT_FOUND", &message);
    }
    if !is_email(&value) {
        let message = format!("Email: invalid email address: {value}");
        return refuse(StatusCode::BAD_REQUEST, "INVALID_EMAIL_ADDRESS", &message);
    }
    let Ok(changes) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "JSON_PARSER_ERROR", "The body is not one JSON object");
    };
    let update_only = Query::parse(query.as_deref()).get("updateOnly") == Some("true");
    let now = salesforce.clock.now();
    let mut org = salesforce.org.lock();
    let known = org.find_by_email(&value).cloned();
    let created = known.is_none();
    if created && update_only {
        return not_found();
    }
    let mut contact = known.unwrap_or_else(|| Contact::new(value, now));
    if let Err(refused) = apply(&mut contact, &changes) {
        return refused;
    }
    if contact.last_name.is_empty() {
        let message = "Required fields are missing: [LastName]";
        let body = json!([{ "message": message, "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"] }]);
        return answer(StatusCode::BAD_REQUEST, &body);
    }
    match org.save(contact, now) {
        Ok(id) => {
            let status = if created { StatusCode::CREATED } else { StatusCode::OK };
            answer(status, &json!({ "id": id, "success": true, "errors": [], "created": created }))
        }
        Err(Full::Contacts) => refuse(StatusCode::BAD_REQUEST, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
        Err(Full::Outbox) => {
            let message = "too many changes wait to be sent; the simulated org is paused or has no ingress";
            refuse(StatusCode::SERVICE_UNAVAILABLE, "SERVER_UNAVAILABLE", message)
        }
    }
}

#[expect(clippy::result_large_err, reason = "the refusal is the answer itself, and rare")]
fn apply(contact: &mut Contact, changes: &Map<String, Value>) -> Result<(), Response> {
    for (name, value) in changes {
        let field = match name.as_str() {
            "FirstName" => &mut contact.first_name,
            "LastName" => &mut contact.last_name,
            "Phone" => &mut contact.phone,
            "Company__c" => &mut contact.company,
            _ => {
                let message = format!("No such column '{name}' on sobject of type Contact");
                return Err(refuse(StatusCode::BAD_REQUEST, "INVALID_FIELD", &message));
            }
        };
        match value {
            Value::Null => field.clear(),
            Value::String(text) if text.chars().count() <= MAX_FIELD => field.clone_from(text),
            _ => {
                let message = format!("{name}: the value is no text of at most {MAX_FIELD} characters");
                return Err(refuse(StatusCode::BAD_REQUEST, "JSON_PARSER_ERROR", &message));
            }
        }
    }
    Ok(())
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
