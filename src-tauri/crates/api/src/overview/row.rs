//! The row of an integration.

use signalbox_engine::Runtime;
use signalbox_engine::signals::{LaneWindow, Overview as Signals};
use signalbox_engine::view::{GateState, GateView};

use super::state::{Figures, state};
use super::{lanes_of, series};
use crate::dto::overview::IntegrationRow;
use crate::dto::words::share;

/// All integrations of the workspace, those that do not run too, worst first.
pub(crate) fn all(runtime: &Runtime, signals: &Signals) -> Vec<IntegrationRow> {
    let workspace = runtime.workspace();
    let gates = runtime.gates();
    let running = workspace.integrations.values().map(|integration| {
        let destinations = integration.destinations.iter().map(|destination| destination.name.clone()).collect();
        let source = integration.source.kind().to_owned();
        (integration.name.as_str(), integration.title.clone(), source, destinations, true)
    });
    // A file with errors says nothing that could be shown but its name.
    let broken = workspace.broken.keys().map(|name| (name.as_str(), name.clone(), String::new(), Vec::new(), false));
    let mut rows: Vec<_> = running
        .chain(broken)
        .map(|(name, title, source, destinations, runs)| {
            let windows = lanes_of(runtime, &signals.lanes, |lane| lane.integration == name);
            let paused = is_paused(name, &gates);
            let sums = Sums::over(&windows);
            let state = state(&Figures {
                runs,
                paused,
                bucket: signals.bucket,
                accepted: &sums.accepted,
                delivered: &sums.delivered,
                dead: &sums.died,
                failed: &sums.failed,
                p95_ms: &sums.p95_ms,
                queue: sums.queue,
            });
            let ended = sums.delivered_count.saturating_add(sums.dead_count);
            IntegrationRow {
                name: name.to_owned(),
                title,
                source,
                destinations,
                state,
                delivered: sums.delivered_count,
                ended,
                rate: share(sums.delivered_count, ended),
                p95_ms: sums.slowest_p95,
                queue: sums.queue,
                dead: sums.dead_now,
                accepted: sums.accepted,
                failed: sums.failed,
            }
        })
        .collect();
    rows.sort_by(|a, b| (a.state, b.dead, b.queue, &a.name).cmp(&(b.state, a.dead, a.queue, &b.name)));
    rows
}

/// Every gate of the integration was closed by a person.
fn is_paused(name: &str, gates: &[GateView]) -> bool {
    let mut own = gates.iter().filter(|gate| gate.integration == name).peekable();
    own.peek().is_some() && own.all(|gate| gate.state == GateState::Paused)
}

/// The lanes of one integration taken together.
#[derive(Default)]
struct Sums {
    delivered_count: u64,
    dead_count: u64,
    dead_now: u64,
    queue: u64,
    /// Percentiles do not add up: the slowest destination's.
    slowest_p95: Option<f64>,
    accepted: Vec<u64>,
    delivered: Vec<u64>,
    died: Vec<u64>,
    failed: Vec<u64>,
    p95_ms: Vec<Option<f64>>,
}

impl Sums {
    fn over(windows: &[&LaneWindow]) -> Self {
        let mut sums = Self::default();
        for window in windows {
            let points = &window.points;
            sums.delivered_count = sums.delivered_count.saturating_add(window.delivered);
            sums.dead_count = sums.dead_count.saturating_add(window.dead);
            sums.dead_now = sums.dead_now.saturating_add(window.dead_now);
            sums.queue = sums.queue.saturating_add(window.queue.depth);
            let p95 = series::percentiles(window.latency.as_ref()).p95;
            sums.slowest_p95 = larger(sums.slowest_p95, p95);
            // Each event is one delivery of every destination: the busiest one's count is that of the events.
            most(&mut sums.accepted, &points.accepted);
            add(&mut sums.delivered, &points.delivered);
            add(&mut sums.died, &points.dead);
            for kind in &points.failures {
                add(&mut sums.failed, kind);
            }
            merge(&mut sums.p95_ms, &points.p95_ms, |slot, value| *slot = larger(*slot, *value));
        }
        sums
    }
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

fn add(into: &mut Vec<u64>, values: &[u64]) {
    merge(into, values, |slot, value| *slot = slot.saturating_add(*value));
}

fn most(into: &mut Vec<u64>, values: &[u64]) {
    merge(into, values, |slot, value| *slot = (*slot).max(*value));
}

fn merge<T: Clone + Default>(into: &mut Vec<T>, values: &[T], with: impl Fn(&mut T, &T)) {
    if into.len() < values.len() {
        into.resize(values.len(), T::default());
    }
    for (slot, value) in into.iter_mut().zip(values) {
        with(slot, value);
    }
}
