//! What a commit changed, told after it, in commit order.

use signalbox_model::{DeliveryState, FailureKind, ReplayId, Timestamp};

use crate::LaneId;

/// Called by the writer after each commit, on its own task: must not block.
pub trait Observer: Send + Sync + 'static {
    fn committed(&self, changes: &[Change]);
}

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    EventAccepted {
        integration: std::sync::Arc<str>,
        at: Timestamp,
    },
    EventDuplicate {
        integration: std::sync::Arc<str>,
        at: Timestamp,
    },
    /// A delivery came into being, in this state.
    Created {
        lane: LaneId,
        state: DeliveryState,
        at: Timestamp,
    },
    /// An existing delivery went from one state to another.
    Moved {
        lane: LaneId,
        from: DeliveryState,
        to: DeliveryState,
        at: Timestamp,
        latency_us: Option<u64>,
    },
    /// An attempt ended; `kind` None: confirmed. `total_us` is the attempt's own time.
    AttemptEnded {
        lane: LaneId,
        kind: Option<FailureKind>,
        status: Option<u16>,
        total_us: u64,
        at: Timestamp,
    },
    Rejected {
        at: Timestamp,
    },
    /// A refused request has its diagnosis now.
    Diagnosed,
    ReplayMoved {
        replay: ReplayId,
    },
    StaleCompletion {
        lane: LaneId,
    },
}

/// For tools and tests that do not watch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn committed(&self, _changes: &[Change]) {}
}
