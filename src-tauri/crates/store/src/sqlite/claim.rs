//! Opening attempts, giving them back unsent, and what a new boot does with those of the one before.
//!
//! The open attempt is the delivery's row itself: state `sending`, its number in `attempts`, since when in
//! `sending_since`, and the boot that opened it in `epoch`. A row of `attempt` is written only when it ends, so that the
//! hot path writes each attempt once.

use std::collections::HashMap;

use signalbox_model::{AttemptId, DeliveryId, DeliveryState, FailureKind, GroupId, Stage, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::columns::sum;
use super::fault::{Fault, Outcome};
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, execute, optional, ready, ready_again, rows};
use super::supersede;
use crate::delivery::{OpenDelivery, OpenedBatch};
use crate::event::{Failure, Request};
use crate::replay::ItemState;
use crate::{Change, LaneId, StoreError};

/// The most attempts of one claim: their bytes are read into memory.
pub(super) const CLAIM_MAX: u32 = 256;

static REQUESTS: Many = Many::new(
    "WITH wanted (at, id) AS (VALUES",
    2,
    ") SELECT wanted.at, d.id, d.event, d.attempts, d.tries_before, d.revision, d.accepted_at, d.round_started_at, d.key,
              d.event_type, d.replay, r.method, r.path, r.headers, ifnull(r.body, b.body), r.sum
       FROM wanted CROSS JOIN delivery d ON d.id = wanted.id
       CROSS JOIN revision r ON r.delivery = d.id AND r.number = d.revision
       LEFT JOIN event e ON r.body IS NULL AND e.id = d.event
       LEFT JOIN event_body b ON b.seq = e.seq
       ORDER BY wanted.at",
);

pub(super) struct OpenDue {
    pub lane: LaneId,
    pub limit: u32,
    pub now: Timestamp,
    /// Replays' deliveries stay where they are.
    pub live_only: bool,
}

