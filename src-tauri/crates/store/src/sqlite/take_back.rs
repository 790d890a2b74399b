//! Putting back what a replay moved and did not send: every delivery is again exactly what it was before its item's turn.

use std::collections::BTreeSet;

use signalbox_model::{DeliveryId, ReplayId, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::order;
use super::sql::{Args, Columns, execute, optional, rows};
use crate::{Change, LaneId};

/// Items of one command, so that the writer is never held up.
pub(super) const PART: usize = 1_000;

pub(super) fn parked_by(letter: DeliveryId) -> String {
    format!("An earlier dead letter of its key, {letter}, is in its way; replay or discard that one too.")
}

const UNDONE: &str = "Taken back before it was sent.";

/// Called before the row changes.
pub(super) async fn remember(ledger: &mut Ledger, replay: ReplayId, delivery: DeliveryId) -> Outcome<()> {
    let mut args = Args::default();
    args.id(replay).id(delivery);
    let sql = "INSERT OR REPLACE INTO replay_before (replay, delivery, state, ended_at, attempts, tries_before,
               round_started_at, revision, kind, stage, status, message, grp, park, sent_by)
               SELECT ?, id, state, ended_at, attempts, tries_before, round_started_at, revision, kind, stage, status,
               message, grp, park, replay FROM delivery WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

pub(super) struct Part {
    pub replay: ReplayId,
    /// Where the part before ended.
    pub after: Option<DeliveryId>,
    pub now: Timestamp,
}

pub(super) struct PutBack {
    pub count: u64,
    /// Where to go on; none: that was all.
    pub next: Option<DeliveryId>,
}

/// Not sent: no attempt was opened since, and nobody else has moved it.
macro_rules! moved_and_not_sent {
    () => {
        "SELECT b.delivery, d.lane, d.key, d.state, b.state, i.state,
         (i.state = 'sent' AND d.state IN ('queued', 'held') AND d.replay = b.replay
           OR i.state = 'skipped' AND d.state = 'superseded'
           OR i.state = 'dead' AND d.state = 'dead' AND d.ended_at = i.at)
         AND d.attempts = b.attempts
         AND NOT EXISTS (SELECT 1 FROM replay_item o WHERE o.delivery = b.delivery AND o.state <> 'pending'
                         AND o.replay <> b.replay AND o.at > i.at)
         FROM replay_before b CROSS JOIN replay_item i ON i.replay = b.replay AND i.delivery = b.delivery
         CROSS JOIN delivery d ON d.id = b.delivery
         WHERE b.replay = ?1 AND (?2 IS NULL OR b.delivery > ?2)"
    };
}

pub(super) async fn undo(ledger: &mut Ledger, input: &Part) -> Outcome<PutBack> {
    let mut args = Args::default();
    args.id(input.replay).opt_id(input.after).count(PART as u64);
    let found = rows(&mut ledger.conn, concat!(moved_and_not_sent!(), " ORDER BY b.delivery LIMIT ?3"), args).await?;
    let mut keys = BTreeSet::new();
    let mut count = 0;
    for row in &found {
        if !row.get_flag(6)? {
            continue;
        }
        keys.extend(restore(ledger, input, row).await?);
        let counted = match row.get_text(5)?.as_str() {
            "sent" => "UPDATE replay SET sent = sent - 1, undone = undone + 1 WHERE id = ?",
            "dead" => "UPDATE replay SET dead = dead - 1, undone = undone + 1 WHERE id = ?",
            _ => "UPDATE replay SET skipped_newer = skipped_newer - 1, undone = undone + 1 WHERE id = ?",
        };
        end_item(ledger, input, row.get_id(0)?, UNDONE, counted, true).await?;
        count += 1;
    }
    order::settle(ledger, keys, input.now).await?;
    let last = found.last().map(|row| row.get_id(0)).transpose()?;
    Ok(PutBack { count, next: last.filter(|_| found.len() == PART) })
}

/// Those of a set that wait behind a parked dead letter, with that letter.
pub(super) async fn let_go(ledger: &mut Ledger, input: &Part) -> Outcome<PutBack> {
    let mut args = Args::default();
    args.id(input.replay).opt_id(input.after).count(PART as u64);
    let sql = concat!(
        moved_and_not_sent!(),
        " AND i.state = 'sent' AND d.state = 'held' AND EXISTS (SELECT 1 FROM delivery p WHERE p.lane = d.lane
           AND p.key = d.key AND p.state = 'dead' AND p.park = 1 AND p.id < d.id) ORDER BY b.delivery LIMIT ?3"
    );
    let found = rows(&mut ledger.conn, sql, args).await?;
    let mut keys = BTreeSet::new();
    let mut count = 0;
    for row in &found {
        if !row.get_flag(6)? {
            continue;
        }
        let delivery: DeliveryId = row.get_id(0)?;
        let Some(letter) = parking(ledger, row, delivery).await? else { continue };
        keys.extend(restore(ledger, input, row).await?);
        let counted = "UPDATE replay SET sent = sent - 1, skipped_parked = skipped_parked + 1 WHERE id = ?";
        end_item(ledger, input, delivery, &parked_by(letter), counted, false).await?;
        count += 1;
    }
    order::settle(ledger, keys, input.now).await?;
    let last = found.last().map(|row| row.get_id(0)).transpose()?;
    Ok(PutBack { count, next: last.filter(|_| found.len() == PART) })
}

