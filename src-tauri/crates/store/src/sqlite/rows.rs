//! Rows of the ledger as the types that are read.

use bytes::Bytes;
use signalbox_model::{DeliveryId, DeliveryState, EventId, HeldReason, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::batches;
use super::claim::open_attempt_id;
use super::columns::sum;
use super::fault::Outcome;
use super::sql::{Args, Columns, Many, corrupt, optional, rows};
use crate::Lane;
use crate::delivery::Response;
use crate::event::{Part, Request};
use crate::read::{AttemptRow, DeliveryRow, EventRow, RevisionRow};
use crate::replay::RevisionOrigin;

macro_rules! delivery_columns {
    () => {
        "d.id, d.event, d.lane, d.state, d.kind, d.stage, d.status, d.message, d.grp, d.attempts, d.tries_before, d.revision,
         d.key, d.event_type, d.accepted_at, d.round_started_at, d.due_at, d.ended_at, d.latency_us, d.sending_since,
         d.conflict_of, d.replay"
    };
}

static BY_ID: Many = Many::new(
    "WITH wanted (at, id) AS (VALUES",
    2,
    concat!(
        ") SELECT ",
        delivery_columns!(),
        " FROM wanted CROSS JOIN delivery d ON d.id = wanted.id ORDER BY wanted.at"
    ),
);

/// In the order of the ids; those that are not there are left out.
pub(super) async fn deliveries(
    conn: &mut SqliteConnection,
    ids: &[DeliveryId],
    lanes: &[Lane],
) -> Outcome<Vec<DeliveryRow>> {
    let numbered: Vec<(i64, DeliveryId)> = (0..).zip(ids.iter().copied()).collect();
    let rows = BY_ID
        .query(conn, &numbered, |args, (at, id)| {
            args.int(*at).id(*id);
        })
        .await?;
    rows.iter().map(|row| delivery(row, lanes)).collect()
}

pub(super) async fn of_event(conn: &mut SqliteConnection, event: EventId, lanes: &[Lane]) -> Outcome<Vec<DeliveryRow>> {
    let mut args = Args::default();
    args.id(event);
    let sql = concat!("SELECT ", delivery_columns!(), " FROM delivery d WHERE d.event = ? ORDER BY d.id");
    rows(conn, sql, args).await?.iter().map(|row| delivery(row, lanes)).collect()
}

fn delivery(row: &SqliteRow, lanes: &[Lane]) -> Outcome<DeliveryRow> {
    let lane = row.get_lane(2)?;
    let state = row.get_state(3)?;
    let names = lanes.iter().find(|known| known.id == lane).ok_or_else(|| corrupt("a delivery's lane"))?;
    Ok(DeliveryRow {
        id: row.get_id(0)?,
        event: row.get_id(1)?,
        lane,
        integration: names.integration.clone(),
        destination: names.destination.clone(),
        system: names.system.clone(),
        state,
        reason: (state == DeliveryState::Held).then_some(HeldReason::Order),
        kind: row.get_kind(4)?,
        stage: row.get_stage(5)?,
        status: row.get_status(6)?,
        message: row.get_opt_text(7)?,
        group: row.get_opt_id(8)?,
        attempts: row.get_u32(9)?,
        tries_before: row.get_u32(10)?,
        revision: row.get_u32(11)?,
        key: row.get_opt_text(12)?,
        event_type: row.get_opt_text(13)?,
        accepted_at: row.get_time(14)?,
        round_started_at: row.get_time(15)?,
        due_at: row.get_opt_time(16)?,
        ended_at: row.get_opt_time(17)?,
        latency_us: row.get_opt_u64(18)?,
        sending_since: row.get_opt_time(19)?,
        conflict_of: row.get_opt_id(20)?,
        replay: row.get_opt_id(21)?,
    })
}

/// Oldest first; an open attempt comes from the delivery's own row.
pub(super) async fn attempts(conn: &mut SqliteConnection, id: DeliveryId) -> Outcome<Vec<AttemptRow>> {
    let mut args = Args::default();
    args.id(id);
    let sql =
        "SELECT number, id, revision, started_at, ended_at, status, kind, error, wait_us, total_us, url, waited_for,
               next_due_at, response_size, response_truncated, response_headers, response_body
               FROM attempt WHERE delivery = ? ORDER BY number";
    let mut attempts: Vec<AttemptRow> = rows(conn, sql, args).await?.iter().map(attempt).collect::<Outcome<_>>()?;
    let mut batches = batches::of_delivery(conn, id).await?;
    for attempt in &mut attempts {
        attempt.batch = batches.remove(&attempt.number);
    }
    let mut args = Args::default();
    args.id(id);
    let sql = "SELECT attempts, revision, sending_since FROM delivery WHERE id = ? AND state = 'sending'";
    if let Some(row) = optional(conn, sql, args).await? {
        attempts.push(open_attempt(id, row.get_u32(0)?, row.get_u32(1)?, row.get_time(2)?));
    }
    Ok(attempts)
}

fn attempt(row: &SqliteRow) -> Outcome<AttemptRow> {
    let response = match row.get_opt_blob(16)? {
        None => None,
        Some(body) => Some(Response {
            size: row.get_u64(13)?,
            truncated: row.get_flag(14)?,
            headers: row.get_pairs(15)?,
            body: Bytes::from(body),
        }),
    };
    Ok(AttemptRow {
        number: row.get_u32(0)?,
        id: row.get_id(1)?,
        revision: row.get_u32(2)?,
        started_at: row.get_time(3)?,
        ended_at: row.get_opt_time(4)?,
        status: row.get_status(5)?,
        kind: row.get_kind(6)?,
        error: row.get_opt_text(7)?,
        wait_us: row.get_opt_u64(8)?,
        total_us: row.get_opt_u64(9)?,
        url: row.get_opt_text(10)?,
        waited_for: row.get_opt_text(11)?,
        next_due_at: row.get_opt_time(12)?,
        response,
        batch: None,
    })
}

fn open_attempt(delivery: DeliveryId, number: u32, revision: u32, since: Timestamp) -> AttemptRow {
    AttemptRow {
        number,
        revision,
        id: open_attempt_id(delivery, number, since),
        started_at: since,
        ended_at: None,
        status: None,
        kind: None,
        error: None,
        wait_us: None,
        total_us: None,
        url: None,
        waited_for: None,
        next_due_at: None,
        response: None,
        batch: None,
    }
}

pub(super) async fn revisions(conn: &mut SqliteConnection, id: DeliveryId) -> Outcome<Vec<RevisionRow>> {
    let mut args = Args::default();
    args.id(id);
    let sql = "SELECT r.number, r.origin, r.created_at, r.method, r.path, r.headers, ifnull(r.body, b.body), r.sum
               FROM revision r JOIN delivery d ON d.id = r.delivery LEFT JOIN event e ON e.id = d.event
               LEFT JOIN event_body b ON b.seq = e.seq WHERE r.delivery = ? ORDER BY r.number";
    let read = |row: &SqliteRow| {
        let number = row.get_u32(0)?;
        Ok(RevisionRow {
            number,
            origin: RevisionOrigin::parse(&row.get_text(1)?).ok_or_else(|| corrupt("a revision's origin"))?,
            created_at: row.get_time(2)?,
            request: Request {
                method: row.get_text(3)?,
                path: row.get_text(4)?,
                headers: row.get_pairs(5)?,
                body: row.get_whole(6, 7, |body| sum(id, number, body))?,
            },
        })
    };
    rows(conn, sql, args).await?.iter().map(read).collect()
}

pub(super) async fn event(conn: &mut SqliteConnection, id: EventId) -> Outcome<Option<EventRow>> {
    let mut args = Args::default();
    args.id(id);
    let sql = "SELECT id, integration, version, received_at, source_id, event_type, key, method, path, query, headers,
               content_type, size, notes, conflict_of, unplanned, part, parts, request FROM event WHERE id = ?";
    let Some(row) = optional(conn, sql, args).await? else { return Ok(None) };
    let notes = row.get_text(13)?;
    Ok(Some(EventRow {
        id: row.get_id(0)?,
        integration: row.get_text(1)?,
        version: row.get_text(2)?,
        received_at: row.get_time(3)?,
        source_id: row.get_opt_text(4)?,
        event_type: row.get_opt_text(5)?,
        key: row.get_opt_text(6)?,
        method: row.get_text(7)?,
        path: row.get_text(8)?,
        query: row.get_opt_text(9)?,
        headers: row.get_pairs(10)?,
        content_type: row.get_opt_text(11)?,
        size: row.get_u64(12)?,
        notes: notes.split(',').filter(|note| !note.is_empty()).map(str::to_owned).collect(),
        conflict_of: row.get_opt_id(14)?,
        unplanned: row.get_flag(15)?,
        part: match row.get_opt_id(18)? {
            Some(request) => Some(Part { request, index: row.get_u32(16)?, of: row.get_u32(17)? }),
            None => None,
        },
    }))
}

pub(super) async fn events_of(conn: &mut SqliteConnection, request: EventId) -> Outcome<Vec<EventId>> {
    let mut args = Args::default();
    args.id(request);
    let sql = "SELECT id FROM event WHERE request = ? ORDER BY part";
    rows(conn, sql, args).await?.iter().map(|row| row.get_id(0)).collect()
}

pub(super) async fn event_body(conn: &mut SqliteConnection, id: EventId) -> Outcome<Option<Bytes>> {
    let mut args = Args::default();
    args.id(id);
    // The id as the row itself has it: a damaged index may have led to another event.
    let sql = "SELECT b.body, e.body_hash, (SELECT f.id FROM event f WHERE f.seq = e.seq)
               FROM event e JOIN event_body b ON b.seq = e.seq WHERE e.id = ?";
    let Some(row) = optional(conn, sql, args).await? else { return Ok(None) };
    if row.get_id::<EventId>(2)? != id {
        return Err(corrupt("the place of an event"));
    }
    row.get_whole(0, 1, |body| *blake3::hash(body).as_bytes()).map(Some)
}
