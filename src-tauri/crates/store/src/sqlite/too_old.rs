//! Rows behind an open breaker that have become too old: a reader looks for them, since they may stand among a million that
//! have not, and the writer only ends what was found.

use std::collections::BTreeSet;

use signalbox_model::{DeliveryId, DeliveryState, ReplayId, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::select::first_id;
use super::sql::{Args, Columns, Many, execute, optional, rows};
use super::{order, progress};
use crate::event::Failure;
use crate::read::TooOld;
use crate::replay::ItemState;
use crate::{Change, LaneId};

pub(super) struct Look {
    pub lane: LaneId,
    pub started_before: Timestamp,
    pub after: Option<DeliveryId>,
    pub limit: u32,
}

/// A round never began before its delivery was accepted, and ids sort by that time: the walk ends at the first that was
/// accepted too late to be too old.
pub(super) async fn find(conn: &mut SqliteConnection, look: &Look) -> Outcome<TooOld> {
    let after = look.after.unwrap_or(DeliveryId::from_bits(0));
    let bound = first_id(look.started_before);
    let mut args = Args::default();
    args.lane(look.lane).id(after).id(bound).int(look.limit);
    let walked = rows(
        conn,
        "SELECT id, state, round_started_at, revision > 0 FROM delivery INDEXED BY delivery_open
         WHERE lane = ? AND id > ? AND id < ? AND state IN ('queued', 'retrying', 'held') ORDER BY id LIMIT ?",
        args,
    )
    .await?;
    let mut found = TooOld::default();
    for row in &walked {
        // Behind an earlier one of its key it is looked at when that one has ended.
        if row.get_state(1)? == DeliveryState::Held || !row.get_flag(3)? {
            continue;
        }
        let started = row.get_time(2)?;
        if started < look.started_before {
            found.ids.push(row.get_id(0)?);
        } else {
            found.oldest = found.oldest.into_iter().chain([started]).min();
        }
    }
    if walked.len() == look.limit as usize {
        found.next = walked.last().map(|last| last.get_id(0)).transpose()?;
    } else {
        let first = first_after(conn, look.lane, bound).await?;
        found.oldest = found.oldest.into_iter().chain(first).min();
    }
    Ok(found)
}

/// When the first open row that was accepted later began its round.
async fn first_after(conn: &mut SqliteConnection, lane: LaneId, bound: DeliveryId) -> Outcome<Option<Timestamp>> {
    let mut args = Args::default();
    args.lane(lane).id(bound);
    let sql = "SELECT round_started_at FROM delivery INDEXED BY delivery_open
               WHERE lane = ? AND id >= ? AND state IN ('queued', 'retrying', 'held') ORDER BY id LIMIT 1";
    optional(conn, sql, args).await?.map(|row| row.get_time(0)).transpose()
}

pub(super) struct Expire {
    pub ids: Vec<DeliveryId>,
    pub started_before: Timestamp,
    pub failure: Failure,
    pub now: Timestamp,
}

/// What was found may have been sent, ended or replayed meanwhile.
static STILL_WAITING: Many = Many::new(
    "WITH wanted (id) AS (VALUES",
    1,
    ") SELECT d.id, d.lane, d.key, d.state, d.replay, d.round_started_at
       FROM wanted CROSS JOIN delivery d ON d.id = wanted.id WHERE d.state IN ('queued', 'retrying') AND d.revision > 0",
);

pub(super) async fn expire(ledger: &mut Ledger, input: &Expire) -> Outcome<u64> {
    let waiting = STILL_WAITING
        .query(&mut ledger.conn, &input.ids, |args, id| {
            args.id(*id);
        })
        .await?;
    let mut count = 0;
    let mut keys = BTreeSet::new();
    for row in &waiting {
        if row.get_time(5)? >= input.started_before {
            continue;
        }
        let (id, lane, from): (DeliveryId, _, _) = (row.get_id(0)?, row.get_lane(1)?, row.get_state(3)?);
        let failure = &input.failure;
        let mut args = Args::default();
        args.time(input.now).text(failure.kind.as_str()).text(failure.stage.as_str()).opt_int(failure.status);
        args.text(&failure.message).id(failure.group).int(failure.park).id(id);
        let sql = "UPDATE delivery SET state = 'dead', due_at = NULL, ended_at = ?, kind = ?, stage = ?, status = ?,
                   message = ?, grp = ?, park = ? WHERE id = ?";
        execute(&mut ledger.conn, sql, args).await?;
        let (to, at) = (DeliveryState::Dead, input.now);
        ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
        keys.extend(row.get_opt_text(2)?.map(|key| (lane, key)));
        if let Some(replay) = row.get_opt_id::<ReplayId>(4)? {
            progress::end_item(ledger, replay, id, ItemState::Dead).await?;
        }
        count += 1;
    }
    order::settle(ledger, keys, input.now).await?;
    Ok(count)
}
