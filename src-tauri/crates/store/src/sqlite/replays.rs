//! Replay jobs: planning, moves, and what each item becomes.

use std::collections::HashSet;

use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, DeliveryState, ReplayId, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::progress::parse_item_state;
use super::sql::{Args, Columns, Many, corrupt, execute, optional, rows};
use super::{order, plan};
use crate::event::Failure;
use crate::replay::{ItemState, NewRevision, ReplayMove, ReplayRow, ReplaySettings, Requeued};
use crate::{Change, LaneId};

static ITEMS: Many = Many::new("INSERT INTO replay_item (replay, delivery, state) VALUES", 3, "");

/// A plan without its items yet.
pub(super) struct Begin {
    pub id: ReplayId,
    pub settings: ReplaySettings,
    pub newer: NewerPolicy,
    pub created_at: Timestamp,
}

pub(super) async fn begin(ledger: &mut Ledger, input: &Begin) -> Outcome<()> {
    let Begin { id, settings, newer, created_at } = input;
    let mut args = Args::default();
    args.id(*id)
        .text(settings.mode.as_str())
        .real(settings.rate)
        .int(settings.canary)
        .opt_text(settings.reason.as_deref());
    args.text(newer_word(*newer)).time(*created_at);
    let sql = "INSERT INTO replay (id, state, mode, rate, canary, reason, newer, created_at, frozen, total, pending, sent,
               delivered, dead, skipped_newer, skipped_state) VALUES (?, 'planned', ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, 0)";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

pub(super) async fn add_items(ledger: &mut Ledger, input: &(ReplayId, Vec<DeliveryId>)) -> Outcome<()> {
    let (id, deliveries) = input;
    ITEMS
        .insert(&mut ledger.conn, deliveries, |args, delivery| {
            args.id(*id).id(*delivery).text("pending");
        })
        .await?;
    Ok(())
}

pub(super) struct Freeze {
    pub id: ReplayId,
    pub total: u64,
    pub skipped_newer: u64,
    pub skipped_state: u64,
}

pub(super) async fn freeze(ledger: &mut Ledger, input: &Freeze) -> Outcome<()> {
    let mut args = Args::default();
    args.count(input.total).count(input.total).count(input.skipped_newer).count(input.skipped_state).id(input.id);
    let sql = "UPDATE replay SET frozen = 1, total = ?, pending = ?, skipped_newer = ?, skipped_state = ? WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay: input.id });
    Ok(())
}

pub(super) async fn start(ledger: &mut Ledger, input: &(ReplayId, ReplaySettings, Timestamp)) -> Outcome<ReplayMove> {
    let (id, settings, now) = input;
    let mut args = Args::default();
    args.text(settings.mode.as_str()).real(settings.rate).int(settings.canary).opt_text(settings.reason.as_deref());
    args.time(*now).id(*id);
    let sql = "UPDATE replay SET state = 'running', mode = ?, rate = ?, canary = ?, reason = ?, started_at = ?
               WHERE id = ? AND state = 'planned' AND frozen = 1";
    if execute(&mut ledger.conn, sql, args).await? == 1 {
        ledger.changes.push(Change::ReplayMoved { replay: *id });
        return Ok(ReplayMove::Moved);
    }
    Ok(state(&mut ledger.conn, *id).await?.map_or(ReplayMove::Missing, ReplayMove::WrongState))
}

async fn state(conn: &mut SqliteConnection, id: ReplayId) -> Outcome<Option<ReplayState>> {
    let mut args = Args::default();
    args.id(id);
    let row = optional(conn, "SELECT state FROM replay WHERE id = ? AND frozen = 1", args).await?;
    let parse = |row: SqliteRow| ReplayState::parse(&row.get_text(0)?).ok_or_else(|| corrupt("a replay's state"));
    row.map(parse).transpose()
}

pub(super) struct Move {
    pub id: ReplayId,
    pub to: ReplayState,
    pub because: Option<String>,
    pub now: Timestamp,
}

pub(super) async fn shift(ledger: &mut Ledger, input: &Move) -> Outcome<ReplayMove> {
    let Some(from) = state(&mut ledger.conn, input.id).await? else { return Ok(ReplayMove::Missing) };
    if !possible(from, input.to) {
        return Ok(ReplayMove::WrongState(from));
    }
    let ends = matches!(input.to, ReplayState::Done | ReplayState::Cancelled | ReplayState::Stopped);
    let mut args = Args::default();
    args.text(input.to.as_str()).opt_text(input.because.as_deref()).opt_time(ends.then_some(input.now)).id(input.id);
    let sql = "UPDATE replay SET state = ?, stopped_because = ?, ended_at = ? WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay: input.id });
    Ok(ReplayMove::Moved)
}

