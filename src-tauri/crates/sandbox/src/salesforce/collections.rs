//! sObject collections: up to 200 records in one request, each with its own result, in the order of the records
//! (REST API Developer Guide, "sObject Collections").

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Salesforce;
use super::rest::{fields_of, shown};
use super::write::{Refusal, Who, external_id};
use crate::front::json as answer;

const MAX_RECORDS: usize = 200;
const MAX_IDS: usize = 2_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Collection {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    ids: Vec<String>,
    fields: Vec<String>,
}

fn parse(body: &[u8]) -> Result<Vec<Map<String, Value>>, Refusal> {
    let collection: Collection = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad("JSON_PARSER_ERROR", format!("The body is no collection: {error}")))?;
    let count = collection.records.len();
    if !(1..=MAX_RECORDS).contains(&count) {
        let message =
            format!("record limit reached. 1 to {MAX_RECORDS} records can be submitted in one call, not {count}");
        return Err(Refusal::bad("EXCEEDED_ID_LIMIT", message));
    }
    if collection.all_or_none {
        let message = "the simulated org writes records one by one; send allOrNone=false";
        return Err(Refusal::bad("FEATURE_NOT_ENABLED", message));
    }
    Ok(collection.records)
}

impl Salesforce {
    /// One result per record; the dials refuse some of them, and lose one at times.
    fn save_all(
        &self,
        body: &[u8],
        tell_created: bool,
        who: impl Fn(&Map<String, Value>) -> Result<Named, Refusal>,
    ) -> Response {
        let records = match parse(body) {
            Ok(records) => records,
            Err(refusal) => return refusal.response(),
        };
        let save = |record: &Map<String, Value>| {
            if self.dials.refuse_record() {
                return Err(Refusal::row_locked());
            }
            if record.get("attributes").and_then(|attributes| attributes.get("type")) != Some(&"Contact".into()) {
                return Err(Refusal::bad("INVALID_TYPE", "attributes.type must be Contact"));
            }
            self.save(&who(record)?.who(), record)
        };
        let result = |record: &Map<String, Value>| match save(record) {
            Ok(saved) => saved.value(tell_created),
            Err(refusal) => refusal.result(),
        };
        let mut results: Vec<Value> = records.iter().map(result).collect();
        if self.dials.miscount() {
            results.pop();
        }
        answer(StatusCode::OK, &Value::from(results))
    }
}

/// A contact as a record names it.
enum Named {
    New,
    Id(String),
    Email(String),
}

impl Named {
    fn who(&self) -> Who<'_> {
        match self {
            Self::New => Who::New,
            Self::Id(id) => Who::Id(id),
            Self::Email(email) => Who::Email { email, update_only: false },
        }
    }
}

fn text(record: &Map<String, Value>, field: &str) -> Option<String> {
    record.get(field).and_then(Value::as_str).map(str::to_owned)
}

/// `POST …/composite/sobjects`
pub(super) async fn create(State(salesforce): State<Arc<Salesforce>>, body: Bytes) -> Response {
    salesforce.save_all(&body, false, |_| Ok(Named::New))
}

/// `PATCH …/composite/sobjects`
pub(super) async fn update(State(salesforce): State<Arc<Salesforce>>, body: Bytes) -> Response {
    let missing = || Refusal::bad("MISSING_ARGUMENT", "Id not specified in an update call");
    salesforce.save_all(&body, false, |record| text(record, "id").map(Named::Id).ok_or_else(missing))
}

/// `PATCH …/composite/sobjects/Contact/Email`
pub(super) async fn upsert(
    State(salesforce): State<Arc<Salesforce>>,
    Path((_, field)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    if let Err(refusal) = external_id(&field) {
        return refusal.response();
    }
    let missing = || Refusal::bad("MISSING_ARGUMENT", "Email not specified");
    salesforce.save_all(&body, true, |record| text(record, "Email").map(Named::Email).ok_or_else(missing))
}

/// `POST …/composite/sobjects/Contact`: the contacts in the order of the ids, null where there is none.
pub(super) async fn retrieve(
    State(salesforce): State<Arc<Salesforce>>,
    Path(version): Path<String>,
    body: Bytes,
) -> Response {
    let wanted = serde_json::from_slice::<Wanted>(&body)
        .map_err(|error| Refusal::bad("JSON_PARSER_ERROR", format!("The body has no ids and fields: {error}")))
        .and_then(|wanted| {
            let fields = fields_of(wanted.fields.iter().map(String::as_str))?;
            Ok((wanted.ids, fields))
        });
    match wanted {
        Ok((ids, _)) if ids.len() > MAX_IDS => {
            Refusal::bad("EXCEEDED_ID_LIMIT", format!("at most {MAX_IDS} ids can be asked for in one call")).response()
        }
        Ok((ids, fields)) => {
            let org = salesforce.org.lock();
            let one = |id: &String| org.find(id).map_or(Value::Null, |contact| shown(contact, &version, &fields));
            answer(StatusCode::OK, &Value::from(ids.iter().map(one).collect::<Vec<_>>()))
        }
        Err(refusal) => refusal.response(),
    }
}
