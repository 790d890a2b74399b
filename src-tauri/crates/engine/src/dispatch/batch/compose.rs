//! Which deliveries go together, and the request they make. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use signalbox_store::delivery::OpenDelivery;
use signalbox_store::event::Request;
use signalbox_transform::Value;
use signalbox_workspace::BatchShape;

use super::record::Record;
use crate::steps::{REQUEST_BODY_MAX, with_larger_budget};

/// What the bodies of one batch may have together, bytes; a record that is larger goes alone.
pub(super) const BODIES_MAX: usize = 4 << 20;

/// Rows of one method, path and set of headers, oldest first, at most `max` and [`BODIES_MAX`] in each batch.
///
/// Ordered by id, not by due time: the same set makes the same bytes under the same idempotency key, whenever it goes.
pub(super) fn compose(mut rows: Vec<OpenDelivery>, max: usize) -> Vec<Vec<OpenDelivery>> {
    rows.sort_unstable_by_key(|row| row.id);
    type Target = (String, String, Vec<(String, String)>);
    let mut open: BTreeMap<Target, (Vec<OpenDelivery>, usize)> = BTreeMap::new();
    let mut full = Vec::new();
    for row in rows {
        let request = &row.request;
        let target = (request.method.clone(), request.path.clone(), request.headers.clone());
        let (batch, bytes) = open.entry(target).or_default();
        let size = request.body.len();
        if !batch.is_empty() && (batch.len() >= max || *bytes + size > BODIES_MAX) {
            full.push(std::mem::take(batch));
            *bytes = 0;
        }
        *bytes += size;
        batch.push(row);
    }
    full.extend(open.into_values().map(|(batch, _)| batch));
    full
}

/// Of the deliveries and their revisions: the same for the same set, another for any other.
pub(super) fn key(rows: &[OpenDelivery]) -> String {
    let mut hasher = blake3::Hasher::new();
    for row in rows {
        hasher.update(&row.id.to_bytes());
        hasher.update(&row.revision.to_be_bytes());
    }
    // 128 bits: no two sets share it by chance.
    let digits: String = hasher.finalize().to_hex().chars().take(32).collect();
    format!("bat_{digits}")
}

/// One request with the records of all of them; what stops it is a fault of the mapping.
pub(super) fn request(shape: &BatchShape, first: &Request, records: &[Record]) -> Result<Request, String> {
    let body = body(shape, records)?;
    let mut headers = first.headers.clone();
    let is_json = |value: &str| value.to_ascii_lowercase().contains("json");
    match headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        Some((_, value)) if is_json(value) => {}
        Some((_, value)) => *value = JSON.to_owned(),
        None => headers.push(("content-type".to_owned(), JSON.to_owned())),
    }
    Ok(Request { method: first.method.clone(), path: first.path.clone(), headers, body })
}

const JSON: &str = "application/json";

fn body(shape: &BatchShape, records: &[Record]) -> Result<Bytes, String> {
    let values = || Value::array(records.iter().map(|record| record.value.clone()));
    let whole = match shape {
        BatchShape::HubSpot => {
            let traced = |record: &Record| {
                let trace = Value::string(&record.key);
                let not = || format!("HubSpot takes objects in a batch, and this record is {}", record.value.kind());
                record.value.with("objectWriteTraceId", trace).ok_or_else(not)
            };
            Value::object([("inputs", Value::array(records.iter().map(traced).collect::<Result<Vec<_>, _>>()?))])
        }
        BatchShape::Salesforce => Value::object([("allOrNone", Value::boolean(false)), ("records", values())]),
        BatchShape::Custom { body, .. } => {
            let values = values();
            with_larger_budget(|limits| body.run_one(&values, limits))
                .map_err(|error| format!("batch.body: {error}"))?
        }
    };
    whole.to_json_bytes(REQUEST_BODY_MAX).map(Bytes::from).map_err(|error| format!("the batch's body: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::row;
    use super::*;

    fn sizes(batches: &[Vec<OpenDelivery>]) -> Vec<usize> {
        batches.iter().map(Vec::len).collect()
    }

    #[test]
    fn rows_of_one_target_go_together_oldest_first_and_no_more_than_fit() {
        let mut rows: Vec<_> = (1..=5).map(|id| row(id, "{}")).collect();
        rows.reverse();
        let batches = compose(rows, 2);
        assert_eq!(sizes(&batches), [2, 2, 1]);
        let ids: Vec<_> = batches.iter().flatten().map(|row| row.id).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn another_path_method_or_header_is_another_request() {
        let mut rows: Vec<_> = (1..=6).map(|id| row(id, "{}")).collect();
        rows[1].request.path = "/other".into();
        rows[2].request.method = "PATCH".into();
        rows[3].request.headers.push(("x-tenant".into(), "b".into()));
        let batches = compose(rows, 100);
        assert_eq!(sizes(&batches).into_iter().sum::<usize>(), 6);
        assert_eq!(batches.len(), 4);
        assert!(batches.iter().all(|batch| batch.iter().all(|row| row.request.headers == batch[0].request.headers)));
    }

    #[test]
    fn a_request_stays_small_and_a_large_record_goes_alone() {
        let large = "x".repeat(BODIES_MAX / 2 + 1);
        let huge = "x".repeat(BODIES_MAX + 1);
        let batches = compose(vec![row(1, &large), row(2, &large), row(3, &huge), row(4, "{}")], 100);
        assert_eq!(sizes(&batches), [1, 1, 1, 1]);
    }

    #[test]
    fn the_key_is_that_of_the_set_and_its_revisions() {
        let set = || vec![row(1, "{}"), row(2, "{}")];
        assert_eq!(key(&set()), key(&set()));
        assert_ne!(key(&set()), key(&set()[..1]));
        let mut edited = set();
        edited[1].revision = 2;
        assert_ne!(key(&set()), key(&edited));
        let shuffled = compose(vec![row(2, "{}"), row(1, "{}")], 10);
        assert_eq!(key(&shuffled[0]), key(&set()));
    }

    #[test]
    fn presets_wrap_records_and_keep_their_digits() {
        let rows = [row(1, r#"{"id":"a","properties":{"n":1.10}}"#), row(2, r#"{"id":"b"}"#)];
        let records: Vec<_> = rows.iter().map(|row| Record::read(row).unwrap()).collect();
        let made =
            |shape| String::from_utf8(request(shape, &rows[0].request, &records).unwrap().body.to_vec()).unwrap();
        let (one, two) = (rows[0].id, rows[1].id);
        assert_eq!(
            made(&BatchShape::HubSpot),
            format!(
                r#"{{"inputs":[{{"id":"a","properties":{{"n":1.10}},"objectWriteTraceId":"{one}"}},{{"id":"b","objectWriteTraceId":"{two}"}}]}}"#
            )
        );
        assert_eq!(
            made(&BatchShape::Salesforce),
            r#"{"allOrNone":false,"records":[{"id":"a","properties":{"n":1.10}},{"id":"b"}]}"#
        );
    }

    #[test]
    fn a_record_that_is_no_object_cannot_be_traced() {
        let row = row(1, "[1]");
        let record = Record::read(&row).unwrap();
        let error = request(&BatchShape::HubSpot, &row.request, &[record]).unwrap_err();
        assert_eq!(error, "HubSpot takes objects in a batch, and this record is an array");
    }
}
