//! The replays and discards that one delivery was part of.

use signalbox_model::DeliveryId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::sql::{Args, Columns, corrupt, rows};
use super::supersede;
use crate::replay::{DeliveryHistory, DiscardedOnce, ItemState, ReplayedOnce};

pub(super) async fn of(conn: &mut SqliteConnection, delivery: DeliveryId) -> Outcome<DeliveryHistory> {
    let mut args = Args::default();
    args.id(delivery);
    let sql = "SELECT replay, ifnull(at, 0), state, message, undone_at FROM replay_item
               WHERE delivery = ? AND state <> 'pending' ORDER BY at, replay LIMIT 1000";
    let replayed = |row: &SqliteRow| {
        Ok(ReplayedOnce {
            replay: row.get_id(0)?,
            at: row.get_time(1)?,
            state: ItemState::parse(&row.get_text(2)?).ok_or_else(|| corrupt("an item's state"))?,
            superseded: row.get_opt_text(3)?.is_some_and(|why| why.starts_with(supersede::BECAUSE)),
            message: row.get_opt_text(3)?,
            undone_at: row.get_opt_time(4)?,
        })
    };
    let replays = rows(conn, sql, args).await?.iter().map(replayed).collect::<Outcome<_>>()?;
    let mut args = Args::default();
    args.id(delivery);
    let sql = "SELECT i.discard, d.at, d.reason, i.restored_at FROM discard_item i JOIN discard d ON d.id = i.discard
               WHERE i.delivery = ? ORDER BY d.at, i.discard LIMIT 1000";
    let discarded = |row: &SqliteRow| {
        Ok(DiscardedOnce {
            discard: row.get_id(0)?,
            at: row.get_time(1)?,
            reason: row.get_opt_text(2)?,
            restored_at: row.get_opt_time(3)?,
        })
    };
    let discards = rows(conn, sql, args).await?.iter().map(discarded).collect::<Outcome<_>>()?;
    Ok(DeliveryHistory { replays, discards })
}
