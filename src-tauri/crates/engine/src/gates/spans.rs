//! Over which times the gates before a system were closed, for whoever looks back.

use std::collections::{BTreeMap, BTreeSet};

use signalbox_model::{HeldReason, Timestamp};
use signalbox_store::lane::GateScope;

/// A time over which something that goes to a system had to wait, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedSpan {
    pub reason: HeldReason,
    pub since: Timestamp,
    /// May be in the future: what the system asked for. `None`: until something or somebody opens it.
    pub until: Option<Timestamp>,
}

/// Spans of several lanes and scopes over each other become one: the oldest first, none before `from`.
pub fn merged(mut spans: Vec<ClosedSpan>, from: Timestamp) -> Vec<ClosedSpan> {
    spans.sort_by_key(|span| span.since);
    let mut merged: Vec<ClosedSpan> = Vec::new();
    for span in spans {
        let span = ClosedSpan { since: span.since.max(from), ..span };
        let last = merged.iter_mut().rfind(|last| last.reason == span.reason);
        match last.filter(|last| last.until.is_none_or(|until| until >= span.since)) {
            Some(last) => last.until = last.until.zip(span.until).map(|(one, other)| one.max(other)),
            None => merged.push(span),
        }
    }
    merged
}

/// The systems that a gate stands before. `lanes`: integration, destination, system.
pub fn before(scope: GateScope, name: &str, lanes: &[(String, String, String)]) -> BTreeSet<String> {
    let of = |behind: &dyn Fn(&str, &str) -> bool| {
        lanes.iter().filter(|(of, to, _)| behind(of, to)).map(|(_, _, system)| system.clone()).collect()
    };
    match scope {
        GateScope::System => BTreeSet::from([name.to_owned()]),
        GateScope::Integration => of(&|integration, _| integration == name),
        GateScope::Lane => {
            let lane = name.split_once('/').unwrap_or_default();
            of(&|integration, destination| lane == (integration, destination))
        }
    }
}

/// Spans by the system they stand before.
pub type BySystem = BTreeMap<String, Vec<ClosedSpan>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn span(reason: HeldReason, since: i64, until: Option<i64>) -> ClosedSpan {
        let at = |secs: i64| Timestamp::from_micros(secs * 1_000_000);
        ClosedSpan { reason, since: at(since), until: until.map(at) }
    }

    #[test]
    fn spans_of_one_reason_that_touch_are_one_and_those_of_others_stay() {
        use HeldReason::{Breaker, Rate};
        let from = Timestamp::from_micros(100_000_000);
        let spans = vec![
            span(Rate, 50, Some(120)),
            span(Breaker, 110, Some(115)),
            span(Rate, 115, Some(118)),
            span(Rate, 120, Some(130)),
            span(Rate, 140, Some(150)),
            span(Breaker, 160, None),
            span(Breaker, 170, Some(180)),
        ];
        let expected = [
            span(Rate, 100, Some(130)),
            span(Breaker, 110, Some(115)),
            span(Rate, 140, Some(150)),
            span(Breaker, 160, None),
        ];
        assert_eq!(merged(spans, from), expected);
    }
}
