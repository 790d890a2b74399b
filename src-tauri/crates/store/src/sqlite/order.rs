//! Order within a key: who goes next. Every transition that ends or moves a row of a key ends here.
//!
//! Invariant: a key has at most one row on its way (the index `delivery_active` is the hard guard), and when it has
//! none, its first open row stands behind a parked dead letter.

use std::collections::BTreeSet;

use signalbox_model::{DeliveryState, Timestamp};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Answers, Columns, Many, Part, Script, active, waits};
use crate::{Change, LaneId};

/// The first row of each free key goes, if it waits; a parked dead letter in front keeps it waiting.
static PROMOTE: Many = Many::new(
    "WITH free (lane, name, now) AS (VALUES",
    3,
    concat!(
        "), head (id, now) AS (
            SELECT (SELECT d.id FROM delivery d WHERE d.lane = free.lane AND d.key = free.name AND ",
        waits!(),
        " ORDER BY d.id LIMIT 1), free.now FROM free
            WHERE NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane = free.lane AND d.key = free.name AND ",
        active!(),
        "))
         UPDATE delivery SET state = iif(kind IS NULL, 'queued', 'retrying'), due_at = head.now
         FROM head WHERE delivery.id = head.id AND delivery.state = 'held'
         RETURNING delivery.lane, delivery.key, delivery.state"
    ),
);

/// Keys whose turn may have come.
pub(super) struct Settling(Part);

impl Settling {
    pub fn ask(script: &mut Script, keys: &[(LaneId, &str)], now: Timestamp) -> Self {
        Self(script.many(&PROMOTE, keys, |args, (lane, key)| {
            args.lane(*lane).text(key).time(now);
        }))
    }

    /// The keys that have one now.
    pub fn told(
        self,
        ledger: &mut Ledger,
        answers: &mut Answers,
        now: Timestamp,
    ) -> Outcome<BTreeSet<(LaneId, String)>> {
        let rows = answers.rows(self.0);
        let mut promoted = BTreeSet::new();
        for row in rows {
            let lane = row.get_lane(0)?;
            let (from, to) = (DeliveryState::Held, row.get_state(2)?);
            ledger.changes.push(Change::Moved { lane, from, to, at: now, latency_us: None });
            promoted.insert((lane, row.get_text(1)?));
        }
        Ok(promoted)
    }
}

/// Lets the next of each key go where the key is free. Answers the keys that have one now.
pub(super) async fn settle(
    ledger: &mut Ledger,
    keys: BTreeSet<(LaneId, String)>,
    now: Timestamp,
) -> Outcome<BTreeSet<(LaneId, String)>> {
    let keys: Vec<(LaneId, &str)> = keys.iter().map(|(lane, key)| (*lane, key.as_str())).collect();
    let mut script = Script::default();
    let settling = Settling::ask(&mut script, &keys, now);
    let mut answers = script.run(&mut ledger.conn).await?;
    settling.told(ledger, &mut answers, now)
}
