//! What each item of a running replay becomes: sent again, skipped for a reason, or dead once more.

use std::collections::BTreeSet;

use signalbox_model::{DeliveryId, DeliveryState, ReplayId, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, corrupt, execute, optional, rows};
use super::{order, plan, supersede, take_back};
use crate::event::Failure;
use crate::replay::{ItemState, NewRevision, ReplayItemRow, Requeued};
use crate::{Change, LaneId};

pub(super) struct Requeue {
    pub replay: ReplayId,
    pub delivery: DeliveryId,
    pub revision: Option<NewRevision>,
    pub now: Timestamp,
}

/// Why an item was not sent: the column that counts it.
#[derive(Clone, Copy)]
pub(super) enum Skip {
    Newer,
    State,
    Patch,
    Parked,
}

impl Skip {
    const fn count(self) -> &'static str {
        match self {
            Self::Newer => "UPDATE replay SET pending = pending - 1, skipped_newer = skipped_newer + 1 WHERE id = ?",
            Self::State => "UPDATE replay SET pending = pending - 1, skipped_state = skipped_state + 1 WHERE id = ?",
            Self::Patch => "UPDATE replay SET pending = pending - 1, skipped_patch = skipped_patch + 1 WHERE id = ?",
            Self::Parked => "UPDATE replay SET pending = pending - 1, skipped_parked = skipped_parked + 1 WHERE id = ?",
        }
    }
}

/// A pending item of a running replay and its delivery.
struct Item {
    lane: LaneId,
    key: Option<String>,
    state: DeliveryState,
    revision: u32,
    attempts: u32,
    skips_newer: bool,
    body_hash: [u8; 32],
    /// The highest number; an edit that was taken back leaves one above the current.
    newest_revision: u32,
}

async fn item(ledger: &mut Ledger, replay: ReplayId, delivery: DeliveryId) -> Outcome<Option<Item>> {
    let mut args = Args::default();
    args.id(replay).id(delivery);
    let sql = "SELECT d.lane, d.key, d.state, d.revision, d.attempts, r.newer = 'skip', e.body_hash,
               (SELECT ifnull(max(v.number), 0) FROM revision v WHERE v.delivery = d.id)
               FROM replay_item i JOIN replay r ON r.id = i.replay JOIN delivery d ON d.id = i.delivery
               JOIN event e ON e.id = d.event
               WHERE i.replay = ? AND i.delivery = ? AND i.state = 'pending' AND r.state = 'running'";
    let Some(row) = optional(&mut ledger.conn, sql, args).await? else { return Ok(None) };
    Ok(Some(Item {
        lane: row.get_lane(0)?,
        key: row.get_opt_text(1)?,
        state: row.get_state(2)?,
        revision: row.get_u32(3)?,
        attempts: row.get_u32(4)?,
        skips_newer: row.get_flag(5)?,
        body_hash: row.get_blob(6)?.try_into().map_err(|_| corrupt("the hash of a body"))?,
        newest_revision: row.get_u32(7)?,
    }))
}

impl Item {
    /// Superseded ones are sent on purpose only.
    fn can_be_sent(&self) -> bool {
        self.state == DeliveryState::Dead || (self.state == DeliveryState::Superseded && !self.skips_newer)
    }
}

pub(super) async fn requeue(ledger: &mut Ledger, input: &Requeue) -> Outcome<Requeued> {
    // Paused, cancelled or taken already: nothing happens to the delivery.
    let Some(item) = item(ledger, input.replay, input.delivery).await? else { return Ok(Requeued::SkippedState) };
    if !item.can_be_sent() {
        let why = format!("It is {} by now; only dead letters are sent again.", item.state.as_str());
        skip(ledger, input, Skip::State, &why).await?;
        return Ok(Requeued::SkippedState);
    }
    // A mapping failure replayed as it is has nothing to send.
    if item.revision == 0 && input.revision.is_none() {
        let why = "It has no request: its steps never made one. Replay it with mode remap, or edit it.";
        skip(ledger, input, Skip::State, why).await?;
        return Ok(Requeued::SkippedState);
    }
    if let Some(key) = item.key.as_deref() {
        if item.skips_newer
            && let Some(newer) = supersede::newer_delivered(ledger, item.lane, key, input.delivery).await?
        {
            supersede(ledger, input, &item).await?;
            skip(ledger, input, Skip::Newer, &supersede::because(newer)).await?;
            return Ok(Requeued::SkippedNewer);
        }
        if let Some(parked) = parked_outside(ledger, input, &item, key).await? {
            skip(ledger, input, Skip::Parked, &take_back::parked_by(parked)).await?;
            return Ok(Requeued::SkippedParked);
        }
    }
    take_back::remember(ledger, input.replay, input.delivery).await?;
    let revision = match &input.revision {
        None => item.revision,
        Some(new) => {
            let number = item.newest_revision.saturating_add(1);
            plan::add_revision(ledger, input.delivery, number, new.origin, &new.request, item.body_hash).await?;
            number
        }
    };
    let place = if item.key.is_some() { DeliveryState::Held } else { DeliveryState::Queued };
    let mut args = Args::default();
    args.text(place.as_str()).opt_time(item.key.is_none().then_some(input.now)).int(revision).time(input.now);
    args.id(input.replay).id(input.delivery);
    let sql =
        "UPDATE delivery SET state = ?, due_at = ?, revision = ?, round_started_at = ?, replay = ?, ended_at = NULL,
               tries_before = attempts, kind = NULL, stage = NULL, status = NULL, message = NULL, grp = NULL, park = 0
               WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    moved(ledger, &item, place, input.now);
    let mut args = Args::default();
    args.time(input.now).id(input.delivery).int(item.attempts);
    let sql = "UPDATE attempt SET waited_for = 'replay', next_due_at = ? WHERE delivery = ? AND number = ?";
    execute(&mut ledger.conn, sql, args).await?;
    let sent = "UPDATE replay SET pending = pending - 1, sent = sent + 1 WHERE id = ?";
    settle_item(ledger, input, ItemState::Sent, None, sent).await?;
    let lane = item.lane;
    let Some(key) = item.key else { return Ok(Requeued::Queued { lane }) };
    order::settle(ledger, BTreeSet::from([(lane, key)]), input.now).await?;
    let mut args = Args::default();
    args.id(input.delivery);
    let row = optional(&mut ledger.conn, "SELECT state FROM delivery WHERE id = ?", args).await?;
    let state = row.map_or(Ok(DeliveryState::Held), |row| row.get_state(0))?;
    Ok(if state == DeliveryState::Held { Requeued::Held { lane } } else { Requeued::Queued { lane } })
}

