//! A replay's figures, kept up in the commit that moves its items.

use signalbox_model::{DeliveryId, ReplayId};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, execute};
use crate::Change;
use crate::replay::ItemState;

/// A delivery that this replay had sent has ended. One that is no longer the replay's is left alone.
pub(super) async fn end_item(
    ledger: &mut Ledger,
    replay: ReplayId,
    delivery: DeliveryId,
    to: ItemState,
) -> Outcome<()> {
    let mut args = Args::default();
    args.text(to.as_str()).id(replay).id(delivery);
    let item = "UPDATE replay_item SET state = ? WHERE replay = ? AND delivery = ? AND state = 'sent'";
    if execute(&mut ledger.conn, item, args).await? == 0 {
        return Ok(());
    }
    let mut args = Args::default();
    args.id(replay).id(delivery);
    // It has ended by itself: there is nothing to put back any more.
    execute(&mut ledger.conn, "DELETE FROM replay_before WHERE replay = ? AND delivery = ?", args).await?;
    let count = match to {
        ItemState::Delivered => "UPDATE replay SET sent = sent - 1, delivered = delivered + 1 WHERE id = ?",
        ItemState::Dead => "UPDATE replay SET sent = sent - 1, dead = dead + 1 WHERE id = ?",
        ItemState::Skipped => "UPDATE replay SET sent = sent - 1, skipped_state = skipped_state + 1 WHERE id = ?",
        ItemState::Pending => "UPDATE replay SET sent = sent - 1, pending = pending + 1 WHERE id = ?",
        ItemState::Sent => return Ok(()),
    };
    let mut args = Args::default();
    args.id(replay);
    execute(&mut ledger.conn, count, args).await?;
    ledger.changes.push(Change::ReplayMoved { replay });
    Ok(())
}
