//! Counts over many rows: groups of dead letters, lanes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use signalbox_model::filter::Filter;
use signalbox_model::{DeliveryId, DeliveryState, GroupId, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::predicate::{Binder, Scope, all};
use super::sql::{Args, Columns, corrupt, optional, ready, ready_again, rows, safe};
use crate::LaneId;
use crate::read::{COUNT_MAX, DeadFigures, GroupRow, LaneFigures};

/// The largest groups that one answer holds.
const GROUPS_MAX: u32 = 200;
const COUNTED_AT_ONCE: u32 = 2_000;
/// What a lane's figures count.
const OPEN_OR_DEAD: [DeliveryState; 5] =
    [DeliveryState::Queued, DeliveryState::Sending, DeliveryState::Retrying, DeliveryState::Held, DeliveryState::Dead];

pub(super) async fn groups(conn: &mut SqliteConnection, filter: &Filter, scope: &Scope<'_>) -> Outcome<Vec<GroupRow>> {
    let mut binder = Binder::default();
    let rest = match all(filter, None, scope, &mut binder) {
        empty if empty.is_empty() => "1".to_owned(),
        rest => rest,
    };
    let groups = format!(
        "WITH found AS (
            SELECT grp, count(*) AS many, min(ended_at) AS first_at, max(ended_at) AS last_at, max(id) AS sample,
                   count(DISTINCT key) AS keys
            FROM delivery INDEXED BY delivery_group_time WHERE delivery.state = 'dead' AND {rest}
            GROUP BY grp ORDER BY many DESC, last_at DESC LIMIT {GROUPS_MAX})"
    );
    let args = binder.done()?;
    let sql = format!(
        "{groups} SELECT found.grp, found.many, found.first_at, found.last_at, found.sample, found.keys,
         s.lane, s.stage, s.kind, s.status, s.message
         FROM found CROSS JOIN delivery s ON s.id = found.sample ORDER BY found.many DESC, found.last_at DESC"
    );
    let found = sqlx::query_with(safe(sql), args.clone()).persistent(false).fetch_all(&mut *conn).await?;
    let mut answer: Vec<GroupRow> = found.iter().map(group).collect::<Outcome<_>>()?;
    if answer.is_empty() {
        return Ok(answer);
    }
    let sql = format!(
        "{groups} SELECT found.grp, min(23, (delivery.ended_at - found.first_at) * 24 / (found.last_at - found.first_at + 1)) AS part,
         count(*) FROM found CROSS JOIN delivery INDEXED BY delivery_group_time ON delivery.grp = found.grp AND delivery.state = 'dead'
         WHERE {rest} GROUP BY found.grp, part"
    );
    let parts = sqlx::query_with(safe(sql), args).persistent(false).fetch_all(conn).await?;
    let mut series: HashMap<GroupId, [u32; 24]> = HashMap::new();
    for row in &parts {
        let counts = series.entry(row.get_id(0)?).or_default();
        if let Some(count) = usize::try_from(row.get_int(1)?).ok().and_then(|part| counts.get_mut(part)) {
            *count = u32::try_from(row.get_int(2)?).unwrap_or(u32::MAX);
        }
    }
    for group in &mut answer {
        group.series = series.remove(&group.id).unwrap_or_default();
    }
    Ok(answer)
}

fn group(row: &SqliteRow) -> Outcome<GroupRow> {
    Ok(GroupRow {
        id: row.get_id(0)?,
        count: row.get_u64(1)?,
        first_at: row.get_time(2)?,
        last_at: row.get_time(3)?,
        sample: row.get_id(4)?,
        key_count: row.get_u64(5)?,
        lane: row.get_lane(6)?,
        stage: row.get_stage(7)?.ok_or_else(|| corrupt("a dead letter's stage"))?,
        kind: row.get_kind(8)?.ok_or_else(|| corrupt("a dead letter's kind"))?,
        status: row.get_status(9)?,
        message: row.get_text(10)?,
        series: [0; 24],
    })
}

