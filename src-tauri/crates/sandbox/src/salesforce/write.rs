//! Writing contacts over REST: what a record may hold, who it is, and Salesforce's ways of saying no.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Salesforce;
use super::contact::Contact;
use super::org::{Full, Org};
use crate::front::json as answer;
use crate::query::Query;
use crate::records::{MAX_FIELD, is_email};

/// Why a record is not written.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: Vec<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Vec::new() }
    }

    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    fn missing(field: &'static str) -> Self {
        let message = format!("Required fields are missing: [{field}]");
        Self { fields: vec![field], ..Self::bad("REQUIRED_FIELD_MISSING", message) }
    }

    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "The requested resource does not exist")
    }

    /// Two transactions want one row: a moment later it is free.
    pub fn row_locked() -> Self {
        Self::bad("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
    }

    /// Of a request of its own: a list with one error.
    pub fn response(&self) -> Response {
        let mut error = json!({ "message": self.message, "errorCode": self.code });
        if !self.fields.is_empty() {
            error["fields"] = json!(self.fields);
        }
        answer(self.status, &json!([error]))
    }

    /// Among the results of a collection.
    pub fn result(&self) -> Value {
        let error = json!({ "statusCode": self.code, "message": self.message, "fields": self.fields });
        json!({ "success": false, "errors": [error] })
    }
}

/// What was written.
pub(super) struct Saved {
    pub id: String,
    pub created: bool,
}

impl Saved {
    pub fn value(&self, tell_created: bool) -> Value {
        let mut value = json!({ "id": self.id, "success": true, "errors": [] });
        if tell_created {
            value["created"] = self.created.into();
        }
        value
    }
}

/// Which contact a record means.
pub(super) enum Who<'a> {
    /// A new one.
    New,
    Id(&'a str),
    /// By its email, the one external id that the simulated org has.
    Email {
        email: &'a str,
        update_only: bool,
    },
}

impl Salesforce {
    /// The change is told to Signalbox as any other of the org.
    pub(super) fn save(&self, who: &Who<'_>, changes: &Map<String, Value>) -> Result<Saved, Refusal> {
        let now = self.clock.now();
        let mut org = self.org.lock();
        let known = known(&org, who)?;
        let created = known.is_none();
        let email = match who {
            Who::Email { email, .. } => Some(*email),
            Who::Id(_) => None,
            Who::New => changes.get("Email").and_then(Value::as_str),
        };
        let mut contact = match (known, email) {
            (Some(contact), _) => contact,
            (None, Some(email)) if is_email(email) => Contact::new(email.to_owned(), now),
            (None, Some(email)) => {
                return Err(Refusal::bad("INVALID_EMAIL_ADDRESS", format!("Email: invalid email address: {email}")));
            }
            (None, None) => return Err(Refusal::missing("Email")),
        };
        apply(&mut contact, changes)?;
        if contact.last_name.is_empty() {
            return Err(Refusal::missing("LastName"));
        }
        match org.save(contact, now) {
            Ok(id) => Ok(Saved { id, created }),
            Err(Full::Contacts) => Err(Refusal::bad("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded")),
            Err(Full::Outbox) => {
                let message = "too many changes wait to be sent; the simulated org is paused or has no ingress";
                Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "SERVER_UNAVAILABLE", message))
            }
        }
    }
}

/// The contact as it is; none: it is to be made.
fn known(org: &Org, who: &Who<'_>) -> Result<Option<Contact>, Refusal> {
    match who {
        Who::Id(id) => org.find(id).cloned().map(Some).ok_or_else(Refusal::not_found),
        Who::Email { email, update_only } => match org.find_by_email(email).cloned() {
            None if *update_only => Err(Refusal::not_found()),
            found => Ok(found),
        },
        Who::New => Ok(None),
    }
}

fn apply(contact: &mut Contact, changes: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in changes {
        let field = match name.as_str() {
            "FirstName" => &mut contact.first_name,
            "LastName" => &mut contact.last_name,
            "Phone" => &mut contact.phone,
            "Company__c" => &mut contact.company,
            // Who it is was read already; a contact keeps its email here.
            "Email" | "attributes" | "id" | "Id" => continue,
            _ => {
                let message = format!("No such column '{name}' on sobject of type Contact");
                return Err(Refusal::bad("INVALID_FIELD", message));
            }
        };
        match value {
            Value::Null => field.clear(),
            Value::String(text) if text.chars().count() <= MAX_FIELD => field.clone_from(text),
            _ => {
                let message = format!("{name}: the value is no text of at most {MAX_FIELD} characters");
                return Err(Refusal::bad("JSON_PARSER_ERROR", message));
            }
        }
    }
    Ok(())
}

fn one_record(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::bad("JSON_PARSER_ERROR", "The body is not one JSON object"))
}

/// `POST …/sobjects/Contact`
pub(super) async fn create(State(salesforce): State<Arc<Salesforce>>, body: Bytes) -> Response {
    let saved = one_record(&body).and_then(|record| {
        let email = record.get("Email").and_then(Value::as_str).unwrap_or_default();
        if let Some(known) = salesforce.org.lock().find_by_email(email) {
            let message = format!("duplicate value found: Email duplicates value on record with id: {}", known.id);
            return Err(Refusal::bad("DUPLICATE_VALUE", message));
        }
        salesforce.save(&Who::New, &record)
    });
    match saved {
        Ok(saved) => answer(StatusCode::CREATED, &saved.value(false)),
        Err(refusal) => refusal.response(),
    }
}

/// `PATCH …/sobjects/Contact/{id}`
pub(super) async fn update(
    State(salesforce): State<Arc<Salesforce>>,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    match one_record(&body).and_then(|record| salesforce.save(&Who::Id(&id), &record)) {
        Ok(_) => answer_nothing(),
        Err(refusal) => refusal.response(),
    }
}

fn answer_nothing() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `PATCH …/sobjects/Contact/Email/{value}`
pub(super) async fn upsert(
    State(salesforce): State<Arc<Salesforce>>,
    Path((_, field, email)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let update_only = Query::parse(query.as_deref()).get("updateOnly") == Some("true");
    let saved = external_id(&field).and_then(|()| {
        let record = one_record(&body)?;
        // The external id stands in the path, and nowhere else.
        if record.contains_key("Email") {
            return Err(Refusal::bad("INVALID_FIELD", "The Email field should not be specified in the sobject data."));
        }
        salesforce.save(&Who::Email { email: &email, update_only }, &record)
    });
    match saved {
        Ok(saved) => {
            let status = if saved.created { StatusCode::CREATED } else { StatusCode::OK };
            answer(status, &saved.value(true))
        }
        Err(refusal) => refusal.response(),
    }
}

pub(super) fn external_id(field: &str) -> Result<(), Refusal> {
    if field.eq_ignore_ascii_case("Email") {
        return Ok(());
    }
    let message = format!("Provided external ID field does not exist or is not accessible: {field}");
    Err(Refusal::new(StatusCode::NOT_FOUND, "NOT_FOUND", message))
}
