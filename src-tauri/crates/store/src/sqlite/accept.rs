//! Intake of a batch of events: one statement for each table.

use std::collections::HashMap;

use signalbox_model::{DeliveryState, FailureKind, GroupId, Stage};

use super::dedupe::{self, Verdict};
use super::fault::Outcome;
use super::insert::{self, NewRow};
use super::ledger::Ledger;
use super::sql::{Answers, Columns, Many, Part, Script, active, waits};
use crate::event::{Accepted, Failure, Fate, NewDelivery, NewEvent, Placement, Planned};
use crate::{Change, LaneId};

static BLOCKED: Many = Many::new(
    "WITH wanted (at, lane, name) AS (VALUES",
    3,
    concat!(
        ") SELECT at FROM wanted WHERE EXISTS (SELECT 1 FROM delivery d WHERE d.lane = wanted.lane
           AND d.key = wanted.name AND ",
        active!(),
        ") OR EXISTS (SELECT 1 FROM delivery d WHERE d.lane = wanted.lane AND d.key = wanted.name AND ",
        waits!(),
        ")"
    ),
);

/// Keys of lanes → whether a row of the key keeps later ones waiting.
type Taken<'a> = HashMap<(LaneId, &'a str), bool>;

/// A batch of events on its way into the ledger. Its three steps go into the scripts that the batch runs anyway.
pub(super) struct Intake<'a> {
    events: Vec<&'a NewEvent>,
    verdicts: Vec<Verdict>,
    fresh: Vec<(&'a NewEvent, Verdict)>,
    taken: Taken<'a>,
}

impl<'a> Intake<'a> {
    /// What is known under the events' ids.
    pub fn ask(script: &mut Script, events: Vec<&'a NewEvent>) -> (Self, Part) {
        let known = dedupe::ask(script, &events);
        let intake = Self { events, verdicts: Vec::new(), fresh: Vec::new(), taken: Taken::new() };
        (intake, known)
    }

    pub fn judge(&mut self, answers: &mut Answers, known: Part) -> Outcome<()> {
        self.verdicts = dedupe::judge(&self.events, answers, known)?;
        let judged = self.events.iter().copied().zip(self.verdicts.iter().copied());
        self.fresh = judged.filter(|(_, verdict)| !matches!(verdict, Verdict::Duplicate { .. })).collect();
        Ok(())
    }

    /// Which of the events' keys have a row before them.
    pub fn look(&mut self, script: &mut Script) -> (Vec<(LaneId, &'a str)>, Part) {
        for (event, _) in &self.fresh {
            let Some(key) = event.key.as_deref() else { continue };
            match &event.planned {
                Planned::Now(deliveries) => {
                    self.taken.extend(deliveries.iter().map(|delivery| ((delivery.lane, key), false)));
                }
                Planned::Later(places) => self.taken.extend(places.iter().map(|(_, lane)| ((*lane, key), false))),
            }
        }
        let wanted: Vec<(LaneId, &str)> = self.taken.keys().copied().collect();
        let numbered: Vec<(i64, &(LaneId, &str))> = (0..).zip(&wanted).collect();
        let part = script.many(&BLOCKED, &numbered, |args, (at, (lane, key))| {
            args.int(*at).lane(*lane).text(key);
        });
        (wanted, part)
    }

    /// Writes the rows. Answers each event.
    pub fn write(
        mut self,
        script: &mut Script,
        ledger: &mut Ledger,
        answers: &mut Answers,
        (wanted, blocked): (Vec<(LaneId, &'a str)>, Part),
    ) -> Outcome<Vec<Accepted>> {
        for row in answers.rows(blocked) {
            if let Some(key) = usize::try_from(row.get_int(0)?).ok().and_then(|at| wanted.get(at)) {
                self.taken.insert(*key, true);
            }
        }
        let mut rows = Vec::with_capacity(self.fresh.len() * 2);
        let mut placements = Vec::with_capacity(self.fresh.len());
        for (event, verdict) in &self.fresh {
            let name = ledger.name(&event.integration);
            ledger.changes.push(Change::EventAccepted { integration: name, at: event.received_at });
            let from = rows.len();
            place(ledger, event, *verdict, &mut self.taken, &mut rows);
            let placed: Vec<Placement> =
                rows.iter().skip(from).map(|row: &NewRow<'_>| placement(ledger, row)).collect();
            placements.push(placed);
        }
        dedupe::remember(script, &self.fresh, ledger.now);
        insert::events(script, ledger, &self.fresh);
        insert::deliveries(script, &rows)?;
        for row in &rows {
            ledger.changes.push(Change::Created { lane: row.lane, state: row.state, at: row.event.received_at });
        }
        let mut placements = placements.into_iter();
        let answers = self.events.iter().zip(self.verdicts).map(|(event, verdict)| {
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
