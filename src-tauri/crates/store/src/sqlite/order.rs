//! Order within a key: who goes next. Every transition that ends or moves a row of a key ends here.
//!
//! Invariant: a key has at most one row on its way (the index `delivery_active` is the hard guard), and when it has
//! none, its first open row stands behind a parked dead letter.

use std::collections::HashSet;

use signalbox_model::{DeliveryState, Timestamp};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Columns, Many, active, blocks};
use crate::{Change, LaneId};

/// The first row of each free key goes, if it waits; a parked dead letter in front keeps it waiting.
static PROMOTE: Many = Many::new(
    "WITH free (lane, name, now) AS (VALUES",
    3,
    concat!(
        "), head (id, now) AS (
            SELECT (SELECT d.id FROM delivery d WHERE d.lane = free.lane AND d.key = free.name AND ",
        blocks!(),
        " ORDER BY d.id LIMIT 1), free.now FROM free
            WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane = free.lane AND d.key = free.name AND ",
        active!(),
        "))
         UPDATE delivery SET state = iif(kind IS NULL, 'queued', 'retrying'), due_at = head.now
         FROM head WHERE delivery.id = head.id AND delivery.state = 'held'
         RETURNING delivery.lane, delivery.key, delivery.state"
    ),
);

/// Lets the next of each key go where the key is free. Answers the keys that have one now.
pub(super) async fn settle(
    ledger: &mut Ledger,
    keys: HashSet<(LaneId, String)>,
    now: Timestamp,
) -> Outcome<HashSet<(LaneId, String)>> {
    let keys: Vec<(LaneId, String)> = keys.into_iter().collect();
    let rows = PROMOTE
        .query(&mut ledger.conn, &keys, |args, (lane, key)| {
            args.lane(*lane).text(key).time(now);
        })
        .await?;
    let mut promoted = HashSet::with_capacity(rows.len());
    for row in rows {
        let lane = row.get_lane(0)?;
        let (from, to) = (DeliveryState::Held, row.get_state(2)?);
        ledger.changes.push(Change::Moved { lane, from, to, at: now, latency_us: None });
        promoted.insert((lane, row.get_text(1)?));
    }
    Ok(promoted)
}
