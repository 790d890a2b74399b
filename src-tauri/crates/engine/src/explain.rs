//! One sentence that says what a delivery waits for, or why it ended; with the facts, and with what a person can do.

use std::sync::atomic::Ordering;

use signalbox_model::{DeliveryState, HeldReason, Timestamp};
use signalbox_store::read::{Ahead, DeliveryRow, Head};

use crate::dispatch::gate::{Closed, Verdict};
use crate::dispatch::lane::LaneRuntime;
use crate::gates::words::span;
use crate::view::WaitsFor;

/// The gate that holds the row up: its lane's, its system's, or a quota that only replays wait for.
pub fn holds(row: &DeliveryRow, lane: &LaneRuntime, now: Timestamp) -> Option<Closed> {
    if !matches!(row.state, DeliveryState::Queued | DeliveryState::Retrying) {
        return None;
    }
    if let Verdict::Closed(closed) = lane.verdict(now) {
        return Some(closed);
    }
    row.replay.and_then(|_| lane.replays_wait(now))
}

/// What the row reads as: a `queued` or `retrying` row behind a closed gate is `held`.
pub fn shown_state(row: &DeliveryRow, holds: Option<&Closed>) -> (DeliveryState, Option<HeldReason>) {
    match holds {
        Some(closed) => (DeliveryState::Held, Some(closed.reason)),
        None => (row.state, row.reason),
    }
}

/// When it is due: not before its gate opens, where that is known.
pub fn shown_due(row: &DeliveryRow, holds: Option<&Closed>) -> Option<Timestamp> {
    let gate = holds.and_then(|closed| closed.until);
    row.due_at.map(|due| gate.map_or(due, |gate| due.max(gate)))
}

/// What it waits for, as data; `None` for what waits for nothing but its time, and for what has ended.
pub fn waits_for(
    row: &DeliveryRow,
    lane: Option<&LaneRuntime>,
    ahead: Option<&Ahead>,
    now: Timestamp,
) -> Option<WaitsFor> {
    if row.state == DeliveryState::Held {
        let until = ahead.and_then(|ahead| ahead.head).and_then(|head| head.due_at).filter(|due| *due > now);
        return Some(WaitsFor { reason: HeldReason::Order, until, ahead: ahead.map(|ahead| ahead.of_key) });
    }
    let lane = lane?;
    let of_lane = ahead.map(|ahead| ahead.of_lane);
    if let Some(closed) = holds(row, lane, now) {
        return Some(WaitsFor { reason: closed.reason, until: closed.until, ahead: of_lane });
    }
    let due = row.due_at.is_some_and(|due| due <= now);
    let ready = matches!(row.state, DeliveryState::Queued | DeliveryState::Retrying) && due;
    (ready && limited(lane).is_some()).then_some(WaitsFor { reason: HeldReason::Rate, until: None, ahead: of_lane })
}

pub fn explain(row: &DeliveryRow, lane: Option<&LaneRuntime>, ahead: Option<&Ahead>, now: Timestamp) -> String {
    let system = lane.map_or_else(|| row.system.clone(), |lane| lane.titles().0);
    let before = || before(ahead.map_or(0, |ahead| ahead.of_lane));
    if let Some(closed) = lane.and_then(|lane| holds(row, lane, now)) {
        let until = closed.until.filter(|until| *until > now).map(|until| span(until.since(now)));
        let until = until.map(|wait| format!(" That is in {wait}.")).unwrap_or_default();
        return format!("{}{until}{}", closed.explain, before());
    }
    let message = row.message.as_deref().unwrap_or("no reason was recorded");
    let tries = row.attempts;
    match row.state {
        DeliveryState::Queued if row.revision == 0 => "Its steps have not run yet.".into(),
        DeliveryState::Queued => match lane.and_then(limited) {
            Some(limit) => format!("Waits for its turn: {system} may be sent {limit}.{}", before()),
            None => format!("Ready to go to {system} as soon as a place is free{}.{}", places(lane), before()),
        },
        DeliveryState::Sending => format!("Attempt {tries} is on its way to {system}."),
        DeliveryState::Retrying => match row.due_at.filter(|due| *due > now) {
            Some(due) => format!("{message}. The next attempt is due in {}.", span(due.since(now))),
            None => match lane.and_then(limited) {
                Some(limit) => format!("{message}. The next attempt waits for its turn: {system} may be sent {limit}."),
                None => format!("{message}. The next attempt is due now{}.", places(lane)),
            },
        },
        DeliveryState::Held => order(row, ahead, now),
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

/// "3 earlier deliveries of key 003 come first; the first is retried in 40 s."
fn order(row: &DeliveryRow, ahead: Option<&Ahead>, now: Timestamp) -> String {
    let key = row.key.as_deref().unwrap_or_default();
    let Some(head) = ahead.and_then(|ahead| ahead.head) else {
        return format!("Waits behind an earlier delivery of key {key}, so that their order is kept.");
    };
    let first = first(&head, now);
    match ahead.map_or(1, |ahead| ahead.of_key) {
        0 | 1 => format!("1 earlier delivery of key {key} comes first; it {first}"),
        count => format!("{count} earlier deliveries of key {key} come first; the first {first}"),
    }
}

fn first(head: &Head, now: Timestamp) -> String {
    match (head.state, head.due_at.filter(|due| *due > now)) {
        (DeliveryState::Dead, _) => {
            format!("is a dead letter ({}) that keeps the order: replay or discard it to go on.", head.id)
        }
        (DeliveryState::Sending, _) => "is on its way.".into(),
        (DeliveryState::Retrying, Some(due)) => format!("is retried in {}.", span(due.since(now))),
        (DeliveryState::Retrying, None) => "is retried now, or as soon as its gate opens.".into(),
        _ => "goes as soon as its gate and a place allow.".into(),
    }
}

fn before(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => " 1 other delivery goes before it.".into(),
        10_000.. => " More than 10,000 others go before it.".into(),
        count => format!(" {count} others go before it."),
    }
}

/// The limits that requests wait for now: "10 a second and 4 at a time".
fn limited(lane: &LaneRuntime) -> Option<String> {
    let config = lane.config.load();
    let view = config.as_ref().as_ref()?.gates.limiter()?.view();
    if view.waiting == 0 {
        return None;
    }
    let rate = view.limits.per_second.map(|rate| format!("{rate} a second"));
    let most = view.limits.concurrent.map(|most| format!("{most} at a time"));
    let words: Vec<String> = rate.into_iter().chain(most).collect();
    Some(words.join(" and "))
}

fn places(lane: Option<&LaneRuntime>) -> String {
    let of = lane.and_then(|lane| {
        let now = lane.config.load().as_ref().as_ref()?.places.now();
        let taken = lane.in_flight.load(Ordering::Relaxed);
        (taken >= now).then(|| format!(" ({taken} of {now} places are taken)"))
    });
    of.unwrap_or_default()
}

/// Whether something can stand before it.
pub const fn looks_ahead(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Queued | DeliveryState::Retrying | DeliveryState::Held)
}

