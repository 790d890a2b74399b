//! Discarding, and taking it back, a bounded part per command so that the writer is never held up.

use std::collections::{BTreeSet, HashSet};

use signalbox_model::{DeliveryId, DeliveryState, DiscardId, EventId, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, execute, optional, rows};
use super::{order, progress, supersede};
use crate::Change;
use crate::delivery::UndoneDiscard;
use crate::replay::ItemState;

/// Deliveries of one command.
pub(super) const PART: usize = 1_000;

static DISCARDABLE: Many = Many::new(
    "WITH wanted (id) AS (VALUES",
    1,
    ") SELECT d.id, d.lane, d.key, d.state, d.park, d.ended_at, d.replay FROM wanted CROSS JOIN delivery d ON d.id = wanted.id
       WHERE d.state IN ('dead', 'held', 'queued', 'retrying')",
);
static REMEMBER: Many = Many::new(
    "INSERT INTO discard_item (discard, delivery, state, park, ended_at) VALUES",
    5,
    "ON CONFLICT DO NOTHING",
);
static DISCARD: Many = Many::new(
    "WITH wanted (id, now) AS (VALUES",
    2,
    ") UPDATE delivery SET state = 'discarded', due_at = NULL, park = 0, ended_at = wanted.now
       FROM wanted WHERE delivery.id = wanted.id",
);

pub(super) struct DiscardPart {
    pub id: DiscardId,
    pub deliveries: Vec<DeliveryId>,
    pub reason: Option<String>,
    pub now: Timestamp,
}

pub(super) async fn discard(ledger: &mut Ledger, input: &DiscardPart) -> Outcome<u64> {
    let mut args = Args::default();
    args.id(input.id).time(input.now).opt_text(input.reason.as_deref());
    let sql = "INSERT INTO discard (id, at, reason) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    execute(&mut ledger.conn, sql, args).await?;
    let found = DISCARDABLE
        .query(&mut ledger.conn, &input.deliveries, |args, id| {
            args.id(*id);
        })
        .await?;
    let mut seen = HashSet::with_capacity(found.len());
    let mut gone = Vec::with_capacity(found.len());
    let mut keys = BTreeSet::new();
    for row in &found {
        let id: DeliveryId = row.get_id(0)?;
        if !seen.insert(id) {
            continue;
        }
        let (lane, from) = (row.get_lane(1)?, row.get_state(3)?);
        keys.extend(row.get_opt_text(2)?.map(|key| (lane, key)));
        gone.push((id, from, row.get_flag(4)?, row.get_opt_time(5)?));
        let (to, at) = (DeliveryState::Discarded, input.now);
        ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
        if let Some(replay) = row.get_opt_id(6)? {
            progress::end_item(ledger, replay, id, ItemState::Skipped).await?;
        }
    }
    REMEMBER
        .insert(&mut ledger.conn, &gone, |args, (id, from, park, ended_at)| {
            args.id(input.id).id(*id).text(from.as_str()).int(*park).opt_time(*ended_at);
        })
        .await?;
    DISCARD
        .update(&mut ledger.conn, &gone, |args, (id, _, _, _)| {
            args.id(*id).time(input.now);
        })
        .await?;
    order::settle(ledger, keys, input.now).await?;
    Ok(gone.len() as u64)
}

/// How a part of the taking back went.
pub(super) struct Undone {
    pub known: bool,
    pub done: UndoneDiscard,
    /// Where to go on; none: that was all.
    pub next: Option<DeliveryId>,
}

/// The part after `input.1`.
pub(super) async fn undo(ledger: &mut Ledger, input: &(DiscardId, Option<DeliveryId>, Timestamp)) -> Outcome<Undone> {
    let (id, after, now) = *input;
    let mut args = Args::default();
    args.id(id);
    let known = optional(&mut ledger.conn, "SELECT 1 FROM discard WHERE id = ?", args).await?.is_some();
    let mut args = Args::default();
    args.id(id).opt_id(after).count(PART as u64);
    let sql =
        "SELECT i.delivery, i.state, i.park, i.ended_at, d.lane, d.key, d.event, d.revision, d.state, i.restored_at, d.replay
               FROM discard_item i CROSS JOIN delivery d ON d.id = i.delivery
               WHERE i.discard = ?1 AND (?2 IS NULL OR i.delivery > ?2) ORDER BY i.delivery LIMIT ?3";
    let items = rows(&mut ledger.conn, sql, args).await?;
    let mut keys = BTreeSet::new();
    let mut done = UndoneDiscard::default();
    for item in &items {
        // Only what this discard still keeps; a later one may have taken it again.
        if item.get_state(8)? != DeliveryState::Discarded || item.get_opt_time(9)?.is_some() {
            continue;
        }
        let lane = item.get_lane(4)?;
        match restore(ledger, item, now).await? {
            DeliveryState::Superseded => done.superseded += 1,
            DeliveryState::Dead => done.restored += 1,
            _ => {
                done.restored += 1;
                keys.extend(item.get_opt_text(5)?.map(|key| (lane, key)));
            }
        }
        let mut args = Args::default();
        args.time(now).id(id).id(item.get_id::<DeliveryId>(0)?);
        let sql = "UPDATE discard_item SET restored_at = ? WHERE discard = ? AND delivery = ?";
        execute(&mut ledger.conn, sql, args).await?;
    }
    order::settle(ledger, keys, now).await?;
    let last = items.last().map(|item| item.get_id(0)).transpose()?;
    Ok(Undone { known, done, next: last.filter(|_| items.len() == PART) })
}

/// What waited waits again, due now; in a key it stands in line first, unless something newer of the key was delivered.
/// Answers what it is now.
async fn restore(ledger: &mut Ledger, item: &SqliteRow, now: Timestamp) -> Outcome<DeliveryState> {
    let id: DeliveryId = item.get_id(0)?;
    let was = item.get_state(1)?;
    let (lane, key) = (item.get_lane(4)?, item.get_opt_text(5)?);
    let overtaken = match &key {
        Some(key) if was != DeliveryState::Dead => {
            supersede::newer_delivered(ledger, lane, key, id).await?.is_some()
                && !supersede::sent_on_purpose(ledger, item.get_opt_id(10)?).await?
        }
        _ => false,
    };
    let mut args = Args::default();
    let sql = if was == DeliveryState::Dead {
        args.opt_time(item.get_opt_time(3)?).int(item.get_flag(2)?).id(id);
        "UPDATE delivery SET state = 'dead', ended_at = ?, park = ? WHERE id = ? RETURNING state"
    } else if overtaken {
        args.time(now).id(id);
        "UPDATE delivery SET state = 'superseded', ended_at = ? WHERE id = ? RETURNING state"
    } else if key.is_some() {
        args.time(now).id(id);
        "UPDATE delivery SET state = 'held', ended_at = NULL, restored_at = ? WHERE id = ? RETURNING state"
    } else {
        args.time(now).id(id);
        "UPDATE delivery SET state = iif(kind IS NULL, 'queued', 'retrying'), ended_at = NULL, due_at = ? WHERE id = ?
         RETURNING state"
    };
    let row = optional(&mut ledger.conn, sql, args).await?;
    let to = row.map_or(Ok(was), |row| row.get_state(0))?;
    let (from, at) = (DeliveryState::Discarded, now);
    ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
    if item.get_u32(7)? == 0 && !to.is_terminal() {
        // Its steps have not run, or ran without it while it was discarded.
        let mut args = Args::default();
        args.id(item.get_id::<EventId>(6)?);
        execute(&mut ledger.conn, "UPDATE event SET unplanned = 1 WHERE id = ?", args).await?;
    }
    Ok(to)
}
