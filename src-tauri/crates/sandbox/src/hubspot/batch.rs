//! Batches: each input succeeds or fails by itself; where one failed, the answer is 207 with its error.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_model::Timestamp;

use super::account::{By, Refused, Upsert};
use super::errors::Trouble;
use super::{HubSpot, MAX_PAGE};
use crate::front::json as answer;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Upserts {
    inputs: Vec<Upsert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Reads {
    inputs: Vec<ReadInput>,
    id_property: Option<String>,
    properties: Option<Vec<String>>,
    #[serde(rename = "propertiesWithHistory")]
    _history: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadInput {
    id: String,
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| Trouble::validation(format!("Invalid input JSON: {error}")))
}

fn sized<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Trouble> {
    let count = ids.len();
    if !(1..=MAX_PAGE).contains(&count) {
        return Err(Trouble::validation(format!("A batch has 1 to {MAX_PAGE} inputs, not {count}")));
    }
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id.to_ascii_lowercase()) {
            return Err(Trouble::validation(format!("Duplicate IDs found in batch input: [{id}]")));
        }
    }
    Ok(())
}

fn answered(results: Vec<Value>, errors: Vec<Value>, started: Timestamp, completed: Timestamp) -> Response {
    let mut body = json!({
        "status": "COMPLETE", "results": results,
        "startedAt": started.to_rfc3339(), "completedAt": completed.to_rfc3339(),
    });
    if errors.is_empty() {
        return answer(StatusCode::OK, &body);
    }
    body["numErrors"] = errors.len().into();
    body["errors"] = errors.into();
    answer(StatusCode::MULTI_STATUS, &body)
}

pub(crate) async fn upsert(State(hubspot): State<Arc<HubSpot>>, body: Bytes) -> Response {
    let started = hubspot.clock.now();
    let batch = parse::<Upserts>(&body).and_then(|batch| {
        sized(batch.inputs.iter().map(|input| input.id.as_str()))?;
        Ok(batch)
    });
    let batch = match batch {
        Ok(batch) => batch,
        Err(trouble) => return hubspot.refuse(&trouble),
    };
    let renamed = hubspot.dials.renamed();
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let mut account = hubspot.account.lock();
    for input in &batch.inputs {
        let written = match hubspot.dials.refuse_record() {
            true => Err(Refused::passing()),
            false => account.upsert(input, renamed, started),
        };
        match written {
            Ok(result) => results.push(result),
            Err(refused) => {
                let mut context = json!({ "ids": [input.id] });
                if let Some(trace) = &input.object_write_trace_id {
                    context["objectWriteTraceId"] = json!([trace]);
                }
                errors.push(json!({
                    "status": "error", "category": refused.category, "message": refused.message, "context": context,
                }));
            }
        }
    }
    drop(account);
    if hubspot.dials.miscount() {
        results.reverse();
        results.pop();
    }
    answered(results, errors, started, hubspot.clock.now())
}

pub(crate) async fn read(State(hubspot): State<Arc<HubSpot>>, body: Bytes) -> Response {
    let started = hubspot.clock.now();
    let batch = parse::<Reads>(&body).and_then(|batch| {
        sized(batch.inputs.iter().map(|input| input.id.as_str()))?;
        let by = By::parse(batch.id_property.as_deref())?;
        Ok((batch, by))
    });
    let (batch, by) = match batch {
        Ok(checked) => checked,
        Err(trouble) => return hubspot.refuse(&trouble),
    };
    let renamed = hubspot.dials.renamed();
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    let account = hubspot.account.lock();
    for input in &batch.inputs {
        match account.find(by, &input.id) {
            Some(contact) => results.push(contact.object(batch.properties.as_deref(), renamed)),
            None => missing.push(input.id.clone()),
        }
    }
    drop(account);
    let errors = if missing.is_empty() {
        Vec::new()
    } else {
        let message = "Could not get some CONTACT objects, they may be deleted or not exist.";
        vec![json!({
            "status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": { "ids": missing },
        })]
    };
    answered(results, errors, started, hubspot.clock.now())
}
