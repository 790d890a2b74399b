//! One sentence that says what a delivery waits for, or why it ended.

use signalbox_model::{DeliveryState, HeldReason, Timestamp};
use signalbox_store::read::DeliveryRow;

use crate::dispatch::gate::Verdict;
use crate::dispatch::lane::LaneRuntime;

/// What the row reads as: a `queued` or `retrying` row behind a closed gate is `held`.
pub fn shown_state(row: &DeliveryRow, verdict: &Verdict) -> (DeliveryState, Option<HeldReason>) {
    match (row.state, verdict) {
        (DeliveryState::Queued | DeliveryState::Retrying, Verdict::Closed(closed)) => {
            (DeliveryState::Held, Some(closed.reason))
        }
        (state, _) => (state, row.reason),
    }
}

pub fn explain(row: &DeliveryRow, lane: Option<&LaneRuntime>, now: Timestamp) -> String {
    let system = lane.map_or_else(|| row.system.clone(), |lane| lane.titles().0);
    let verdict = lane.map(|lane| lane.verdict(now));
    if let (DeliveryState::Queued | DeliveryState::Retrying, Some(Verdict::Closed(closed))) = (row.state, &verdict) {
        return closed.explain.clone();
    }
    let message = row.message.as_deref().unwrap_or("no reason was recorded");
    let tries = row.attempts;
    match row.state {
        DeliveryState::Queued if row.revision == 0 => "Its steps have not run yet.".into(),
        DeliveryState::Queued => format!("Ready to go to {system} as soon as a place is free."),
        DeliveryState::Sending => format!("Attempt {tries} is on its way to {system}."),
        DeliveryState::Retrying => {
            let wait = row.due_at.map(|due| due.since(now)).unwrap_or_default();
            format!("{message}. The next attempt is due in {}.", span(wait))
        }
        DeliveryState::Held => {
            let key = row.key.as_deref().unwrap_or_default();
            format!("Waits behind an earlier delivery of the key {key}, so that their order is kept.")
        }
        DeliveryState::Delivered => format!("{system} confirmed it on attempt {tries}."),
        DeliveryState::Dead if tries == 0 => format!("It stopped before any request was sent: {message}."),
        DeliveryState::Dead => {
            let times = if tries == 1 { "once".into() } else { format!("{tries} times") };
            format!("{message}. It was tried {times} and then stopped; replay it when the cause is mended.")
        }
        DeliveryState::Discarded => "Somebody decided that it is not to be sent.".into(),
        DeliveryState::Filtered => format!("{message}. Nothing was sent."),
        DeliveryState::Collected => "It went into an aggregate.".into(),
        DeliveryState::Superseded => {
            "Something newer of the same key was delivered; sending it would undo that.".into()
        }
    }
}

fn span(wait: std::time::Duration) -> String {
    match wait.as_secs() {
        0 => "less than a second".into(),
        seconds @ 1..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} m", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}
