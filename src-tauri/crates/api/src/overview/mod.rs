//! Puts the overview together from the signals, the ledger and the workspace. It computes no figure that the signals have.

mod activity;
mod series;
mod state;

pub(crate) mod row;

use std::collections::BTreeMap;
use std::time::Duration;

use signalbox_engine::Runtime;
use signalbox_engine::signals::{LaneWindow, Overview as Signals};
use signalbox_model::{FailureKind, HeldReason};
use signalbox_store::LaneId;
use signalbox_store::lane::Lane;
use signalbox_store::read::ClosedGates;

use crate::dto::overview::{
    DeadFigure, DeliveredFigure, FailingFigure, IntegrationState, Overview, Process, QueueFigure, Rates,
};
use crate::dto::words::{duration_ms, one_decimal, share};
use crate::problem::Problem;

pub(crate) async fn assemble(runtime: &Runtime, window: Duration) -> Result<Overview, Problem> {
    let signals = runtime.signals().overview(window).await?;
    let (dead, ledger) = tokio::join!(runtime.store().dead_figures(signals.from), runtime.store().size_on_disk());
    let (dead, ledger_bytes) = (dead?, ledger?);
    let rows = row::all(runtime, &signals);
    let failing = |state| matches!(state, IntegrationState::Failing | IntegrationState::Broken);
    let process = runtime.signals().process();
    let total = &signals.total;
    let ended = total.delivered.saturating_add(total.dead);
    Ok(Overview {
        at: signals.at.into(),
        from: signals.from.into(),
        to: signals.to.into(),
        bucket_seconds: signals.bucket.as_secs(),
        delivered: DeliveredFigure {
            count: total.delivered,
            ended,
            rate: share(total.delivered, ended),
            previous_rate: share(signals.previous_delivered, signals.previous_ended),
        },
        failing: FailingFigure {
            integrations: rows.iter().filter(|row| failing(row.state)).count() as u64,
            of: rows.len() as u64,
            attempts: total.failures.iter().sum(),
            top_kind: top_kind(total).map(Into::into),
            top_status: total.top_status,
        },
        queue: QueueFigure {
            depth: total.queue.depth,
            oldest_age_ms: total.queue.oldest_age.map(duration_ms),
            held_by: held_by(&signals, &runtime.closed_gates()),
        },
        dead_letters: DeadFigure { count: dead.count, groups: dead.groups, new_in_window: dead.new_since },
        last_failure_at: total.last_failure_at.map(Into::into),
        series: series::series(&total.points, signals.bucket),
        latency_ms: series::percentiles(total.latency.as_ref()),
        integrations: rows,
        activity: activity::newest(runtime).await?,
        rates: rates(runtime),
        process: Process {
            cpu_percent: one_decimal(process.cpu_percent),
            rss_bytes: process.rss_bytes,
            uptime_ms: duration_ms(process.uptime),
            ledger_bytes,
        },
        ledger: crate::view::ledger::state(runtime.store().as_ref()),
    })
}

pub(crate) fn rates(runtime: &Runtime) -> Rates {
    let rates = runtime.signals().rates();
    Rates { in_per_s: one_decimal(rates.in_per_s), out_per_s: one_decimal(rates.out_per_s) }
}

/// Which lanes belong to an integration, removed destinations among them while they hold something.
pub(crate) fn lanes_of<'a>(
    runtime: &Runtime,
    lanes: &'a BTreeMap<LaneId, LaneWindow>,
    belongs: impl Fn(&Lane) -> bool,
) -> Vec<&'a LaneWindow> {
    lanes
        .iter()
        .filter(|(id, _)| runtime.lane(**id).is_some_and(|lane| belongs(&lane)))
        .map(|(_, window)| window)
        .collect()
}

fn top_kind(window: &LaneWindow) -> Option<FailureKind> {
    let counted = FailureKind::ALL.into_iter().zip(window.failures);
    // The first of equals, in the order in which charts stack them.
    counted.rev().filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count).map(|(kind, _)| kind)
}

/// Behind an earlier one of the key, or behind a closed gate.
fn held_by(signals: &Signals, gates: &ClosedGates) -> BTreeMap<String, u64> {
    let mut held = BTreeMap::new();
    for (lane, window) in &signals.lanes {
        let queue = &window.queue;
        let gated = gates.lanes.get(lane).map(|reason| (*reason, queue.queued.saturating_add(queue.retrying)));
        for (reason, count) in [(HeldReason::Order, queue.held)].into_iter().chain(gated) {
            if count > 0 {
                *held.entry(reason.as_str().to_owned()).or_insert(0) += count;
            }
        }
    }
    held
}
