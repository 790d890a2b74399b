//! Replay jobs: planning and moves. What each item becomes is in `replay_items`.

use bytes::Bytes;
use signalbox_model::replay::{NewerPolicy, ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, ReplayId, Timestamp};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, corrupt, execute, optional, rows};
use crate::Change;
use crate::replay::{BodyChange, ItemState, ReplayMove, ReplayRow, ReplaySettings};

static ITEMS: Many = Many::new("INSERT INTO replay_item (replay, delivery, state) VALUES", 3, "");

/// A plan without its items yet.
pub(super) struct Begin {
    pub id: ReplayId,
    pub settings: ReplaySettings,
    pub newer: NewerPolicy,
    pub change: Option<BodyChange>,
    pub created_at: Timestamp,
}

pub(super) async fn begin(ledger: &mut Ledger, input: &Begin) -> Outcome<()> {
    let Begin { id, settings, newer, change, created_at } = input;
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
    set_change(ledger, *id, change.as_ref()).await
}

/// A replay has one change at most; none leaves the one that it has.
async fn set_change(ledger: &mut Ledger, id: ReplayId, change: Option<&BodyChange>) -> Outcome<()> {
    let (patch, edit) = match change {
        None => return Ok(()),
        Some(BodyChange::Patch(patch)) => (Some(patch.as_str()), None),
        Some(BodyChange::Edit(body)) => (None, Some(body.as_ref())),
    };
    let mut args = Args::default();
    args.id(id).opt_text(patch).opt_blob(edit);
    execute(&mut ledger.conn, "INSERT OR REPLACE INTO replay_change (replay, patch, edit) VALUES (?, ?, ?)", args)
        .await?;
    Ok(())
}

pub(super) async fn body_change(conn: &mut SqliteConnection, id: ReplayId) -> Outcome<Option<BodyChange>> {
    let mut args = Args::default();
    args.id(id);
    let Some(row) = optional(conn, "SELECT patch, edit FROM replay_change WHERE replay = ?", args).await? else {
        return Ok(None);
    };
    match (row.get_opt_text(0)?, row.get_opt_blob(1)?) {
        (Some(patch), _) => Ok(Some(BodyChange::Patch(patch))),
        (None, Some(body)) => Ok(Some(BodyChange::Edit(Bytes::from(body)))),
        (None, None) => Err(corrupt("a replay's change")),
    }
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

pub(super) struct Start {
    pub id: ReplayId,
    pub settings: ReplaySettings,
    pub change: Option<BodyChange>,
    pub now: Timestamp,
}

pub(super) async fn start(ledger: &mut Ledger, input: &Start) -> Outcome<ReplayMove> {
    let Start { id, settings, change, now } = input;
    let mut args = Args::default();
    args.text(settings.mode.as_str()).real(settings.rate).int(settings.canary).opt_text(settings.reason.as_deref());
    args.time(*now).id(*id);
    let sql = "UPDATE replay SET state = 'running', mode = ?, rate = ?, canary = ?, reason = ?, started_at = ?
               WHERE id = ? AND state = 'planned' AND frozen = 1";
    if execute(&mut ledger.conn, sql, args).await? == 1 {
        set_change(ledger, *id, change.as_ref()).await?;
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
    let parse = |row: SqliteRow| ItemState::parse(&row.get_text(0)?).ok_or_else(|| corrupt("an item's state"));
    row.map(parse).transpose()
}

macro_rules! replay_columns {
    () => {
        "SELECT id, state, mode, rate, canary, reason, newer, created_at, started_at, ended_at, stopped_because, total,
         sent, delivered, dead, skipped_newer, skipped_state, pending, skipped_patch, skipped_parked, undone FROM replay WHERE frozen = 1"
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
        skipped_patch: row.get_u64(18)?,
        skipped_parked: row.get_u64(19)?,
        undone: row.get_u64(20)?,
    })
}

const fn newer_word(newer: NewerPolicy) -> &'static str {
    match newer {
        NewerPolicy::Skip => "skip",
        NewerPolicy::Send => "send",
    }
}
