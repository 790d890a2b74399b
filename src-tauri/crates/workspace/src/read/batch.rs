//! A destination's `batch` and `condition`, and what goes with neither.

use std::time::Duration;

use crate::batch::{Batch, BatchShape, Condition, MOST_HUBSPOT_RECORDS, MOST_RECORDS};
use crate::read::expression::program;
use crate::read::value::{Table, Value};

const MAX: u32 = 100;
const LINGER: Duration = Duration::from_millis(200);
const LONGEST_LINGER: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
enum Preset {
    HubSpot,
    Salesforce,
}

/// `batch = { max, linger, preset }` or `{ max, linger, body, outcomes }`; `method` is the request's.
pub(crate) fn batch(value: &Value<'_>, destination: &Table<'_>, method: Option<&str>) -> Option<Batch> {
    let table = value.table("batch", &["max", "linger", "preset", "body", "outcomes"])?;
    let fits = goes_with(value, destination, method);
    let preset = match table.optional_text("preset") {
        Some(Some(text)) => text.one_of(&[("hubspot", Preset::HubSpot), ("salesforce", Preset::Salesforce)]).map(Some),
        Some(None) => Some(None),
        None => None,
    };
    let most = if matches!(preset, Some(Some(Preset::HubSpot))) { MOST_HUBSPOT_RECORDS } else { MOST_RECORDS };
    let max = table.get("max").map_or(Some(i64::from(MAX)), |value| value.whole_number(2..=i64::from(most)));
    let linger = table.duration("linger", LINGER, Duration::from_millis(1)..=LONGEST_LINGER);
    let shape = match preset? {
        Some(preset) => preset_shape(preset, &table),
        None => custom_shape(&table),
    };
    let (max, linger, shape) = (max?, linger?, shape?);
    fits.then_some(Batch { max: u32::try_from(max).ok()?, linger, shape })
}

fn preset_shape(preset: Preset, table: &Table<'_>) -> Option<BatchShape> {
    let mut right = true;
    for key in ["body", "outcomes"] {
        if let Some(value) = table.get(key) {
            value.error("wrong-batch", format!("'{key}' is what 'preset' says already: remove one of them"));
            right = false;
        }
    }
    let shape = match preset {
        Preset::HubSpot => BatchShape::HubSpot,
        Preset::Salesforce => BatchShape::Salesforce,
    };
    right.then_some(shape)
}

fn custom_shape(table: &Table<'_>) -> Option<BatchShape> {
    let (body, outcomes) = (table.get("body"), table.get("outcomes"));
    if body.is_none() && outcomes.is_none() {
        let message =
            "'preset' is missing in batch: name \"hubspot\" or \"salesforce\", or write 'body' and 'outcomes'";
        table.error("missing-key", message);
        return None;
    }
    let body = table.require_text("body", "jq over the list of records that makes the request's body");
    let outcomes = table.require_text("outcomes", "without it nobody knows which records failed");
    let (body, outcomes) = (body.map(|text| program(&text)), outcomes.map(|text| program(&text)));
    Some(BatchShape::Custom { body: body??, outcomes: outcomes?? })
}

/// Every reason at once why this destination cannot batch.
fn goes_with(value: &Value<'_>, destination: &Table<'_>, method: Option<&str>) -> bool {
    let mut right = true;
    if let Some(method @ ("GET" | "DELETE")) = method {
        let message = format!("a {method} carries no list of records: 'batch' goes with POST, PUT and PATCH");
        value.error("wrong-batch", message);
        right = false;
    }
    if let Some(confirm) = destination.get("confirm") {
        let message = "'confirm' judges one answer for one delivery; with 'batch', the preset or 'outcomes' judges each \
                       record";
        confirm.error("wrong-batch", message);
        right = false;
    }
    right
}

/// `condition = { if_match = jq }` or `{ read = true }`.
pub(crate) fn condition(value: &Value<'_>, destination: &Table<'_>, method: Option<&str>) -> Option<Condition> {
    let table = value.table("condition", &["if_match", "read"])?;
    let mut right = true;
    let mut refuse = |message: String| {
        value.error("wrong-condition", message);
        right = false;
    };
    if destination.get("batch").is_some() {
        refuse("'condition' holds for one record, and 'batch' sends many: remove one of them".to_owned());
    }
    if let Some(method @ ("GET" | "POST")) = method {
        refuse(format!(
            "'condition' guards the record at the request's URL: it goes with PUT, PATCH and DELETE, not {method}"
        ));
    }
    let condition = match (table.optional_text("if_match")?, table.get("read")) {
        (Some(_), Some(read)) => {
            read.error("wrong-condition", "'read' and 'if_match' are two ways to say the version: remove one of them");
            None
        }
        (Some(text), None) => program(&text).map(Condition::IfMatch),
        (None, Some(read)) => match read.boolean()? {
            true => Some(Condition::Read),
            false => {
                read.error("wrong-condition", "'read' can only be true: remove 'condition' for a write without one");
                None
            }
        },
        (None, None) => {
            let why = "jq that makes the version's entity tag; or write read = true";
            table.require_text("if_match", why);
            None
        }
    };
    condition.filter(|_| right)
}
