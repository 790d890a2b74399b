//! HubSpot's batch answers: 200 or 201 for all good, 207 with `results` and `errors`
//! (developers.hubspot.com, "Multi-status errors").
//!
//! Records are found by the `objectWriteTraceId` that was sent with each: in a result as its member, in an error under
//! `context`. Order and counts are not trusted.

use std::collections::BTreeMap;

use signalbox_model::FailureKind;
use signalbox_transform::Value;

use super::record::{Outcome, Record, sentence};

const TRACE: &str = "objectWriteTraceId";

/// What the answer holds under one trace id.
#[derive(Default)]
struct Said {
    result: Option<Value>,
    error: Option<Value>,
}

pub(super) fn outcomes(system: &str, status: u16, body: &Value, records: &[Record]) -> Vec<Outcome> {
    let results = list(body, "results");
    let errors = list(body, "errors");
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    let mut untraced = 0;
    for result in &results {
        match result.get(TRACE).and_then(|trace| trace.as_str().map(str::to_owned)) {
            Some(trace) => said.entry(trace).or_default().result = Some(result.clone()),
            None => untraced += 1,
        }
    }
    for error in &errors {
        for trace in traces(error, records) {
            said.entry(trace).or_default().error = Some(error.clone());
        }
    }
    // Some routes leave the trace ids out; where nothing failed and nothing is missing, they are not needed.
    let all_good = status != 207 && errors.is_empty() && no_errors(body);
    if all_good && untraced == records.len() && results.len() == records.len() {
        return records.iter().map(|_| Outcome::taken(None)).collect();
    }
    let counts = format!("{} results and {} errors for {} records", results.len(), errors.len(), records.len());
    let one = |record: &Record| match said.get(&record.key) {
        Some(Said { error: Some(error), .. }) => refused(system, error),
        Some(Said { result: Some(result), .. }) => Outcome::taken(Some(result)),
        _ => Outcome::unknown(format!("{system} answered {status} and said nothing of this record ({counts})")),
    };
    records.iter().map(one).collect()
}

fn refused(system: &str, error: &Value) -> Outcome {
    let category = sentence(error, "category").unwrap_or_default();
    let kind = match category.as_str() {
        "RATE_LIMITS" => FailureKind::Rate,
        "INTERNAL_ERROR" | "SERVICE_UNAVAILABLE" | "TIMEOUT" => FailureKind::Server,
        _ => FailureKind::Rejected,
    };
    let words: Vec<String> =
        [Some(category), sentence(error, "message")].into_iter().flatten().filter(|words| !words.is_empty()).collect();
    Outcome::failed(kind, format!("{system} refused this record: {}", words.join(": ")), Some(error))
}

/// The trace ids that an error names; where it names none, those of the records whose ids it names.
fn traces(error: &Value, records: &[Record]) -> Vec<String> {
    let context = error.get("context").unwrap_or_else(Value::null);
    let named = texts(&context, TRACE).chain(texts(error, TRACE)).collect::<Vec<_>>();
    if !named.is_empty() {
        return named;
    }
    let ids: Vec<String> = texts(&context, "ids").chain(texts(&context, "id")).collect();
    let of_record = |record: &&Record| record.value.get("id").is_some_and(|id| ids.contains(&id.to_text()));
    records.iter().filter(of_record).map(|record| record.key.clone()).collect()
}

/// A member that is a text or a list of texts.
fn texts(value: &Value, member: &str) -> impl Iterator<Item = String> + use<> {
    let member = value.get(member).unwrap_or_else(Value::null);
    let items = member.items().unwrap_or_else(|| vec![member]);
    items.into_iter().filter_map(|item| item.as_str().map(str::to_owned))
}

fn list(body: &Value, member: &str) -> Vec<Value> {
    body.get(member).and_then(|list| list.items()).unwrap_or_default()
}

fn no_errors(body: &Value) -> bool {
    body.get("numErrors").is_none_or(|count| count.is_null() || count.to_text() == "0")
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{json, kinds, record};
    use super::*;

    fn three() -> Vec<Record> {
        ["a", "b", "c"].iter().map(|key| record(key, &format!(r#"{{"id":"{key}@acme.test"}}"#))).collect()
    }

    fn read(status: u16, body: &str) -> Vec<Outcome> {
        outcomes("HubSpot", status, &json(body), &three())
    }

    #[test]
    fn records_are_found_by_their_trace_ids_in_any_order() {
        let outcomes = read(
            207,
            r#"{"status":"COMPLETE","numErrors":1,
                "results":[{"id":"3","objectWriteTraceId":"c"},{"id":"1","objectWriteTraceId":"a"}],
                "errors":[{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid.",
                           "context":{"objectWriteTraceId":["b"]}}]}"#,
        );
        assert_eq!(kinds(&outcomes), [None, Some(FailureKind::Rejected), None]);
        let failure = outcomes[1].failure.as_ref().unwrap();
        assert_eq!(failure.message, "HubSpot refused this record: VALIDATION_ERROR: Property values were not valid");
        assert_eq!(outcomes[0].part.as_deref(), Some(br#"{"id":"1","objectWriteTraceId":"a"}"#.as_slice()));
    }

    #[test]
    fn a_record_that_appears_in_neither_is_unknown() {
        let outcomes =
            read(207, r#"{"results":[{"objectWriteTraceId":"a"},{"objectWriteTraceId":"zzz"}],"errors":[]}"#);
        assert_eq!(kinds(&outcomes), [None, Some(FailureKind::Unknown), Some(FailureKind::Unknown)]);
        let message = &outcomes[1].failure.as_ref().unwrap().message;
        assert!(message.ends_with("said nothing of this record (2 results and 0 errors for 3 records)"), "{message}");
    }

    #[test]
    fn a_record_among_results_and_errors_failed() {
        let body = r#"{"results":[{"objectWriteTraceId":"a"}],"errors":[{"objectWriteTraceId":"a","message":"no"}]}"#;
        assert_eq!(kinds(&read(207, body))[0], Some(FailureKind::Rejected));
    }

    #[test]
    fn one_error_can_name_several_records_or_only_their_ids() {
        let body = r#"{"errors":[{"category":"OBJECT_NOT_FOUND","context":{"ids":["a@acme.test","c@acme.test"]}}],
                       "results":[{"objectWriteTraceId":"b"}]}"#;
        assert_eq!(kinds(&read(207, body)), [Some(FailureKind::Rejected), None, Some(FailureKind::Rejected)]);
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        let of = |category: &str| {
            let error = format!(r#"{{"category":"{category}","context":{{"objectWriteTraceId":["a"]}}}}"#);
            kinds(&read(207, &format!(r#"{{"errors":[{error}]}}"#)))[0]
        };
        assert_eq!(of("RATE_LIMITS"), Some(FailureKind::Rate));
        assert_eq!(of("INTERNAL_ERROR"), Some(FailureKind::Server));
        assert_eq!(of("CONFLICT"), Some(FailureKind::Rejected));
    }

    #[test]
    fn without_trace_ids_only_a_whole_success_of_the_right_count_counts() {
        assert_eq!(kinds(&read(200, r#"{"results":[{},{},{}]}"#)), [None; 3]);
        for body in [r#"{"results":[{},{}]}"#, r#"{"results":[{},{},{}],"numErrors":1}"#, "{}", "[]", "7"] {
            assert_eq!(kinds(&read(200, body)), [Some(FailureKind::Unknown); 3], "{body}");
        }
        assert_eq!(kinds(&read(207, r#"{"results":[{},{},{}]}"#)), [Some(FailureKind::Unknown); 3]);
    }
}
