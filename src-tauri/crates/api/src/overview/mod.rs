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
use signalbox_store::lane::Lane;
use signalbox_store::read::ClosedGates;
use signalbox_store::{LaneId, StoreError};

use crate::dto::overview::{
    DeadFigure, DeliveredFigure, FailingFigure, IntegrationState, Overview, Process, QueueFigure, Rates,
};
use crate::dto::words::{duration_ms, one_decimal, share};
use crate::problem::Problem;

pub(crate) async fn assemble(runtime: &Runtime, window: Duration) -> Result<Overview, Problem> {
    let signals = runtime.signals().overview(window).await?;
    let (store, gates) = (runtime.store(), runtime.closed_gates());
    let (dead, ledger, replays) =
        tokio::join!(store.dead_figures(signals.from), store.size_on_disk(), behind_a_reserve(runtime, &gates));
    let (dead, ledger_bytes, replays) = (dead?, ledger?, replays?);
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
            held_by: held_by(&signals, &gates, replays),
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

/// Deliveries that only the reserve of a quota holds: of replays, and not the live ones of the same lanes. No signal tells
/// the two apart, so that the ledger is asked; most of the time there is nothing to ask for.
async fn behind_a_reserve(runtime: &Runtime, gates: &ClosedGates) -> Result<u64, StoreError> {
    if gates.to_replays.is_empty() {
        return Ok(0);
    }
    runtime.store().replays_waiting(gates.to_replays.clone()).await
}

/// Behind an earlier one of the key, behind a closed gate, or behind a gate that is closed to `replays` alone.
fn held_by(signals: &Signals, gates: &ClosedGates, replays: u64) -> BTreeMap<String, u64> {
    let mut held = BTreeMap::new();
    if replays > 0 {
        held.insert(HeldReason::Quota.as_str().to_owned(), replays);
    }
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
