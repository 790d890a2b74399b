//! Which events of a batch are new, repeated, or in conflict with an earlier one under the same id.

use std::collections::HashMap;

use signalbox_model::EventId;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, corrupt, execute};
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

/// In the order of the events. Repeats within the batch count as well.
pub(super) async fn judge(ledger: &mut Ledger, events: &[&NewEvent]) -> Outcome<Vec<Verdict>> {
    let mut seen: HashMap<(&str, &str), Vec<Earlier>> = HashMap::new();
    for (row, event) in known(ledger, events).await? {
        let at = usize::try_from(row).ok().and_then(|at| events.get(at));
        let Some((found, dedupe)) = at.and_then(|event| Some((event, event.dedupe.as_ref()?))) else {
            return Err(corrupt("an answer about repeated events"));
        };
        let entry = seen.entry((&found.integration, &dedupe.source_id)).or_default();
        if !entry.contains(&event) {
            entry.push(event);
        }
    }
    let mut fresh = Vec::new();
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
        fresh.push((*event, dedupe));
    }
    REMEMBER
        .insert(&mut ledger.conn, &fresh, |args, (event, dedupe)| {
            args.text(&event.integration).text(&dedupe.source_id).blob(&event.body_hash);
            args.id(event.id).time(dedupe.keep_until);
        })
        .await?;
    if !fresh.is_empty() {
        forget(ledger, fresh.len()).await?;
    }
    Ok(verdicts)
}

/// Forgets what has expired, somewhat faster than the batch adds, so that it never piles up and never holds up a batch.
async fn forget(ledger: &mut Ledger, added: usize) -> Outcome<()> {
    let mut args = Args::default();
    args.time(ledger.now).count(added as u64 * 2);
    let sql = "DELETE FROM dedupe WHERE (integration, source_id, body_hash) IN
                 (SELECT integration, source_id, body_hash FROM dedupe WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

/// (place in the batch, (hash, event)) of what is remembered, first event first.
async fn known(ledger: &mut Ledger, events: &[&NewEvent]) -> Outcome<Vec<(i64, Earlier)>> {
    let wanted = events.iter().zip(0_i64..).filter_map(|(event, at)| Some((at, event, event.dedupe.as_ref()?)));
    let wanted: Vec<_> = wanted.collect();
    let rows = KNOWN
        .query(&mut ledger.conn, &wanted, |args, (at, event, dedupe)| {
            args.int(*at).text(&event.integration).text(&dedupe.source_id).time(event.received_at);
        })
        .await?;
    rows.iter().map(|row| Ok((row.get_int(0)?, (row.get_blob(1)?, row.get_id(2)?)))).collect()
}
