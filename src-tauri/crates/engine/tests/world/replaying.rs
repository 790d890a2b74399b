//! Replays as the tests ask for them.

use std::time::Duration;

use signalbox_engine::view::{ReplayRequest, ReplayTarget};
use signalbox_model::ReplayId;
use signalbox_model::filter::Filter;
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_store::read::Selection;
use signalbox_store::replay::ReplayRow;

use super::World;

/// All dead letters.
pub fn dead(world: &World) -> ReplayTarget {
    ReplayTarget::Selection(Selection::Filter {
        filter: Filter::parse("state:dead").expect("a filter"),
        now: world.runtime.clock().now(),
        gates: world.runtime.closed_gates(),
    })
}

/// The same bytes again, as fast as may be.
pub fn exact(target: ReplayTarget) -> ReplayRequest {
    ReplayRequest {
        target,
        mode: ReplayMode::Exact,
        rate: Some(1_000.0),
        canary: false,
        newer: NewerPolicy::Skip,
        reason: None,
        edit: None,
        patch: None,
    }
}

/// The job, once it has ended.
pub async fn ended(world: &World, id: ReplayId) -> ReplayRow {
    let mut cursor = None;
    for _ in 0..200 {
        let row = world.runtime.replay(id).await.expect("the ledger answers").expect("the replay is there");
        if matches!(row.state, ReplayState::Done | ReplayState::Stopped | ReplayState::Cancelled) {
            return row;
        }
        cursor = Some(world.runtime.signals().live(cursor.as_deref(), Duration::from_millis(100)).await.cursor);
    }
    panic!("the replay never ended");
}