#[cfg(test)]
mod tests {
    use signalbox_model::{DeliveryId, EventId, FailureKind};
    use signalbox_store::LaneId;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn row(state: DeliveryState) -> DeliveryRow {
        DeliveryRow {
            id: DeliveryId::from_bits(2),
            event: EventId::from_bits(1),
            lane: LaneId(1),
            integration: "sync".into(),
            destination: "crm".into(),
            system: "crm".into(),
            state,
            reason: (state == DeliveryState::Held).then_some(HeldReason::Order),
            kind: None,
            stage: None,
            status: None,
            message: Some("crm answered 503".into()),
            group: None,
            attempts: 2,
            tries_before: 0,
            revision: 1,
            key: Some("003".into()),
            event_type: None,
            accepted_at: NOW,
            round_started_at: NOW,
            due_at: Some(NOW.plus(std::time::Duration::from_secs(40))),
            ended_at: None,
            latency_us: None,
            sending_since: None,
            conflict_of: None,
            replay: None,
        }
    }

    fn behind(count: u64, state: DeliveryState, due_in: Option<u64>) -> Ahead {
        let due_at = due_in.map(|secs| NOW.plus(std::time::Duration::from_secs(secs)));
        let head = Head { id: DeliveryId::from_bits(1), state, due_at, kind: Some(FailureKind::Server) };
        Ahead { of_key: count, head: Some(head), of_lane: 0 }
    }

    #[test]
    fn each_of_the_ten_states_says_where_the_delivery_stands() {
        let said = |state| explain(&row(state), None, None, NOW);
        let wanted = [
            (DeliveryState::Queued, "Ready to go to crm as soon as a place is free."),
            (DeliveryState::Sending, "Attempt 2 is on its way to crm."),
            (DeliveryState::Retrying, "crm answered 503. The next attempt is due in 40 s."),
            (DeliveryState::Held, "Waits behind an earlier delivery of key 003, so that their order is kept."),
            (DeliveryState::Delivered, "crm confirmed it on attempt 2."),
            (
                DeliveryState::Dead,
                "crm answered 503. It was tried 2 times and then stopped; replay it when the cause is mended.",
            ),
            (DeliveryState::Discarded, "Somebody decided that it is not to be sent."),
            (DeliveryState::Filtered, "crm answered 503. Nothing was sent."),
            (DeliveryState::Collected, "It went into an aggregate."),
            (DeliveryState::Superseded, "Something newer of the same key was delivered; sending it would undo that."),
        ];
        assert_eq!(wanted.len(), DeliveryState::ALL.len());
        for (state, sentence) in wanted {
            assert_eq!(said(state), sentence);
        }
        let unplanned = DeliveryRow { revision: 0, ..row(DeliveryState::Queued) };
        assert_eq!(explain(&unplanned, None, None, NOW), "Its steps have not run yet.");
    }

    #[test]
    fn what_comes_first_of_a_key_is_counted_and_described() {
        let held = row(DeliveryState::Held);
        let said = |ahead: &Ahead| explain(&held, None, Some(ahead), NOW);
        assert_eq!(
            said(&behind(3, DeliveryState::Retrying, Some(40))),
            "3 earlier deliveries of key 003 come first; the first is retried in 40 s."
        );
        assert_eq!(
            said(&behind(1, DeliveryState::Sending, None)),
            "1 earlier delivery of key 003 comes first; it is on its way."
        );
        let parked = said(&behind(1, DeliveryState::Dead, None));
        assert!(parked.ends_with("that keeps the order: replay or discard it to go on."), "{parked}");
        let waits = waits_for(&held, None, Some(&behind(3, DeliveryState::Retrying, Some(40))), NOW);
        let until = Some(NOW.plus(std::time::Duration::from_secs(40)));
        assert_eq!(waits, Some(WaitsFor { reason: HeldReason::Order, until, ahead: Some(3) }));
    }

    #[test]
    fn what_has_ended_waits_for_nothing() {
        for state in DeliveryState::ALL.into_iter().filter(|state| state.is_terminal()) {
            assert_eq!(waits_for(&row(state), None, None, NOW), None, "{state:?}");
        }
    }
}
