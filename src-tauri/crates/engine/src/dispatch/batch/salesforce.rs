//! Salesforce's sObject collections with `allOrNone=false`: 200 with a list in the order of the records, each
//! `{ id, success, created, errors: [{ statusCode, message, fields }] }` (REST API guide, "sObject Collections").

use signalbox_model::FailureKind;
use signalbox_transform::Value;

use super::record::{Outcome, Record, all_unknown, sentence};

/// Codes that say "not now" (API reference, "StatusCode"): the same record can pass a moment later.
const PASSING: [&str; 5] =
    ["UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_RUNNING_TOO_LONG", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION"];
const LIMITS: [&str; 2] = ["REQUEST_LIMIT_EXCEEDED", "TXN_SECURITY_METERING_ERROR"];

pub(super) fn outcomes(system: &str, body: &Value, records: &[Record]) -> Vec<Outcome> {
    let Some(results) = body.items() else {
        let message = format!("{system} answered {} where a list with one result per record was due", body.kind());
        return all_unknown(records, &message);
    };
    if results.len() != records.len() {
        // Without names, a list of another length fits no record for certain.
        let (results, records_sent) = (results.len(), records.len());
        let message =
            format!("{system} answered {results} results for {records_sent} records: nobody knows whose they are");
        return all_unknown(records, &message);
    }
    results.iter().map(|result| outcome(system, result)).collect()
}

fn outcome(system: &str, result: &Value) -> Outcome {
    if result.get("success").is_some_and(|success| success == Value::boolean(true)) {
        return Outcome::taken(Some(result));
    }
    let errors = result.get("errors").and_then(|errors| errors.items()).unwrap_or_default();
    let Some(error) = errors.first() else {
        let message = format!("{system} answered neither success nor an error for this record");
        return Outcome::failed(FailureKind::Unknown, message, Some(result));
    };
    let code = sentence(error, "statusCode").unwrap_or_default();
    let kind = match code.as_str() {
        code if PASSING.contains(&code) => FailureKind::Server,
        code if LIMITS.contains(&code) => FailureKind::Rate,
        _ => FailureKind::Rejected,
    };
    let words: Vec<String> =
        [Some(code), sentence(error, "message")].into_iter().flatten().filter(|words| !words.is_empty()).collect();
    Outcome::failed(kind, format!("{system} refused this record: {}", words.join(": ")), Some(result))
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{json, kinds, record};
    use super::*;

    fn read(body: &str) -> Vec<Outcome> {
        let records = [record("a", "{}"), record("b", "{}"), record("c", "{}")];
        outcomes("Salesforce", &json(body), &records)
    }

    #[test]
    fn results_are_those_of_the_records_in_their_order() {
        let outcomes = read(
            r#"[{"id":"003A","success":true,"errors":[]},
                {"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access to this record","fields":[]}]},
                {"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [LastName]","fields":["LastName"]}]}]"#,
        );
        assert_eq!(kinds(&outcomes), [None, Some(FailureKind::Server), Some(FailureKind::Rejected)]);
        assert_eq!(
            outcomes[2].failure.as_ref().unwrap().message,
            "Salesforce refused this record: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]"
        );
    }

    #[test]
    fn a_list_of_another_length_says_nothing_of_any_record() {
        for body in
            [r#"[{"success":true}]"#, "[]", r#"[{"success":true},{"success":true},{"success":true},{"success":true}]"#]
        {
            assert_eq!(kinds(&read(body)), [Some(FailureKind::Unknown); 3], "{body}");
        }
        assert_eq!(kinds(&read(r#"{"hasErrors":false}"#)), [Some(FailureKind::Unknown); 3]);
    }

    #[test]
    fn a_result_that_says_neither_is_unknown() {
        let outcomes = read(r#"[{"success":"true"},{"success":false,"errors":[]},null]"#);
        assert_eq!(kinds(&outcomes), [Some(FailureKind::Unknown); 3]);
    }
}