pub(super) async fn lanes(conn: &mut SqliteConnection) -> Outcome<Vec<LaneFigures>> {
    let sql = concat!(
        "SELECT id, last_delivered_at, (SELECT min(at) FROM (
             SELECT min(due_at) AS at FROM delivery WHERE delivery.lane = lane.id AND ",
        ready!(),
        " UNION ALL SELECT min(due_at) FROM delivery WHERE delivery.lane = lane.id AND ",
        ready_again!(),
        ")) FROM lane ORDER BY id"
    );
    let mut figures = Vec::new();
    for row in rows(conn, sql, Args::default()).await? {
        let (lane, last_delivered_at, next_due) = (row.get_lane(0)?, row.get_opt_time(1)?, row.get_opt_time(2)?);
        figures.push(LaneFigures { lane, last_delivered_at, next_due, ..LaneFigures::default() });
    }
    for state in OPEN_OR_DEAD {
        for (lane, count) in count_by_lane(conn, state).await? {
            let Some(figures) = figures.iter_mut().find(|figures| figures.lane == lane) else { continue };
            match state {
                DeliveryState::Queued => figures.queued = count,
                DeliveryState::Sending => figures.sending = count,
                DeliveryState::Retrying => figures.retrying = count,
                DeliveryState::Held => figures.held = count,
                _ => figures.dead = count,
            }
        }
    }
    for (lane, at) in oldest_open(conn).await? {
        if let Some(figures) = figures.iter_mut().find(|figures| figures.lane == lane) {
            figures.oldest_open = Some(at);
        }
    }
    Ok(figures)
}

/// The rows of a state lie in the order of their ids, so counting them by lane sorts them: some at a time, since sorting a
/// backlog of a million at once holds 50 MB, which the allocator then keeps.
async fn count_by_lane(conn: &mut SqliteConnection, state: DeliveryState) -> Outcome<BTreeMap<LaneId, u64>> {
    let mut counts = BTreeMap::new();
    let mut after: Option<DeliveryId> = None;
    loop {
        let mut args = Args::default();
        args.text(state.as_str()).opt_id(after).int(COUNTED_AT_ONCE);
        let found = rows(
            conn,
            "SELECT lane, count(*), max(id) FROM (
                 SELECT lane, id FROM delivery INDEXED BY delivery_state
                 WHERE state = ? AND state <> 'delivered' AND id > ifnull(?, x'') ORDER BY id LIMIT ?)
             GROUP BY lane",
            args,
        )
        .await?;
        let mut seen = 0;
        for row in &found {
            let count = row.get_u64(1)?;
            *counts.entry(row.get_lane(0)?).or_default() += count;
            seen += count;
            after = after.max(Some(row.get_id(2)?));
        }
        if seen < u64::from(COUNTED_AT_ONCE) {
            return Ok(counts);
        }
    }
}

/// One look at an index per lane, and the rows on the wire, which are few.
pub(super) async fn oldest_open(conn: &mut SqliteConnection) -> Outcome<Vec<(LaneId, Timestamp)>> {
    let sql = "SELECT lane, min(at) FROM (
                 SELECT lane.id AS lane, first.accepted_at AS at FROM lane CROSS JOIN delivery first ON first.id =
                   (SELECT d.id FROM delivery d INDEXED BY delivery_open WHERE d.lane = lane.id
                    AND d.state IN ('queued', 'retrying', 'held') ORDER BY d.id LIMIT 1)
                 UNION ALL
                 SELECT lane, accepted_at FROM delivery INDEXED BY delivery_state
                   WHERE state = 'sending' AND state <> 'delivered')
               GROUP BY lane ORDER BY lane";
    rows(conn, sql, Args::default()).await?.iter().map(|row| Ok((row.get_lane(0)?, row.get_time(1)?))).collect()
}

/// In the index of replays' rows alone, as far as it is counted.
pub(super) async fn replays_waiting(conn: &mut SqliteConnection, lanes: &BTreeSet<LaneId>) -> Outcome<u64> {
    let sql = concat!(
        "SELECT count(*) FROM (SELECT 1 FROM delivery INDEXED BY delivery_ready_again WHERE lane = ? AND ",
        ready_again!(),
        " LIMIT ?)"
    );
    let mut count = 0;
    for lane in lanes {
        let mut args = Args::default();
        args.lane(*lane).count(COUNT_MAX.saturating_sub(count));
        count += optional(conn, sql, args).await?.map(|row| row.get_u64(0)).transpose()?.unwrap_or(0);
        if count >= COUNT_MAX {
            break;
        }
    }
    Ok(count)
}

pub(super) async fn dead(conn: &mut SqliteConnection, since: Timestamp) -> Outcome<DeadFigures> {
    let mut args = Args::default();
    args.time(since);
    let sql = "SELECT count(*), count(DISTINCT grp), count(*) FILTER (WHERE ended_at >= ?)
               FROM delivery INDEXED BY delivery_group_time WHERE state = 'dead'";
    let row = optional(conn, sql, args).await?.ok_or_else(|| corrupt("a count"))?;
    Ok(DeadFigures { count: row.get_u64(0)?, groups: row.get_u64(1)?, new_since: row.get_u64(2)? })
}