async fn parking(ledger: &mut Ledger, row: &SqliteRow, delivery: DeliveryId) -> Outcome<Option<DeliveryId>> {
    let mut args = Args::default();
    args.lane(row.get_lane(1)?).opt_text(row.get_opt_text(2)?.as_deref()).id(delivery);
    let sql = "SELECT id FROM delivery WHERE lane = ? AND key = ? AND state = 'dead' AND park = 1 AND id < ?
               ORDER BY id LIMIT 1";
    optional(&mut ledger.conn, sql, args).await?.map(|row| row.get_id(0)).transpose()
}

/// Answers the key to settle.
async fn restore(ledger: &mut Ledger, input: &Part, row: &SqliteRow) -> Outcome<Option<(LaneId, String)>> {
    let delivery: DeliveryId = row.get_id(0)?;
    let mut args = Args::default();
    args.id(input.replay).id(delivery);
    let sql =
        "UPDATE delivery SET state = b.state, due_at = NULL, ended_at = b.ended_at, tries_before = b.tries_before,
               round_started_at = b.round_started_at, revision = b.revision, kind = b.kind, stage = b.stage,
               status = b.status, message = b.message, grp = b.grp, park = b.park, replay = b.sent_by
               FROM replay_before b WHERE b.replay = ? AND b.delivery = ? AND delivery.id = b.delivery";
    execute(&mut ledger.conn, sql, args).await?;
    let mut args = Args::default();
    args.id(delivery);
    let sql = "UPDATE attempt SET waited_for = NULL, next_due_at = NULL WHERE delivery = ?1 AND waited_for = 'replay'
               AND number = (SELECT attempts FROM delivery WHERE id = ?1)";
    execute(&mut ledger.conn, sql, args).await?;
    let (lane, from, to, at) = (row.get_lane(1)?, row.get_state(3)?, row.get_state(4)?, input.now);
    ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
    Ok(row.get_opt_text(2)?.map(|key| (lane, key)))
}

async fn end_item(
    ledger: &mut Ledger,
    input: &Part,
    delivery: DeliveryId,
    why: &str,
    counted: &'static str,
    undone: bool,
) -> Outcome<()> {
    let mut args = Args::default();
    args.text(why).opt_time(undone.then_some(input.now)).id(input.replay).id(delivery);
    let sql = "UPDATE replay_item SET state = 'skipped', message = ?, undone_at = ? WHERE replay = ? AND delivery = ?";
    execute(&mut ledger.conn, sql, args).await?;
    let mut args = Args::default();
    args.id(input.replay);
    execute(&mut ledger.conn, counted, args).await?;
    let mut args = Args::default();
    args.id(input.replay).id(delivery);
    execute(&mut ledger.conn, "DELETE FROM replay_before WHERE replay = ? AND delivery = ?", args).await?;
    ledger.changes.push(Change::ReplayMoved { replay: input.replay });
    Ok(())
}