/// A dead letter in front of it that parks their key and that this replay will not move: it would wait for ever.
async fn parked_outside(ledger: &mut Ledger, input: &Requeue, item: &Item, key: &str) -> Outcome<Option<DeliveryId>> {
    let mut args = Args::default();
    args.lane(item.lane).text(key).id(input.delivery).id(input.replay);
    let sql = "SELECT d.id FROM delivery d WHERE d.lane = ? AND d.key = ? AND d.state = 'dead' AND d.park = 1 AND d.id < ?
               AND NOT EXISTS (SELECT 1 FROM replay_item i WHERE i.replay = ? AND i.delivery = d.id AND i.state = 'pending')
               ORDER BY d.id LIMIT 1";
    optional(&mut ledger.conn, sql, args).await?.map(|row| row.get_id(0)).transpose()
}

async fn supersede(ledger: &mut Ledger, input: &Requeue, item: &Item) -> Outcome<()> {
    take_back::remember(ledger, input.replay, input.delivery).await?;
    let mut args = Args::default();
    args.time(input.now).id(input.delivery);
    let sql = "UPDATE delivery SET state = 'superseded', ended_at = ?, park = 0 WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    moved(ledger, item, DeliveryState::Superseded, input.now);
    let keys = item.key.clone().map(|key| (item.lane, key)).into_iter().collect();
    order::settle(ledger, keys, input.now).await?;
    Ok(())
}

fn moved(ledger: &mut Ledger, item: &Item, to: DeliveryState, at: Timestamp) {
    ledger.changes.push(Change::Moved { lane: item.lane, from: item.state, to, at, latency_us: None });
}

async fn skip(ledger: &mut Ledger, input: &Requeue, skip: Skip, why: &str) -> Outcome<()> {
    settle_item(ledger, input, ItemState::Skipped, Some(why), skip.count()).await
}

/// A pending item becomes something else and is counted there.
async fn settle_item(
    ledger: &mut Ledger,
    input: &Requeue,
    to: ItemState,
    message: Option<&str>,
    count: &'static str,
) -> Outcome<()> {
    let mut args = Args::default();
    args.text(to.as_str()).time(input.now).opt_text(message).id(input.replay).id(input.delivery);
    let sql = "UPDATE replay_item SET state = ?, at = ?, message = ?
               WHERE replay = ? AND delivery = ? AND state = 'pending'";
    execute(&mut ledger.conn, sql, args).await?;
    let mut args = Args::default();
    args.id(input.replay);
    execute(&mut ledger.conn, count, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay: input.replay });
    Ok(())
}

pub(super) async fn skip_item(ledger: &mut Ledger, input: &(Requeue, String)) -> Outcome<()> {
    let (input, why) = input;
    if item(ledger, input.replay, input.delivery).await?.is_none() {
        return Ok(());
    }
    skip(ledger, input, Skip::Patch, why).await
}

pub(super) async fn fail_item(ledger: &mut Ledger, input: &(Requeue, Failure)) -> Outcome<()> {
    let (input, failure) = input;
    let Some(item) = item(ledger, input.replay, input.delivery).await? else { return Ok(()) };
    if !item.can_be_sent() {
        let why = format!("It is {} by now; only dead letters are sent again.", item.state.as_str());
        return skip(ledger, input, Skip::State, &why).await;
    }
    take_back::remember(ledger, input.replay, input.delivery).await?;
    plan::kill(ledger, input.delivery, failure, input.now).await?;
    moved(ledger, &item, DeliveryState::Dead, input.now);
    let dead = "UPDATE replay SET pending = pending - 1, dead = dead + 1 WHERE id = ?";
    settle_item(ledger, input, ItemState::Dead, Some(&failure.message), dead).await?;
    // It may have stopped parking its key.
    let keys = item.key.map(|key| (item.lane, key)).into_iter().collect();
    order::settle(ledger, keys, input.now).await?;
    Ok(())
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    id: ReplayId,
    cursor: Option<DeliveryId>,
    limit: u32,
) -> Outcome<Vec<ReplayItemRow>> {
    let mut args = Args::default();
    args.id(id).opt_id(cursor).int(limit);
    // What died again says why in its own row.
    let sql = "SELECT i.delivery, i.state, ifnull(i.message, iif(i.state = 'dead', d.message, NULL))
               FROM replay_item i LEFT JOIN delivery d ON d.id = i.delivery
               WHERE i.replay = ?1 AND (?2 IS NULL OR i.delivery > ?2) ORDER BY i.delivery LIMIT ?3";
    let read = |row: &SqliteRow| {
        Ok(ReplayItemRow {
            delivery: row.get_id(0)?,
            state: ItemState::parse(&row.get_text(1)?).ok_or_else(|| corrupt("an item's state"))?,
            message: row.get_opt_text(2)?,
        })
    };
    rows(conn, sql, args).await?.iter().map(read).collect()
}
