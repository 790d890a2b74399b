//! Rows behind a closed gate: brought forward when it opens, counted for who asks.

use signalbox_model::{DeliveryId, Timestamp};
use sqlx::sqlite::SqliteConnection;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, active, execute, optional, ready, ready_again, rows, waits};
use crate::LaneId;
use crate::read::{Ahead, Head};

/// Counting what stands before a row stops here.
const AHEAD_MAX: i64 = 10_000;

pub(super) struct BringForward {
    pub lane: LaneId,
    pub limit: u32,
    pub now: Timestamp,
}

/// Rows that wait by our own schedule; a time that the system itself asked for is not one of ours to shorten.
macro_rules! waits_by_schedule {
    () => {
        " AND due_at > ?1 AND kind IN ('server', 'network', 'unknown') AND NOT EXISTS (
              SELECT 1 FROM attempt a
              WHERE a.delivery = d.id AND a.number = d.attempts AND a.waited_for = 'retry-after')"
    };
}

/// Those that would have been due first, so that order by age is kept.
pub(super) async fn bring_forward(ledger: &mut Ledger, input: &BringForward) -> Outcome<Vec<DeliveryId>> {
    let mut args = Args::default();
    args.time(input.now).lane(input.lane).int(input.limit);
    let sql = concat!(
        "UPDATE delivery SET due_at = ?1 WHERE id IN (SELECT id FROM (
             SELECT id, due_at FROM delivery d WHERE lane = ?2 AND ",
        ready!(),
        waits_by_schedule!(),
        " UNION ALL SELECT id, due_at FROM delivery d WHERE lane = ?2 AND ",
        ready_again!(),
        waits_by_schedule!(),
        " ORDER BY due_at LIMIT ?3)) RETURNING id"
    );
    rows(&mut ledger.conn, sql, args).await?.iter().map(|row| row.get_id(0)).collect()
}

pub(super) struct ClockBack {
    pub lane: LaneId,
    pub after: Option<DeliveryId>,
    pub by: i64,
    pub limit: u32,
    pub now: Timestamp,
}

/// Times that lie ahead were meant by the clock as it was.
pub(super) async fn follow_clock_back(ledger: &mut Ledger, input: &ClockBack) -> Outcome<Option<DeliveryId>> {
    let after = input.after.unwrap_or(DeliveryId::from_bits(0));
    let mut args = Args::default();
    args.lane(input.lane).id(after).int(input.limit);
    let sql = "SELECT id FROM delivery WHERE lane = ? AND id > ? AND state IN ('queued', 'sending', 'retrying', 'held')
               ORDER BY id LIMIT ?";
    let open = rows(&mut ledger.conn, sql, args).await?;
    let Some(last) = open.last() else { return Ok(None) };
    let last: DeliveryId = last.get_id(0)?;
    let mut args = Args::default();
    args.int(input.by).time(input.now).lane(input.lane).id(after).id(last).time(input.now);
    let sql = "UPDATE delivery SET due_at = max(due_at - ?, ?) WHERE lane = ? AND id > ? AND id <= ?
               AND state IN ('queued', 'retrying') AND due_at > ?";
    execute(&mut ledger.conn, sql, args).await?;
    Ok((open.len() == input.limit as usize).then_some(last))
}

/// What stands before a waiting row.
pub(super) async fn ahead(conn: &mut SqliteConnection, id: DeliveryId) -> Outcome<Option<Ahead>> {
    let mut args = Args::default();
    args.id(id);
    let sql = "SELECT lane, key, due_at FROM delivery WHERE id = ?";
    let Some(row) = optional(conn, sql, args).await? else { return Ok(None) };
    let lane = row.get_lane(0)?;
    let (key, due_at) = (row.get_opt_text(1)?, row.get_opt_time(2)?);
    let mut ahead = Ahead::default();
    if let Some(key) = key {
        let mut args = Args::default();
        args.lane(lane).text(&key).id(id).int(AHEAD_MAX);
        let sql = concat!(
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE lane = ? AND key = ? AND id < ? AND ",
            waits!(),
            " LIMIT ?)"
        );
        ahead.of_key = optional(conn, sql, args).await?.map(|row| row.get_u64(0)).transpose()?.unwrap_or(0);
        // The one on its way stands in an index of its own.
        let mut args = Args::default();
        args.lane(lane).text(&key).id(id);
        let sql = concat!(
            "SELECT id, state, due_at, kind FROM delivery WHERE lane = ? AND key = ? AND id < ? AND ",
            active!()
        );
        let on_its_way = optional(conn, sql, args).await?;
        ahead.of_key = ahead.of_key.saturating_add(u64::from(on_its_way.is_some()));
        let mut args = Args::default();
        args.lane(lane).text(&key).id(id);
        let sql = concat!(
            "SELECT id, state, due_at, kind FROM delivery WHERE lane = ? AND key = ? AND id < ? AND ",
            waits!(),
            " ORDER BY id LIMIT 1"
        );
        let waiting = optional(conn, sql, args).await?;
        let heads = [on_its_way, waiting].into_iter().flatten().map(|row| {
            let (id, state, due_at) = (row.get_id(0)?, row.get_state(1)?, row.get_opt_time(2)?);
            Ok(Head { id, state, due_at, kind: row.get_kind(3)? })
        });
        ahead.head = heads.collect::<Outcome<Vec<Head>>>()?.into_iter().min_by_key(|head| head.id);
    }
    if let Some(due_at) = due_at {
        let mut args = Args::default();
        args.lane(lane).time(due_at).int(AHEAD_MAX);
        let sql = concat!(
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE lane = ?1 AND ",
            ready!(),
            " AND due_at < ?2 UNION ALL SELECT 1 FROM delivery WHERE lane = ?1 AND ",
            ready_again!(),
            " AND due_at < ?2 LIMIT ?3)"
        );
        ahead.of_lane = optional(conn, sql, args).await?.map(|row| row.get_u64(0)).transpose()?.unwrap_or(0);
    }
    Ok(Some(ahead))
}
