//! An older delivery that a replay, or the undoing of a discard, brought back never overwrites newer data: the rule, and
//! the look at it at the last moment, when its attempt opens. Deliveries without a key have nothing newer.

use std::collections::{BTreeSet, HashSet};

use signalbox_model::{DeliveryId, DeliveryState, ReplayId, Timestamp};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::order;
use super::sql::{Args, Columns, Many, execute, optional};
use crate::{Change, LaneId};

/// How the message of a superseded item begins.
pub(super) const BECAUSE: &str = "A newer one of its key";

pub(super) fn because(newer: DeliveryId) -> String {
    format!("{BECAUSE}, {newer}, was delivered; sending it would undo that.")
}

/// One of the same key and destination that was accepted later and is delivered.
pub(super) async fn newer_delivered(
    ledger: &mut Ledger,
    lane: LaneId,
    key: &str,
    delivery: DeliveryId,
) -> Outcome<Option<DeliveryId>> {
    let mut args = Args::default();
    args.text(key).id(delivery).lane(lane);
    let sql =
        "SELECT id FROM delivery INDEXED BY delivery_key WHERE key = ? AND id > ? AND lane = ? AND state = 'delivered'
               LIMIT 1";
    optional(&mut ledger.conn, sql, args).await?.map(|row| row.get_id(0)).transpose()
}

static OVERTAKEN: Many = Many::new(
    "WITH wanted (id) AS (VALUES",
    1,
    ") SELECT d.id, d.lane, d.key, d.replay, n.id FROM wanted CROSS JOIN delivery d ON d.id = wanted.id
       CROSS JOIN delivery n ON n.id = (SELECT id FROM delivery INDEXED BY delivery_key
         WHERE key = d.key AND id > d.id AND lane = d.lane AND state = 'delivered' LIMIT 1)
       WHERE NOT EXISTS (SELECT 1 FROM replay r WHERE r.id = d.replay AND r.newer = 'send')",
);

/// Of attempts that were opened in this commit for deliveries with a key that were brought back: those that were overtaken while they
/// waited end as `superseded` instead, and their attempts were never opened. Answers them.
pub(super) async fn instead_of_opening(
    ledger: &mut Ledger,
    opened: &[DeliveryId],
    now: Timestamp,
) -> Outcome<HashSet<DeliveryId>> {
    let rows = OVERTAKEN
        .query(&mut ledger.conn, opened, |args, id| {
            args.id(*id);
        })
        .await?;
    let mut ended = HashSet::with_capacity(rows.len());
    let mut keys = BTreeSet::new();
    for row in &rows {
        let (id, lane, newer) = (row.get_id(0)?, row.get_lane(1)?, row.get_id(4)?);
        let mut args = Args::default();
        args.time(now).id(id);
        let sql = "UPDATE delivery SET state = 'superseded', due_at = NULL, sending_since = NULL, ended_at = ?,
                   attempts = attempts - 1, tries_before = min(tries_before, attempts - 1) WHERE id = ?";
        execute(&mut ledger.conn, sql, args).await?;
        let (from, to) = (DeliveryState::Sending, DeliveryState::Superseded);
        ledger.changes.push(Change::Moved { lane, from, to, at: now, latency_us: None });
        if let Some(replay) = row.get_opt_id(3)? {
            skip_item(ledger, replay, id, newer).await?;
        }
        keys.insert((lane, row.get_text(2)?));
        ended.insert(id);
    }
    order::settle(ledger, keys, now).await?;
    Ok(ended)
}

/// Whether it was brought back on purpose, whatever is newer.
pub(super) async fn sent_on_purpose(ledger: &mut Ledger, replay: Option<ReplayId>) -> Outcome<bool> {
    let Some(replay) = replay else { return Ok(false) };
    let mut args = Args::default();
    args.id(replay);
    let sql = "SELECT 1 FROM replay WHERE id = ? AND newer = 'send'";
    Ok(optional(&mut ledger.conn, sql, args).await?.is_some())
}

/// What it was before is kept, so that undoing the replay brings it back.
async fn skip_item(ledger: &mut Ledger, replay: ReplayId, delivery: DeliveryId, newer: DeliveryId) -> Outcome<()> {
    let mut args = Args::default();
    args.owned(because(newer)).id(replay).id(delivery);
    let item = "UPDATE replay_item SET state = 'skipped', message = ?
                WHERE replay = ? AND delivery = ? AND state = 'sent'";
    if execute(&mut ledger.conn, item, args).await? == 0 {
        return Ok(());
    }
    let mut args = Args::default();
    args.id(replay);
    let count = "UPDATE replay SET sent = sent - 1, skipped_newer = skipped_newer + 1 WHERE id = ?";
    execute(&mut ledger.conn, count, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay });
    Ok(())
}