/// Up to `?4` due rows (`?2`) of lane `?3`, oldest due first: those of replays stand in an index of their own.
const OPEN: &str = concat!(
    "UPDATE delivery SET state = 'sending', attempts = attempts + 1, epoch = ?1, sending_since = ?2
     WHERE id IN (SELECT id FROM (SELECT id, due_at FROM delivery WHERE lane = ?3 AND ",
    ready!(),
    " AND due_at <= ?2 UNION ALL SELECT id, due_at FROM delivery WHERE lane = ?3 AND ",
    ready_again!(),
    " AND due_at <= ?2 ORDER BY due_at, id LIMIT ?4))
     RETURNING id, due_at, kind IS NULL, key IS NOT NULL AND (replay IS NOT NULL OR restored_at IS NOT NULL)"
);

const OPEN_LIVE: &str = concat!(
    "UPDATE delivery SET state = 'sending', attempts = attempts + 1, epoch = ?1, sending_since = ?2
     WHERE id IN (SELECT id FROM delivery WHERE lane = ?3 AND ",
    ready!(),
    " AND due_at <= ?2 ORDER BY due_at, id LIMIT ?4)
     RETURNING id, due_at, kind IS NULL, key IS NOT NULL AND restored_at IS NOT NULL"
);

pub(super) async fn open_due(ledger: &mut Ledger, input: &OpenDue) -> Outcome<OpenedBatch> {
    let limit = input.limit.min(CLAIM_MAX);
    let mut args = Args::default();
    args.count(ledger.epoch).time(input.now).lane(input.lane).int(limit);
    let claimed = rows(&mut ledger.conn, if input.live_only { OPEN_LIVE } else { OPEN }, args).await?;
    let mut brought_back = Vec::new();
    let mut ids: Vec<(Timestamp, DeliveryId)> = Vec::with_capacity(claimed.len());
    for row in &claimed {
        ids.push((row.get_time(1)?, row.get_id(0)?));
        let from = if row.get_flag(2)? { DeliveryState::Queued } else { DeliveryState::Retrying };
        let (lane, to, at) = (input.lane, DeliveryState::Sending, input.now);
        ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
        if row.get_flag(3)? {
            brought_back.push(row.get_id(0)?);
        }
    }
    if !brought_back.is_empty() {
        let superseded = supersede::instead_of_opening(ledger, &brought_back, input.now).await?;
        ids.retain(|(_, id)| !superseded.contains(id));
    }
    ids.sort_unstable();
    let rows = requests(ledger, &ids, input.lane).await?;
    let next_due = if ids.len() < limit as usize { next_due(ledger, input).await? } else { None };
    Ok(OpenedBatch { rows, next_due })
}

async fn requests(ledger: &mut Ledger, ids: &[(Timestamp, DeliveryId)], lane: LaneId) -> Outcome<Vec<OpenDelivery>> {
    let numbered: Vec<(i64, DeliveryId)> = (0..).zip(ids.iter().map(|(_, id)| *id)).collect();
    let found = REQUESTS
        .query(&mut ledger.conn, &numbered, |args, (at, id)| {
            args.int(*at).id(*id);
        })
        .await?;
    let epoch = ledger.epoch;
    let mut open = Vec::with_capacity(found.len());
    for row in &found {
        match request(row, lane, epoch) {
            Ok(row) => open.push(row),
            Err(Fault::Refused(StoreError::Corrupt(what))) => quarantine(ledger, row, lane, &what).await?,
            Err(fault) => return Err(fault),
        }
    }
    Ok(open)
}

/// What the disk has changed is not sent: its delivery is dead and keeps its key waiting, the others go on.
async fn quarantine(ledger: &mut Ledger, row: &SqliteRow, lane: LaneId, what: &str) -> Outcome<()> {
    let (id, now): (DeliveryId, _) = (row.get_id(1)?, ledger.now);
    tracing::error!(delivery = %id, what, "the ledger is damaged: run `signalbox check --ledger`");
    let group =
        u128::from_le_bytes(blake3::hash(&lane.0.to_le_bytes()).as_bytes().first_chunk().copied().unwrap_or_default());
    let failure = Failure {
        kind: FailureKind::Rejected,
        stage: Stage::Deliver,
        status: None,
        message: format!("the disk has damaged what was to be sent ({what}); nothing was sent"),
        group: GroupId::from_bits(group),
        park: true,
    };
    super::plan::kill(ledger, id, &failure, now).await?;
    if let Some(replay) = row.get_opt_id(10)? {
        super::progress::end_item(ledger, replay, id, ItemState::Dead).await?;
    }
    let (from, to) = (DeliveryState::Sending, DeliveryState::Dead);
    ledger.changes.push(Change::Moved { lane, from, to, at: now, latency_us: None });
    Ok(())
}

fn request(row: &SqliteRow, lane: LaneId, epoch: u64) -> Outcome<OpenDelivery> {
    let (id, attempt, revision) = (row.get_id(1)?, row.get_u32(3)?, row.get_u32(5)?);
    Ok(OpenDelivery {
        id,
        event: row.get_id(2)?,
        lane,
        attempt,
        tries: attempt.saturating_sub(row.get_u32(4)?),
        epoch,
        revision,
        accepted_at: row.get_time(6)?,
        round_started_at: row.get_time(7)?,
        key: row.get_opt_text(8)?,
        event_type: row.get_opt_text(9)?,
        replay: row.get_opt_id(10)?,
        request: Request {
            method: row.get_text(11)?,
            path: row.get_text(12)?,
            headers: row.get_pairs(13)?,
            body: row.get_whole(14, 15, |body| sum(id, revision, body))?,
        },
    })
}

async fn next_due(ledger: &mut Ledger, input: &OpenDue) -> Outcome<Option<Timestamp>> {
    let mut args = Args::default();
    args.lane(input.lane);
    let live = concat!("SELECT due_at FROM delivery WHERE lane = ?1 AND ", ready!(), " ORDER BY due_at LIMIT 1");
    let all = concat!(
        "SELECT due_at FROM delivery WHERE lane = ?1 AND ",
        ready!(),
        " UNION ALL SELECT due_at FROM delivery WHERE lane = ?1 AND ",
        ready_again!(),
        " ORDER BY due_at LIMIT 1"
    );
    let sql = if input.live_only { live } else { all };
    optional(&mut ledger.conn, sql, args).await?.map(|row| row.get_time(0)).transpose()
}

/// A row that had failed before goes back to `retrying`, any other to `queued`; its due time was kept.
pub(super) async fn release(ledger: &mut Ledger, opened: &[(DeliveryId, u64)]) -> Outcome<u64> {
    let mut released = 0;
    for (id, epoch) in opened {
        let mut args = Args::default();
        args.id(*id).count(*epoch);
        let row = optional(
            &mut ledger.conn,
            "UPDATE delivery SET state = iif(kind IS NULL, 'queued', 'retrying'), attempts = attempts - 1,
             tries_before = min(tries_before, attempts - 1), sending_since = NULL
             WHERE id = ? AND epoch = ? AND state = 'sending' RETURNING lane, state",
            args,
        )
        .await?;
        let Some(row) = row else { continue };
        released += 1;
        let (lane, to) = (row.get_lane(0)?, row.get_state(1)?);
        let (from, at) = (DeliveryState::Sending, ledger.now);
        ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
    }
    Ok(released)
}

/// What an attempt that was open at a crash says.
const INTERRUPTED: &str = "Signalbox stopped while this request was open; it may have been processed";

/// Rows of one round: bounded, so that a crash with a great many open attempts does not fill memory.
const RECOVER_AT_ONCE: i64 = 1_000;

static INTERRUPTED_ATTEMPTS: Many = Many::new(
    "INSERT INTO attempt (delivery, number, id, revision, started_at, ended_at, kind, error, waited_for, next_due_at) VALUES",
    10,
    "",
);

pub(super) async fn recover(ledger: &mut Ledger, now: &Timestamp) -> Outcome<u64> {
    raise_epoch(ledger).await?;
    let mut recovered = 0;
    loop {
        let mut args = Args::default();
        args.int(RECOVER_AT_ONCE);
        let open = rows(
            &mut ledger.conn,
            "SELECT id, lane, attempts, revision, sending_since FROM delivery
             WHERE state = 'sending' AND state <> 'delivered' ORDER BY id LIMIT ?",
            args,
        )
        .await?;
        if open.is_empty() {
            return Ok(recovered);
        }
        recovered += open.len() as u64;
        close_open(ledger, &open, *now).await?;
    }
}

async fn close_open(ledger: &mut Ledger, open: &[SqliteRow], now: Timestamp) -> Outcome<()> {
    let mut ended: Vec<(DeliveryId, u32, u32, Timestamp)> = Vec::with_capacity(open.len());
    let mut lanes: HashMap<DeliveryId, LaneId> = HashMap::with_capacity(open.len());
    for row in open {
        ended.push((row.get_id(0)?, row.get_u32(2)?, row.get_u32(3)?, row.get_time(4)?));
        lanes.insert(row.get_id(0)?, row.get_lane(1)?);
    }
    let kind = FailureKind::Unknown;
    INTERRUPTED_ATTEMPTS
        .insert(&mut ledger.conn, &ended, |args, (id, number, revision, since)| {
            args.id(*id).int(*number).id(open_attempt_id(*id, *number, *since)).int(*revision);
            args.time(*since).time(now).text(kind.as_str()).text(INTERRUPTED).text("restart").time(now);
        })
        .await?;
    for (id, _, _, since) in &ended {
        let mut args = Args::default();
        args.time(now).text(kind.as_str()).text(Stage::Deliver.as_str()).text(INTERRUPTED).id(*id);
        execute(
            &mut ledger.conn,
            "UPDATE delivery SET state = 'retrying', due_at = ?, sending_since = NULL, kind = ?, stage = ?, status = NULL,
             message = ? WHERE id = ?",
            args,
        )
        .await?;
        let Some(lane) = lanes.get(id).copied() else { continue };
        let total_us = u64::try_from(now.since(*since).as_micros()).unwrap_or(u64::MAX);
        ledger.changes.push(Change::AttemptEnded { lane, kind: Some(kind), status: None, total_us, at: now });
        let (from, to) = (DeliveryState::Sending, DeliveryState::Retrying);
        ledger.changes.push(Change::Moved { lane, from, to, at: now, latency_us: None });
    }
    Ok(())
}

pub(super) async fn raise_epoch(ledger: &mut Ledger) -> Outcome<()> {
    let sql = "UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value";
    let row = optional(&mut ledger.conn, sql, Args::default()).await?;
    ledger.epoch = row.ok_or_else(|| super::sql::corrupt("the count of boots"))?.get_u64(0)?;
    Ok(())
}

/// The id of an attempt whose own was lost with the process: its time, and chance made of what it is.
pub(super) fn open_attempt_id(delivery: DeliveryId, number: u32, since: Timestamp) -> AttemptId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&delivery.to_bytes()).update(&number.to_be_bytes());
    let hash = hasher.finalize();
    let low = hash.as_bytes().iter().take(10).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let millis = u128::from(u64::try_from(since.as_millis()).unwrap_or(0) & 0xffff_ffff_ffff);
    // The layout of UUID version 7 (RFC 9562 §5.7), as all ids.
    let chance = low & !((0xf << 76) | (0b11 << 62));
    AttemptId::from_bits((millis << 80) | (0x7 << 76) | (0b10 << 62) | chance)
}
