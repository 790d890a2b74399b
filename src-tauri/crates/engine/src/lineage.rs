//! Where a delivery comes from and what became of it, in the order in which it happened: derived from its attempts, its
//! revisions, and the replays and discards that it was part of.

use signalbox_model::{DeliveryState, Timestamp};
use signalbox_store::read::{AttemptRow, DeliveryRow, RevisionRow};
use signalbox_store::replay::{DeliveryHistory, ItemState, ReplayedOnce, RevisionOrigin};

use crate::view::LineageStep;

/// A round of attempts begins when it is accepted, and with each replay.
struct Round {
    what: &'static str,
    at: Timestamp,
    id: Option<String>,
    text: String,
}

pub fn of(
    row: &DeliveryRow,
    attempts: &[AttemptRow],
    revisions: &[RevisionRow],
    history: &DeliveryHistory,
) -> Vec<LineageStep> {
    let mut steps = Vec::new();
    let mut rounds = vec![Round { what: "accepted", at: row.accepted_at, id: None, text: "Accepted".into() }];
    for once in &history.replays {
        match once.state {
            ItemState::Skipped if once.undone_at.is_none() => steps.push(skipped(once)),
            _ => rounds.push(replayed(once, revisions, &mut steps)),
        }
        if let Some(at) = once.undone_at {
            let text = format!("Taken back before {} sent it", once.replay);
            steps.push(LineageStep { at, what: "restored", id: Some(once.replay.to_string()), text });
        }
    }
    let starts: Vec<Timestamp> = rounds.iter().skip(1).map(|round| round.at).collect();
    for (index, round) in rounds.into_iter().enumerate() {
        let until = starts.get(index).copied();
        let own = attempts
            .iter()
            .filter(|attempt| attempt.started_at >= round.at && until.is_none_or(|until| attempt.started_at < until));
        let own: Vec<&AttemptRow> = own.collect();
        let ended = told(&own, row, until.is_some());
        let mut text = round.text;
        match own.as_slice() {
            [] | [_] => text.extend(ended.map(|ended| format!(", {ended}"))),
            [.., last] => {
                let at = last.ended_at.unwrap_or(last.started_at);
                let ended = ended.map(|ended| format!(", {ended}")).unwrap_or_default();
                let text = format!("Tried {} times{ended}", own.len());
                steps.push(LineageStep { at, what: "retried", id: None, text });
            }
        }
        steps.push(LineageStep { at: round.at, what: round.what, id: round.id, text });
    }
    for once in &history.discards {
        let id = Some(once.discard.to_string());
        let reason = once.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        steps.push(LineageStep { at: once.at, what: "discarded", id: id.clone(), text: format!("Discarded{reason}") });
        if let Some(at) = once.restored_at {
            steps.push(LineageStep { at, what: "restored", id, text: "The discard was undone".into() });
        }
    }
    if row.state == DeliveryState::Superseded && !steps.iter().any(|step| step.what == "superseded") {
        let at = row.ended_at.unwrap_or(row.accepted_at);
        let text = "Something newer of its key had been delivered".into();
        steps.push(LineageStep { at, what: "superseded", id: None, text });
    }
    steps.sort_by_key(|step| step.at);
    steps
}

/// What the round came to, where that is known.
fn told(attempts: &[&AttemptRow], row: &DeliveryRow, over: bool) -> Option<String> {
    let tries = |count: usize| if count == 1 { "1 attempt".to_owned() } else { format!("{count} attempts") };
    let Some(last) = attempts.last() else {
        let dead = !over && row.state == DeliveryState::Dead;
        return dead
            .then(|| format!("dead before any request was sent: {}", row.message.as_deref().unwrap_or_default()));
    };
    last.ended_at?;
    if last.kind.is_none() {
        return Some(format!("delivered after {}", tries(attempts.len())));
    }
    // An attempt with another to come in its own round is not its end.
    let ends = over || row.state.is_terminal();
    let error = last.error.as_deref().unwrap_or("it failed");
    ends.then(|| format!("dead after {}: {error}", tries(attempts.len())))
}

fn skipped(once: &ReplayedOnce) -> LineageStep {
    let reason = once.message.as_deref().unwrap_or("it was no longer dead");
    let what = if once.superseded { "superseded" } else { "replayed" };
    let text = format!("Skipped by {}: {reason}", once.replay);
    LineageStep { at: once.at, what, id: Some(once.replay.to_string()), text }
}

/// With the revision that the replay made, where it made one.
fn replayed(once: &ReplayedOnce, revisions: &[RevisionRow], steps: &mut Vec<LineageStep>) -> Round {
    let id = Some(once.replay.to_string());
    let made = revisions.iter().find(|revision| {
        revision.origin != RevisionOrigin::Mapped
            && revision.created_at.since(once.at).as_millis() < 1_000
            && revision.created_at >= once.at
    });
    let how = match made.map(|made| (made.origin, made.number)) {
        Some((RevisionOrigin::Edited, number)) => {
            let text = format!("Its body was changed: revision {number}");
            steps.push(LineageStep { at: once.at, what: "edited", id: id.clone(), text });
            " (edited)"
        }
        Some((_, number)) => {
            let text = format!("The mapping as it was then made revision {number}");
            steps.push(LineageStep { at: once.at, what: "remapped", id: id.clone(), text });
            " (remapped)"
        }
        None => "",
    };
    let mut text = format!("Replayed by {}{how}", once.replay);
    if once.state == ItemState::Dead && once.message.is_some() {
        text.push_str(&format!(", not sent: {}", once.message.as_deref().unwrap_or_default()));
    }
    Round { what: "replayed", at: once.at, id, text }
}
