use std::sync::Arc;
use std::time::Duration;

use signalbox_model::{Clock, DeliveryState, FailureKind, Timestamp};
use signalbox_store::LaneId;
use signalbox_store::observe::{Change, Observer};

use super::Signals;

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_015);
const LANE: LaneId = LaneId(1);

fn signals() -> Arc<Signals> {
    Signals::new(Arc::new(At(NOW)), 1)
}

fn deliver(signals: &Signals, latency_us: u64) {
    signals.committed(&[
        Change::Created { lane: LANE, state: DeliveryState::Sending, at: NOW },
        Change::AttemptEnded { lane: LANE, kind: None, status: Some(200), total_us: latency_us, at: NOW },
        Change::Moved {
            lane: LANE,
            from: DeliveryState::Sending,
            to: DeliveryState::Delivered,
            at: NOW,
            latency_us: Some(latency_us),
        },
    ]);
}

#[tokio::test]
async fn the_overview_equals_what_the_commits_said() {
    let signals = signals();
    for latency in [1_000, 2_000, 3_000, 400_000] {
        deliver(&signals, latency);
    }
    signals.committed(&[
        Change::Created { lane: LANE, state: DeliveryState::Sending, at: NOW },
        Change::AttemptEnded { lane: LANE, kind: Some(FailureKind::Rate), status: Some(429), total_us: 9, at: NOW },
        Change::Moved { lane: LANE, from: DeliveryState::Sending, to: DeliveryState::Dead, at: NOW, latency_us: None },
    ]);
    let overview = signals.overview(Duration::from_secs(3_600)).await.expect("figures in memory");
    let total = &overview.total;
    assert_eq!((total.accepted, total.attempts, total.delivered, total.dead), (5, 5, 4, 1));
    assert_eq!(total.failures[FailureKind::Rate.index()], 1);
    assert_eq!(total.failures.iter().sum::<u64>(), 1);
    assert_eq!((total.queue.depth, total.dead_now), (0, 1));
    let latency = total.latency.expect("four latencies");
    assert!((latency.p50_ms - 2.0).abs() < 0.1, "{latency:?}");
    assert!((latency.p99_ms - 400.0).abs() < 5.0, "{latency:?}");
    assert_eq!(total.points.delivered.iter().sum::<u64>(), 4);
    assert_eq!(overview.lanes[&LANE].delivered, 4);
}

#[tokio::test]
async fn a_row_that_waits_is_in_the_queue_until_it_ends() {
    let signals = signals();
    signals.committed(&[Change::Created { lane: LANE, state: DeliveryState::Held, at: NOW }]);
    assert_eq!((signals.queue().depth, signals.queue().held), (1, 1));
    let moved = |from, to| Change::Moved { lane: LANE, from, to, at: NOW, latency_us: None };
    signals.committed(&[moved(DeliveryState::Held, DeliveryState::Queued)]);
    assert_eq!((signals.queue().held, signals.queue().queued), (0, 1));
    signals.committed(&[moved(DeliveryState::Queued, DeliveryState::Discarded)]);
    assert_eq!(signals.queue().depth, 0);
}
