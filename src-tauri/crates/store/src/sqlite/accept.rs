//! Intake of a batch of events: one statement for each table.

use std::collections::HashMap;

use signalbox_model::{DeliveryState, FailureKind, GroupId, Stage};

use super::dedupe::{self, Verdict};
use super::fault::Outcome;
use super::insert::{self, NewRow};
use super::ledger::Ledger;
use super::sql::{Columns, Many, blocks};
use crate::event::{Accepted, Failure, Fate, NewDelivery, NewEvent, Placement, Planned};
use crate::{Change, LaneId};

static BLOCKED: Many = Many::new(
    "WITH wanted (at, lane, name) AS (VALUES",
    3,
    concat!(
        ") SELECT at FROM wanted WHERE EXISTS (SELECT 1 FROM delivery d WHERE d.lane = wanted.lane
           AND d.key = wanted.name AND ",
        blocks!(),
        ")"
    ),
);

/// Keys of lanes → whether a row of the key keeps later ones waiting.
type Taken<'a> = HashMap<(LaneId, &'a str), bool>;

pub(super) async fn accept(ledger: &mut Ledger, events: &[&NewEvent]) -> Outcome<Vec<Accepted>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let verdicts = dedupe::judge(ledger, events).await?;
    let fresh: Vec<(&NewEvent, Verdict)> = events
        .iter()
        .copied()
        .zip(verdicts.iter().copied())
        .filter(|(_, verdict)| !matches!(verdict, Verdict::Duplicate { .. }))
        .collect();
    let mut taken = taken(ledger, &fresh).await?;
    let mut rows = Vec::with_capacity(fresh.len() * 2);
    let mut placements = Vec::with_capacity(fresh.len());
    for (event, verdict) in &fresh {
        let name = ledger.name(&event.integration);
        ledger.changes.push(Change::EventAccepted { integration: name, at: event.received_at });
        let from = rows.len();
        place(ledger, event, *verdict, &mut taken, &mut rows);
        let placed: Vec<Placement> = rows.iter().skip(from).map(|row: &NewRow<'_>| placement(ledger, row)).collect();
        placements.push(placed);
    }
    insert::events(ledger, &fresh).await?;
    insert::deliveries(ledger, &rows).await?;
    for row in &rows {
        ledger.changes.push(Change::Created { lane: row.lane, state: row.state, at: row.event.received_at });
    }
    let mut placements = placements.into_iter();
    let answers = events.iter().zip(verdicts).map(|(event, verdict)| {
        let conflict_of = match verdict {
            Verdict::Duplicate { of } => {
                let name = ledger.name(&event.integration);
                ledger.changes.push(Change::EventDuplicate { integration: name, at: event.received_at });
                return Accepted::Duplicate { of };
            }
            Verdict::Conflict { first } => Some(first),
            Verdict::New => None,
        };
        Accepted::Stored { placements: placements.next().unwrap_or_default(), conflict_of }
    });
    Ok(answers.collect())
}

async fn taken<'a>(ledger: &mut Ledger, events: &[(&'a NewEvent, Verdict)]) -> Outcome<Taken<'a>> {
    let mut taken = Taken::new();
    for (event, _) in events {
        let Some(key) = event.key.as_deref() else { continue };
        let lanes: Vec<LaneId> = match &event.planned {
            Planned::Now(deliveries) => deliveries.iter().map(|delivery| delivery.lane).collect(),
            Planned::Later(places) => places.iter().map(|(_, lane)| *lane).collect(),
        };
        taken.extend(lanes.into_iter().map(|lane| ((lane, key), false)));
    }
    let wanted: Vec<(LaneId, &str)> = taken.keys().copied().collect();
    let numbered: Vec<(i64, &(LaneId, &str))> = (0..).zip(&wanted).collect();
    let blocked = BLOCKED
        .query(&mut ledger.conn, &numbered, |args, (at, (lane, key))| {
            args.int(*at).lane(*lane).text(key);
        })
        .await?;
    for row in blocked {
        if let Some(key) = usize::try_from(row.get_int(0)?).ok().and_then(|at| wanted.get(at)) {
            taken.insert(*key, true);
        }
    }
    Ok(taken)
}

fn place<'a>(
    ledger: &Ledger,
    event: &'a NewEvent,
    verdict: Verdict,
    taken: &mut Taken<'a>,
    rows: &mut Vec<NewRow<'a>>,
) {
    let conflict_of = match verdict {
        Verdict::Conflict { first } => Some(first),
        _ => None,
    };
    let hold = conflict_of.is_some() && event.dedupe.as_ref().is_some_and(|dedupe| dedupe.hold_conflicts);
    let first = rows.len();
    match &event.planned {
        Planned::Now(deliveries) => rows.extend(deliveries.iter().map(|delivery| {
            let NewDelivery { id, lane, fate, may_open } = delivery;
            let row = NewRow::new(*id, event, *lane, conflict_of);
            match fate {
                Fate::Filtered { step } => row.filtered(step),
                Fate::Dead(failure) => row.dead(failure.clone()),
                Fate::Send(request) if hold => row.request(request).dead(held_conflict(*lane)),
                Fate::Send(request) => {
                    let free =
                        event.key.as_deref().is_none_or(|key| !taken.get(&(*lane, key)).is_some_and(|taken| *taken));
                    let row = row.request(request);
                    match (free, may_open) {
                        (false, _) => row.held(),
                        (true, true) => row.sending(ledger.now, ledger.epoch),
                        (true, false) => row.queued(),
                    }
                }
            }
        })),
        Planned::Later(places) => rows.extend(places.iter().map(|(id, lane)| {
            let row = NewRow::new(*id, event, *lane, conflict_of);
            let free = event.key.as_deref().is_none_or(|key| !taken.get(&(*lane, key)).is_some_and(|taken| *taken));
            match (hold, free) {
                (true, _) => row.dead(held_conflict(*lane)),
                (false, true) => row.queued(),
                (false, false) => row.held(),
            }
        })),
    }
    if let Some(key) = event.key.as_deref() {
        for row in rows.iter().skip(first).filter(|row| row.blocks()) {
            taken.insert((row.lane, key), true);
        }
    }
}

fn placement(ledger: &Ledger, row: &NewRow<'_>) -> Placement {
    match row.state {
        DeliveryState::Sending => Placement::Opened { epoch: ledger.epoch },
        DeliveryState::Queued | DeliveryState::Held if row.request.is_none() => Placement::Unplanned,
        DeliveryState::Queued => Placement::Queued,
        DeliveryState::Held => Placement::Held,
        _ => Placement::Ended,
    }
}

/// Of a source that holds conflicts: for a person to look at. It does not park its key, since the first event with
/// the same id took its place in the order already.
fn held_conflict(lane: LaneId) -> Failure {
    let mut bits = [0; 16];
    let hash = blake3::hash(format!("conflict in lane {}", lane.0).as_bytes());
    bits.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Failure {
        kind: FailureKind::Rejected,
        stage: Stage::Accept,
        status: None,
        message:
            "another event with the same id and other bytes was accepted before; replay to send this one, or discard it"
                .to_owned(),
        group: GroupId::from_bits(u128::from_be_bytes(bits)),
        park: false,
    }
}
