//! A batch of one's own: jq over `{ status, headers, body, records }` that makes one entry per record, each `true`,
//! `false` or `{ ok, retry, status, message }`.

use signalbox_model::FailureKind;
use signalbox_model::outcome::classify;
use signalbox_net::client::Answer;
use signalbox_transform::{Program, Value};

use super::record::{Outcome, Record, all_unknown, sentence};
use crate::dispatch::outcome::answer_value;
use crate::steps::with_larger_budget;

pub(super) fn outcomes(program: &Program, answer: &Answer, records: &[Record]) -> Vec<Outcome> {
    let values = Value::array(records.iter().map(|record| record.value.clone()));
    let Some(input) = answer_value(answer).with("records", values) else {
        return all_unknown(records, "the answer could not be read");
    };
    let entries = match with_larger_budget(|limits| program.run_one(&input, limits)) {
        Ok(entries) => entries,
        Err(error) => {
            return all_unknown(records, &format!("batch.outcomes failed on the answer ({}): {error}", answer.status));
        }
    };
    let Some(entries) = entries.items() else {
        return all_unknown(records, &format!("batch.outcomes made {}, and not a list", entries.kind()));
    };
    if entries.len() != records.len() {
        let message = format!("batch.outcomes made {} entries for {} records", entries.len(), records.len());
        return all_unknown(records, &message);
    }
    entries.iter().map(outcome).collect()
}

fn outcome(entry: &Value) -> Outcome {
    let truth = |member: &str| entry.get(member).map(|value| value == Value::boolean(true));
    let refused = || sentence(entry, "message").unwrap_or_else(|| "batch.outcomes says no".to_owned());
    let status = entry.get("status").and_then(|status| status.to_text().parse().ok());
    if *entry == Value::boolean(true) || truth("ok") == Some(true) {
        return Outcome { status, ..Outcome::taken(None) };
    }
    if *entry == Value::boolean(false) {
        return Outcome::failed(FailureKind::Rejected, refused(), None);
    }
    if truth("ok").is_none() && truth("retry").is_none() && status.is_none() {
        return Outcome::unknown(format!(
            "batch.outcomes made {} for this record, and neither true nor {{ ok, retry, status, message }}",
            entry.kind()
        ));
    }
    let kind = kind(truth("retry"), status);
    Outcome { status, ..Outcome::failed(kind, refused(), Some(entry)) }
}

/// `retry` decides; without it the status does, as it would for a request of its own.
fn kind(retry: Option<bool>, status: Option<u16>) -> FailureKind {
    let by_status = status.and_then(|status| classify(status, false, &[]));
    let passing = |kind: &FailureKind| matches!(kind, FailureKind::Server | FailureKind::Rate);
    match retry {
        Some(true) => by_status.filter(passing).unwrap_or(FailureKind::Server),
        Some(false) => FailureKind::Rejected,
        None => by_status.filter(passing).unwrap_or(FailureKind::Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{answer, kinds, record};
    use super::*;

    fn read(program: &str, body: &str) -> Vec<Outcome> {
        let records = [record("a", r#"{"n":1}"#), record("b", r#"{"n":2}"#)];
        outcomes(&Program::compile(program).unwrap(), &answer(200, body), &records)
    }

    #[test]
    fn entries_are_true_or_say_what_is_wrong() {
        let outcomes = read(".body", r#"[true, {"ok":false,"retry":true,"status":429,"message":"slow  down."}]"#);
        assert_eq!(kinds(&outcomes), [None, Some(FailureKind::Rate)]);
        assert_eq!(
            (outcomes[1].status, outcomes[1].failure.as_ref().unwrap().message.as_str()),
            (Some(429), "slow down")
        );
    }

    #[test]
    fn retry_decides_and_without_it_the_status() {
        let of = |entry: &str| kinds(&read(".body", &format!("[{entry},true]")))[0];
        assert_eq!(of(r#"{"ok":true,"status":201}"#), None);
        assert_eq!(of("false"), Some(FailureKind::Rejected));
        assert_eq!(of(r#"{"ok":false}"#), Some(FailureKind::Rejected));
        assert_eq!(of(r#"{"ok":false,"status":503}"#), Some(FailureKind::Server));
        assert_eq!(of(r#"{"ok":false,"status":409}"#), Some(FailureKind::Rejected));
        assert_eq!(of(r#"{"ok":false,"retry":true,"status":409}"#), Some(FailureKind::Server));
        assert_eq!(of(r#"{"ok":false,"retry":false,"status":503}"#), Some(FailureKind::Rejected));
        for neither in ["null", "7", "{}", r#""yes""#] {
            assert_eq!(of(neither), Some(FailureKind::Unknown), "{neither}");
        }
    }

    #[test]
    fn it_sees_the_records_that_went() {
        let program = r"[.records[] | .n as $n | { ok: ([$n] | inside([2])), message: $n | tostring }]";
        assert_eq!(kinds(&read(program, "{}")), [Some(FailureKind::Rejected), None]);
    }

    #[test]
    fn what_is_not_one_entry_per_record_says_nothing_of_any() {
        for program in ["[true]", "true", "[true,true,true]", "error(\"x\")", "empty"] {
            assert_eq!(kinds(&read(program, "{}")), [Some(FailureKind::Unknown); 2], "{program}");
        }
    }
}
