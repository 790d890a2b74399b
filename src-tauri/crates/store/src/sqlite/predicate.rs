//! Filter → SQL: what each term says about a row. Words and lane numbers are written out, since they are the
//! program's own; everything that a person typed is bound.

use std::fmt::Write;

use signalbox_model::filter::{Bound, Filter, Pattern, StatusRange, Term, Test};
use signalbox_model::{DeliveryState, HeldReason, Timestamp};

use super::fault::Outcome;
use super::sql::Args;
use crate::read::ClosedGates;
use crate::{Lane, LaneId};

/// What a filter is read against.
pub(super) struct Scope<'a> {
    pub lanes: &'a [Lane],
    pub gates: &'a ClosedGates,
    pub now: Timestamp,
}

/// Text with numbered places, so that one text can stand in several parts of a statement.
#[derive(Default)]
pub(super) struct Binder {
    pub args: Args,
    count: usize,
}

impl Binder {
    pub fn bind(&mut self, add: impl FnOnce(&mut Args)) -> String {
        add(&mut self.args);
        self.count += 1;
        format!("?{}", self.count)
    }

    pub fn done(self) -> Outcome<sqlx::sqlite::SqliteArguments> {
        self.args.done()
    }
}

/// All terms but `without`; empty: every row.
pub(super) fn all(filter: &Filter, without: Option<usize>, scope: &Scope<'_>, binder: &mut Binder) -> String {
    let terms = filter.terms.iter().enumerate().filter(|(at, _)| Some(*at) != without);
    let parts: Vec<String> = terms.map(|(_, one)| term(one, scope, binder)).collect();
    parts.join(" AND ")
}

fn term(term: &Term, scope: &Scope<'_>, binder: &mut Binder) -> String {
    let positive = test(&term.test, scope, binder);
    // What is not known (a kind that is NULL) is not so.
    if term.negated { format!("NOT ifnull(({positive}), 0)") } else { format!("({positive})") }
}

fn test(test: &Test, scope: &Scope<'_>, binder: &mut Binder) -> String {
    match test {
        Test::State(states) => any(states, |state| self::state(*state, scope.gates)),
        Test::Reason(reasons) => any(reasons, |reason| self::reason(*reason, scope.gates)),
        Test::Integration(names) => lanes(scope, |lane| names.contains(&lane.integration)),
        Test::Destination(names) => lanes(scope, |lane| names.contains(&lane.destination)),
        Test::System(names) => lanes(scope, |lane| names.contains(&lane.system)),
        Test::Kind(kinds) => any(kinds, |kind| format!("delivery.kind = '{}'", kind.as_str())),
        Test::Stage(stages) => any(stages, |stage| format!("delivery.stage = '{}'", stage.as_str())),
        Test::Http(ranges) => {
            any(ranges, |StatusRange { from, to }| format!("delivery.status BETWEEN {from} AND {to}"))
        }
        Test::Group(ids) => any(ids, |id| {
            format!("delivery.state = 'dead' AND delivery.grp = {}", binder.bind(|args| ignore(args.id(*id))))
        }),
        Test::Event(ids) => any(ids, |id| format!("delivery.event = {}", binder.bind(|args| ignore(args.id(*id))))),
        Test::Id(ids) => any(ids, |id| format!("delivery.id = {}", binder.bind(|args| ignore(args.id(*id))))),
        Test::Key(patterns) => any(patterns, |pattern| matches("delivery.key", pattern, binder)),
        Test::Type(patterns) => any(patterns, |pattern| matches("delivery.event_type", pattern, binder)),
        Test::Since(moment) => format!("delivery.accepted_at >= {}", moment.resolve(scope.now).as_micros()),
        Test::Until(moment) => format!("delivery.accepted_at < {}", moment.resolve(scope.now).as_micros()),
        Test::Latency(bounds) => any(bounds, |bound| {
            let micros = i64::try_from(bound.value().as_micros()).unwrap_or(i64::MAX);
            format!("delivery.latency_us {} {micros}", comparison(bound))
        }),
        Test::Attempts(bounds) => {
            any(bounds, |bound| format!("delivery.attempts {} {}", comparison(bound), bound.value()))
        }
        Test::Body { path, values } => body(path, values, binder),
    }
}

/// Lets a chained call stand where nothing is expected.
fn ignore<T>(_: T) {}