const fn possible(from: ReplayState, to: ReplayState) -> bool {
    use ReplayState::{Cancelled, Done, Paused, Planned, Running, Stopped};
    matches!(
        (from, to),
        (Running, Paused | Done | Stopped)
            | (Paused, Running | Done | Stopped)
            | (Planned | Running | Paused, Cancelled)
    )
}

pub(super) async fn next_items(conn: &mut SqliteConnection, id: ReplayId, limit: u32) -> Outcome<Vec<DeliveryId>> {
    let mut args = Args::default();
    args.id(id).int(limit);
    let sql = "SELECT delivery FROM replay_item WHERE replay = ? AND state = 'pending' ORDER BY delivery LIMIT ?";
    rows(conn, sql, args).await?.iter().map(|row| row.get_id(0)).collect()
}

pub(super) struct Requeue {
    pub replay: ReplayId,
    pub delivery: DeliveryId,
    pub revision: Option<NewRevision>,
    pub now: Timestamp,
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
}

async fn item(ledger: &mut Ledger, replay: ReplayId, delivery: DeliveryId) -> Outcome<Option<Item>> {
    let mut args = Args::default();
    args.id(replay).id(delivery);
    let sql = "SELECT d.lane, d.key, d.state, d.revision, d.attempts, r.newer = 'skip', e.body_hash
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
    }))
}

