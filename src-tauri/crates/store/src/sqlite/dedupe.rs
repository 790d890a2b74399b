//! Which events of a batch are new, repeated, or in conflict with an earlier one under the same id.

use std::collections::HashMap;

use signalbox_model::{EventId, Timestamp};

use super::fault::Outcome;
use super::sql::{Answers, Columns, Many, Part, Script, corrupt};
use crate::event::NewEvent;

static KNOWN: Many = Many::new(
    "WITH wanted (at, integration, source_id, now) AS (VALUES",
    4,
    ") SELECT wanted.at, d.body_hash, d.event FROM wanted CROSS JOIN dedupe d
       ON d.integration = wanted.integration AND d.source_id = wanted.source_id
       WHERE d.keep_until > wanted.now ORDER BY d.event",
);

/// A row that has expired but is not pruned yet gives way.
static REMEMBER: Many = Many::new(
    "INSERT INTO dedupe (integration, source_id, body_hash, event, keep_until) VALUES",
    5,
    "ON CONFLICT DO UPDATE SET event = excluded.event, keep_until = excluded.keep_until",
);

/// The hash of an earlier event's body, and the event.
type Earlier = (Vec<u8>, EventId);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    New,
    Duplicate { of: EventId },
    Conflict { first: EventId },
}

/// Asks what is remembered under the events' ids.
pub(super) fn ask(script: &mut Script, events: &[&NewEvent]) -> Part {
    let wanted = events.iter().zip(0_i64..).filter_map(|(event, at)| Some((at, event, event.dedupe.as_ref()?)));
    let wanted: Vec<_> = wanted.collect();
    script.many(&KNOWN, &wanted, |args, (at, event, dedupe)| {
        args.int(*at).text(&event.integration).text(&dedupe.source_id).time(event.received_at);
    })
}

/// In the order of the events. Repeats within the batch count as well.
pub(super) fn judge(events: &[&NewEvent], answers: &mut Answers, known: Part) -> Outcome<Vec<Verdict>> {
    let mut seen: HashMap<(&str, &str), Vec<Earlier>> = HashMap::new();
    // First event first.
    for row in answers.rows(known) {
        let at = usize::try_from(row.get_int(0)?).ok().and_then(|at| events.get(at));
        let Some((found, dedupe)) = at.and_then(|event| Some((event, event.dedupe.as_ref()?))) else {
            return Err(corrupt("an answer about repeated events"));
        };
        let event: Earlier = (row.get_blob(1)?, row.get_id(2)?);
        let entry = seen.entry((&found.integration, &dedupe.source_id)).or_default();
        if !entry.contains(&event) {
            entry.push(event);
        }
    }
    let mut verdicts = Vec::with_capacity(events.len());
    for event in events {
        let Some(dedupe) = &event.dedupe else {
            verdicts.push(Verdict::New);
            continue;
        };
        let earlier = seen.entry((&event.integration, &dedupe.source_id)).or_default();
        if let Some((_, of)) = earlier.iter().find(|(hash, _)| *hash == event.body_hash) {
            verdicts.push(Verdict::Duplicate { of: *of });
            continue;
        }
        verdicts.push(earlier.first().map_or(Verdict::New, |(_, first)| Verdict::Conflict { first: *first }));
        earlier.push((event.body_hash.to_vec(), event.id));
    }
    Ok(verdicts)
}

/// Remembers the events that are not repeats.
pub(super) fn remember(script: &mut Script, fresh: &[(&NewEvent, Verdict)], now: Timestamp) {
    let fresh: Vec<_> = fresh.iter().filter_map(|(event, _)| Some((event, event.dedupe.as_ref()?))).collect();
    if fresh.is_empty() {
        return;
    }
    script.many(&REMEMBER, &fresh, |args, (event, dedupe)| {
        args.text(&event.integration).text(&dedupe.source_id).blob(&event.body_hash);
        args.id(event.id).time(dedupe.keep_until);
    });
    // What has expired is forgotten somewhat faster than the batch adds, so that it never piles up and never holds up
    // a batch.
    script.add(
        "DELETE FROM dedupe WHERE (integration, source_id, body_hash) IN
           (SELECT integration, source_id, body_hash FROM dedupe WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)",
    );
    script.args().time(now).count(fresh.len() as u64 * 2);
}