fn any<T>(values: &[T], sql: impl FnMut(&T) -> String) -> String {
    let parts: Vec<String> = values.iter().map(sql).map(|part| format!("({part})")).collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join(" OR ") }
}

pub(super) fn state(state: DeliveryState, gates: &ClosedGates) -> String {
    let word = state.as_str();
    match state {
        // Behind a closed gate a waiting row reads as held.
        DeliveryState::Queued | DeliveryState::Retrying => {
            format!("delivery.state = '{word}' AND NOT ({})", behind(gates, |_| true))
        }
        DeliveryState::Held => format!(
            "delivery.state = 'held' OR delivery.state IN ('queued', 'retrying') AND ({})",
            behind(gates, |_| true)
        ),
        _ => format!("delivery.state = '{word}'"),
    }
}

fn reason(reason: HeldReason, gates: &ClosedGates) -> String {
    if reason == HeldReason::Order {
        return "delivery.state = 'held'".to_owned();
    }
    format!("delivery.state IN ('queued', 'retrying') AND ({})", behind(gates, |found| found == reason))
}

/// Rows behind a closed gate whose reason is wanted.
fn behind(gates: &ClosedGates, wanted: impl Fn(HeldReason) -> bool) -> String {
    let closed = list(gates.lanes.iter().filter(|(_, found)| wanted(**found)).map(|(lane, _)| *lane));
    if !wanted(HeldReason::Quota) || gates.to_replays.is_empty() {
        return format!("delivery.lane IN ({closed})");
    }
    let to_replays = list(gates.to_replays.iter().copied());
    format!("delivery.lane IN ({closed}) OR delivery.replay IS NOT NULL AND delivery.lane IN ({to_replays})")
}

fn lanes(scope: &Scope<'_>, wanted: impl Fn(&Lane) -> bool) -> String {
    let ids = scope.lanes.iter().filter(|lane| wanted(lane)).map(|lane| lane.id);
    format!("delivery.lane IN ({})", list(ids))
}

fn list(lanes: impl Iterator<Item = LaneId>) -> String {
    let mut text = String::new();
    for lane in lanes {
        let comma = if text.is_empty() { "" } else { "," };
        let _infallible = write!(text, "{comma}{}", lane.0);
    }
    text
}

const fn comparison<T>(bound: &Bound<T>) -> &'static str {
    match bound {
        Bound::Equal(_) => "=",
        other => other.sign(),
    }
}

fn matches(column: &str, pattern: &Pattern, binder: &mut Binder) -> String {
    match pattern.as_exact() {
        Some(text) => format!("{column} = {}", binder.bind(|args| ignore(args.text(text)))),
        None => format!("{column} GLOB {}", binder.bind(|args| ignore(args.owned(glob(pattern))))),
    }
}

/// SQLite's GLOB knows `*`, `?` and `[…]`; only our star means more than itself.
fn glob(pattern: &Pattern) -> String {
    let escape = |piece: &String| piece.replace('[', "[[]").replace('?', "[?]").replace('*', "[*]");
    pattern.pieces().iter().map(escape).collect::<Vec<String>>().join("*")
}

fn body(path: &[String], values: &[Pattern], binder: &mut Binder) -> String {
    let mut found = Vec::new();
    for path in json_paths(path) {
        let path = binder.bind(|args| ignore(args.owned(path)));
        // Text without its quotes; anything else as it is written, so that numbers keep their digits.
        let value = format!("iif(json_type(j.text, {path}) = 'text', j.text ->> {path}, j.text -> {path})");
        found.extend(values.iter().map(|pattern| matches(&value, pattern, binder)));
    }
    format!(
        "EXISTS (SELECT 1 FROM (SELECT CAST(b.body AS TEXT) AS text FROM event e JOIN event_body b ON b.seq = e.seq
         WHERE e.id = delivery.event) j WHERE iif(json_valid(j.text), {}, 0))",
        found.join(" OR ")
    )
}

/// A part that is a number may be a name or a place in an array.
fn json_paths(path: &[String]) -> Vec<String> {
    let number = |part: &String| part.len() <= 9 && part.bytes().all(|byte| byte.is_ascii_digit());
    let names: String = path.iter().map(|part| format!(".\"{part}\"")).collect();
    let mut paths = vec![format!("${names}")];
    if path.iter().any(number) {
        let places = path.iter().map(|part| if number(part) { format!("[{part}]") } else { format!(".\"{part}\"") });
        paths.push(format!("${}", places.collect::<String>()));
    }
    paths
}
