//! What happened lately, from facts that the ledger keeps: nothing is remembered here.

use signalbox_engine::Runtime;
use signalbox_engine::view::{GateState, GateView};
use signalbox_model::filter::Filter;
use signalbox_model::replay::ReplayState;
use signalbox_store::read::GroupRow;
use signalbox_store::replay::ReplayRow;

use crate::dto::overview::Activity;
use crate::problem::Problem;

/// Lines of the list.
const LINES: usize = 20;

pub(super) async fn newest(runtime: &Runtime) -> Result<Vec<Activity>, Problem> {
    let store = runtime.store();
    let (everything, gates) = (Filter::default(), runtime.closed_gates());
    let (groups, replays) =
        tokio::join!(store.groups(&everything, runtime.clock().now(), &gates), store.replays(false, LINES as u32));
    let mut lines: Vec<Activity> = groups?.iter().map(|group| died(runtime, group)).collect();
    lines.extend(replays?.iter().filter_map(replayed));
    lines.extend(runtime.gates().iter().filter_map(closed));
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    lines.truncate(LINES);
    Ok(lines)
}

fn died(runtime: &Runtime, group: &GroupRow) -> Activity {
    let to = runtime.lane(group.lane).map_or_else(String::new, |lane| format!(" to {}", lane.destination));
    let text = match group.count {
        1 => format!("A delivery{to} died: {}", group.message),
        count => format!("{count} deliveries{to} died: {}", group.message),
    };
    Activity { at: group.last_at.into(), kind: "dead".to_owned(), text, filter: Some(format!("group:{}", group.id)) }
}

fn replayed(row: &ReplayRow) -> Option<Activity> {
    let of = format!("{} of {}", row.delivered, row.total);
    let (at, text) = match row.state {
        ReplayState::Planned => return None,
        ReplayState::Running => (row.started_at?, format!("A replay of {} deliveries runs", row.total)),
        ReplayState::Paused => (row.started_at?, format!("A replay is paused: {of} delivered")),
        ReplayState::Done => (row.ended_at?, format!("A replay is done: {of} delivered")),
        ReplayState::Cancelled => (row.ended_at?, format!("A replay was cancelled: {of} delivered")),
        ReplayState::Stopped => {
            let because = row.stopped_because.as_deref().unwrap_or("its canary failed");
            (row.ended_at?, format!("A replay stopped: {because}"))
        }
    };
    Some(Activity { at: at.into(), kind: "replay".to_owned(), text, filter: None })
}

fn closed(gate: &GateView) -> Option<Activity> {
    let kind = match gate.state {
        GateState::Clear => return None,
        GateState::Closed => "gate",
        GateState::Paused => "pause",
    };
    let filter = format!("integration:{} destination:{}", gate.integration, gate.destination);
    Some(Activity { at: gate.since?.into(), kind: kind.to_owned(), text: gate.explain.clone(), filter: Some(filter) })
}
