//! Attempts that went out in one request: their common end, and who went with whom.

use std::collections::BTreeMap;

use signalbox_model::DeliveryId;
use sqlx::sqlite::SqliteConnection;

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, Script, execute, rows};
use super::writer::hot;
use crate::delivery::{Completed, EndedBatch};
use crate::read::{AttemptBatch, BatchRecord, RecordEnd};

static RECORDS: Many = Many::new(
    "WITH record (batch, place, delivery) AS (VALUES",
    3,
    ") INSERT INTO batch_record (delivery, number, batch, place)
       SELECT d.id, d.attempts, record.batch, record.place FROM record CROSS JOIN delivery d ON d.id = record.delivery",
);

pub(super) async fn complete_batch(ledger: &mut Ledger, batch: &EndedBatch) -> Outcome<Vec<Completed>> {
    let completions: Vec<_> = batch.completions.iter().collect();
    let completed = hot(ledger, Script::default(), completions.clone(), Vec::new(), None).await?.completions;
    let mut args = Args::default();
    args.id(batch.id).text(&batch.key).int(i64::try_from(completions.len()).unwrap_or(i64::MAX));
    execute(&mut ledger.conn, "INSERT INTO batch (id, key, size) VALUES (?, ?, ?)", args).await?;
    // A stale end wrote no attempt.
    let records: Vec<(i64, DeliveryId)> = (0..)
        .zip(completions.iter().zip(&completed))
        .filter(|(_, (_, completed))| matches!(completed, Completed::Applied { .. }))
        .map(|(place, (completion, _))| (place, completion.delivery))
        .collect();
    RECORDS
        .update(&mut ledger.conn, &records, |args, (place, delivery)| {
            args.id(batch.id).int(*place).id(*delivery);
        })
        .await?;
    Ok(completed)
}

/// By the number of the delivery's attempt.
pub(super) async fn of_delivery(conn: &mut SqliteConnection, id: DeliveryId) -> Outcome<BTreeMap<u32, AttemptBatch>> {
    let mut args = Args::default();
    args.id(id);
    let sql = "SELECT mine.number, b.key, b.size, other.delivery, a.kind IS NULL, a.next_due_at IS NOT NULL, a.error
               FROM batch_record mine JOIN batch b ON b.id = mine.batch JOIN batch_record other ON other.batch = b.id
               JOIN attempt a ON a.delivery = other.delivery AND a.number = other.number
               WHERE mine.delivery = ? ORDER BY mine.number, other.place";
    let mut batches: BTreeMap<u32, AttemptBatch> = BTreeMap::new();
    for row in rows(conn, sql, args).await? {
        let (key, size) = (row.get_text(1)?, row.get_u32(2)?);
        let batch = batches.entry(row.get_u32(0)?).or_insert(AttemptBatch { key, size, records: Vec::new() });
        let end = match (row.get_flag(4)?, row.get_flag(5)?) {
            (true, _) => RecordEnd::Delivered,
            (false, true) => RecordEnd::Retrying,
            (false, false) => RecordEnd::Dead,
        };
        batch.records.push(BatchRecord { delivery: row.get_id(3)?, end, message: row.get_opt_text(6)? });
    }
    Ok(batches)
}
