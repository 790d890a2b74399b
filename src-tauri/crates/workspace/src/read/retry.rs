//! A destination's `retry` table.

use std::time::Duration;

use signalbox_model::FailureKind;
use signalbox_model::retry::{RetryMatch, RetryPolicy};
use signalbox_model::units::format_duration;

use crate::problem::Severity;
use crate::read::suggest::{list, nearest};
use crate::read::value::Value;

const MOST_STEPS: usize = 64;
const LONGEST_STEP: Duration = Duration::from_secs(7 * 86_400);
const SHORTEST_AGE: Duration = Duration::from_millis(1);
const LONGEST_AGE: Duration = Duration::from_secs(30 * 86_400);
const MOST_RULES: usize = 32;

pub(crate) fn read(value: &Value<'_>) -> Option<RetryPolicy> {
    let table = value.table("retry", &["schedule", "jitter", "max_age", "on", "never"])?;
    let default = RetryPolicy::default();
    let schedule = table.get("schedule").map_or(Some(default.schedule), |value| {
        let waits = value.list(MOST_STEPS, "wait")?;
        let waits: Vec<Option<Duration>> =
            waits.iter().map(|wait| wait.text()?.duration(Duration::ZERO..=LONGEST_STEP)).collect();
        waits.into_iter().collect()
    });
    let jitter = table.get("jitter").map_or(Some(default.jitter), |value| value.share());
    let max_age = table.duration("max_age", default.max_age, SHORTEST_AGE..=LONGEST_AGE);
    let on = table.get("on").map_or(Some(Vec::new()), |value| rules(&value));
    let never = table.get("never").map_or(Some(Vec::new()), |value| rules(&value));
    let (schedule, max_age) = (schedule?, max_age?);
    let whole: Duration = schedule.iter().fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait));
    if whole > max_age {
        let message = format!(
            "the schedule takes {} and 'max_age' ends it after {}: its last tries never come",
            format_duration(whole),
            format_duration(max_age)
        );
        table.report.say(Severity::Warning, table.span.clone(), "schedule-too-long", message, None);
    }
    Some(RetryPolicy { schedule, jitter: jitter?, max_age, on: on?, never: never? })
}

/// Kinds of failure and statuses: `"rate"`, `"409"`, `409`, `"500-599"`, `"5xx"`.
fn rules(value: &Value<'_>) -> Option<Vec<RetryMatch>> {
    let rules: Vec<Option<RetryMatch>> = value.list(MOST_RULES, &value.name)?.iter().map(rule).collect();
    rules.into_iter().collect()
}

fn rule(value: &Value<'_>) -> Option<RetryMatch> {
    let rule = match value.as_whole_number() {
        Some(number) => u16::try_from(number).ok().and_then(|status| statuses(&status.to_string())),
        None => {
            let text = value.text()?.text;
            FailureKind::parse(text).map(RetryMatch::Kind).or_else(|| statuses(text))
        }
    };
    if rule.is_none() {
        let kinds = || FailureKind::ALL.map(FailureKind::as_str);
        let suggestion = value.is_text().then(|| nearest(value.text()?.text, kinds())).flatten();
        let message = format!(
            "{} is neither a kind of failure ({}) nor a status from 100 to 599, as in \"409\", \"500-599\" or \"5xx\"",
            value.name,
            list(kinds())
        );
        value.report.say(Severity::Error, value.span.clone(), "wrong-retry-rule", message, suggestion);
    }
    rule
}

fn statuses(text: &str) -> Option<RetryMatch> {
    let status = |text: &str| -> Option<u16> {
        let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|status| digits && (100..=599).contains(status))
    };
    let (from, to) = if let Some(hundred) = text.strip_suffix("xx") {
        (status(&format!("{hundred}00"))?, status(&format!("{hundred}99"))?)
    } else if let Some((from, to)) = text.split_once('-') {
        (status(from.trim())?, status(to.trim())?)
    } else {
        (status(text)?, status(text)?)
    };
    (from <= to).then_some(RetryMatch::Status { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_alone_as_a_range_and_as_a_hundred() {
        assert_eq!(statuses("409"), Some(RetryMatch::Status { from: 409, to: 409 }));
        assert_eq!(statuses("500-599"), Some(RetryMatch::Status { from: 500, to: 599 }));
        assert_eq!(statuses("5xx"), Some(RetryMatch::Status { from: 500, to: 599 }));
        for wrong in ["", "99", "600", "599-500", "xx", "6xx", "4x", "+409", "-409", "409-", "0409"] {
            assert_eq!(statuses(wrong), None, "{wrong}");
        }
    }
}