pub(super) async fn requeue(ledger: &mut Ledger, input: &Requeue) -> Outcome<Requeued> {
    // Paused, cancelled or taken already: nothing happens to the delivery.
    let Some(item) = item(ledger, input.replay, input.delivery).await? else { return Ok(Requeued::SkippedState) };
    // A mapping failure replayed as it is has nothing to send.
    let nothing_to_send = item.revision == 0 && input.revision.is_none();
    if item.state != DeliveryState::Dead || nothing_to_send {
        settle_item(ledger, input, ItemState::Skipped, "skipped_state").await?;
        return Ok(Requeued::SkippedState);
    }
    if item.skips_newer && has_newer(ledger, &item, input.delivery).await? {
        supersede(ledger, input, &item).await?;
        settle_item(ledger, input, ItemState::Skipped, "skipped_newer").await?;
        return Ok(Requeued::SkippedNewer);
    }
    let revision = match &input.revision {
        None => item.revision,
        Some(new) => {
            let number = item.revision.saturating_add(1);
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
    moved(ledger, item.lane, place, input.now);
    let mut args = Args::default();
    args.time(input.now).id(input.delivery).int(item.attempts);
    let sql = "UPDATE attempt SET waited_for = 'replay', next_due_at = ? WHERE delivery = ? AND number = ?";
    execute(&mut ledger.conn, sql, args).await?;
    settle_item(ledger, input, ItemState::Sent, "sent").await?;
    let lane = item.lane;
    let Some(key) = item.key else { return Ok(Requeued::Queued { lane }) };
    order::settle(ledger, HashSet::from([(lane, key)]), input.now).await?;
    let mut args = Args::default();
    args.id(input.delivery);
    let row = optional(&mut ledger.conn, "SELECT state FROM delivery WHERE id = ?", args).await?;
    let state = row.map_or(Ok(DeliveryState::Held), |row| row.get_state(0))?;
    Ok(if state == DeliveryState::Held { Requeued::Held { lane } } else { Requeued::Queued { lane } })
}

async fn has_newer(ledger: &mut Ledger, item: &Item, delivery: DeliveryId) -> Outcome<bool> {
    let Some(key) = &item.key else { return Ok(false) };
    let mut args = Args::default();
    args.text(key).id(delivery).lane(item.lane);
    let sql =
        "SELECT 1 FROM delivery INDEXED BY delivery_key WHERE key = ? AND id > ? AND lane = ? AND state = 'delivered'
               LIMIT 1";
    Ok(optional(&mut ledger.conn, sql, args).await?.is_some())
}

async fn supersede(ledger: &mut Ledger, input: &Requeue, item: &Item) -> Outcome<()> {
    let mut args = Args::default();
    args.time(input.now).id(input.delivery);
    let sql = "UPDATE delivery SET state = 'superseded', ended_at = ?, park = 0 WHERE id = ?";
    execute(&mut ledger.conn, sql, args).await?;
    moved(ledger, item.lane, DeliveryState::Superseded, input.now);
    let keys = item.key.clone().map(|key| (item.lane, key)).into_iter().collect();
    order::settle(ledger, keys, input.now).await?;
    Ok(())
}

fn moved(ledger: &mut Ledger, lane: LaneId, to: DeliveryState, at: Timestamp) {
    let from = DeliveryState::Dead;
    ledger.changes.push(Change::Moved { lane, from, to, at, latency_us: None });
}

/// A pending item becomes something else and is counted there.
async fn settle_item(ledger: &mut Ledger, input: &Requeue, to: ItemState, count: &'static str) -> Outcome<()> {
    let mut args = Args::default();
    args.text(super::progress::item_state(to)).id(input.replay).id(input.delivery);
    let sql = "UPDATE replay_item SET state = ? WHERE replay = ? AND delivery = ? AND state = 'pending'";
    execute(&mut ledger.conn, sql, args).await?;
    let sql = match count {
        "sent" => "UPDATE replay SET pending = pending - 1, sent = sent + 1 WHERE id = ?",
        "dead" => "UPDATE replay SET pending = pending - 1, dead = dead + 1 WHERE id = ?",
        "skipped_newer" => "UPDATE replay SET pending = pending - 1, skipped_newer = skipped_newer + 1 WHERE id = ?",
        _ => "UPDATE replay SET pending = pending - 1, skipped_state = skipped_state + 1 WHERE id = ?",
    };
    let mut args = Args::default();
    args.id(input.replay);
    execute(&mut ledger.conn, sql, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay: input.replay });
    Ok(())
}

pub(super) async fn fail_item(ledger: &mut Ledger, input: &(Requeue, Failure)) -> Outcome<()> {
    let (input, failure) = input;
    let Some(item) = item(ledger, input.replay, input.delivery).await? else { return Ok(()) };
    if item.state != DeliveryState::Dead {
        return settle_item(ledger, input, ItemState::Skipped, "skipped_state").await;
    }
    plan::kill(ledger, input.delivery, failure, input.now).await?;
    moved(ledger, item.lane, DeliveryState::Dead, input.now);
    settle_item(ledger, input, ItemState::Dead, "dead").await?;
    // It may have stopped parking its key.
    let keys = item.key.map(|key| (item.lane, key)).into_iter().collect();
    order::settle(ledger, keys, input.now).await?;
    Ok(())
}

/// Plans that were being written when the process ended.
pub(super) async fn drop_unfinished(conn: &mut SqliteConnection) -> Outcome<u64> {
    execute(conn, "DELETE FROM replay WHERE frozen = 0", Args::default()).await
}

pub(super) async fn item_state(
    conn: &mut SqliteConnection,
    id: ReplayId,
    delivery: DeliveryId,
) -> Outcome<Option<ItemState>> {
    let mut args = Args::default();
    args.id(id).id(delivery);
    let row = optional(conn, "SELECT state FROM replay_item WHERE replay = ? AND delivery = ?", args).await?;
    let parse = |row: SqliteRow| parse_item_state(&row.get_text(0)?).ok_or_else(|| corrupt("an item's state"));
    row.map(parse).transpose()
}

macro_rules! replay_columns {
    () => {
        "SELECT id, state, mode, rate, canary, reason, newer, created_at, started_at, ended_at, stopped_because, total,
         sent, delivered, dead, skipped_newer, skipped_state, pending FROM replay WHERE frozen = 1"
    };
}

pub(super) async fn one(conn: &mut SqliteConnection, id: ReplayId) -> Outcome<Option<ReplayRow>> {
    let mut args = Args::default();
    args.id(id);
    optional(conn, concat!(replay_columns!(), " AND id = ?"), args).await?.map(|row| read(&row)).transpose()
}

pub(super) async fn list(conn: &mut SqliteConnection, only_open: bool, limit: u32) -> Outcome<Vec<ReplayRow>> {
    let mut args = Args::default();
    args.int(only_open).int(limit);
    let sql = concat!(replay_columns!(), " AND (? = 0 OR state IN ('running', 'paused')) ORDER BY id DESC LIMIT ?");
    rows(conn, sql, args).await?.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Outcome<ReplayRow> {
    let mode = match row.get_text(2)?.as_str() {
        "remap" => ReplayMode::Remap,
        "exact" => ReplayMode::Exact,
        _ => return Err(corrupt("a replay's mode")),
    };
    Ok(ReplayRow {
        id: row.get_id(0)?,
        state: ReplayState::parse(&row.get_text(1)?).ok_or_else(|| corrupt("a replay's state"))?,
        settings: ReplaySettings {
            mode,
            rate: row.get_real(3)?,
            canary: row.get_flag(4)?,
            reason: row.get_opt_text(5)?,
        },
        newer: if row.get_text(6)? == newer_word(NewerPolicy::Send) { NewerPolicy::Send } else { NewerPolicy::Skip },
        created_at: row.get_time(7)?,
        started_at: row.get_opt_time(8)?,
        ended_at: row.get_opt_time(9)?,
        stopped_because: row.get_opt_text(10)?,
        total: row.get_u64(11)?,
        sent: row.get_u64(12)?,
        delivered: row.get_u64(13)?,
        dead: row.get_u64(14)?,
        skipped_newer: row.get_u64(15)?,
        skipped_state: row.get_u64(16)?,
        pending: row.get_u64(17)?,
    })
}

const fn newer_word(newer: NewerPolicy) -> &'static str {
    match newer {
        NewerPolicy::Skip => "skip",
        NewerPolicy::Send => "send",
    }
}
