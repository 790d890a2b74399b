//! Requests that were refused at the door.

use bytes::Bytes;
use signalbox_model::RejectedId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, execute, optional, rows};
use crate::Change;
use crate::event::{REJECTED_KEPT, Rejected};

pub(super) async fn reject(ledger: &mut Ledger, input: &Rejected) -> Outcome<()> {
    let mut args = Args::default();
    args.id(input.id).time(input.at).opt_text(input.integration.as_deref()).text(&input.path).int(input.status);
    args.text(&input.code).text(&input.reason).text(&input.remote).count(input.size).pairs(&input.headers);
    args.blob(&input.body);
    let sql = "INSERT INTO rejected (id, at, integration, path, status, code, reason, remote, size, headers, body)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq";
    let row = optional(&mut ledger.conn, sql, args).await?;
    let seq = row.map_or(Ok(0), |row| row.get_int(0))?;
    let mut args = Args::default();
    args.int(seq - i64::from(REJECTED_KEPT));
    execute(&mut ledger.conn, "DELETE FROM rejected WHERE seq <= ?", args).await?;
    ledger.changes.push(Change::Rejected { at: input.at });
    Ok(())
}

pub(super) struct Diagnosed {
    pub id: RejectedId,
    pub doctor: String,
}

pub(super) async fn diagnose(ledger: &mut Ledger, input: &Diagnosed) -> Outcome<()> {
    let mut args = Args::default();
    args.text(&input.doctor).id(input.id);
    if execute(&mut ledger.conn, "UPDATE rejected SET doctor = ? WHERE id = ?", args).await? > 0 {
        ledger.changes.push(Change::Diagnosed);
    }
    Ok(())
}

pub(super) async fn list(
    conn: &mut SqliteConnection,
    cursor: Option<RejectedId>,
    limit: u32,
) -> Outcome<Vec<Rejected>> {
    let mut args = Args::default();
    args.id(cursor.unwrap_or(RejectedId::from_bits(u128::MAX))).int(limit);
    let sql =
        "SELECT id, at, integration, path, status, code, reason, remote, size, headers, body, doctor FROM rejected
               WHERE id < ? ORDER BY id DESC LIMIT ?";
    let read = |row: &SqliteRow| {
        Ok(Rejected {
            id: row.get_id(0)?,
            at: row.get_time(1)?,
            integration: row.get_opt_text(2)?,
            path: row.get_text(3)?,
            status: row.get_status(4)?.unwrap_or(0),
            code: row.get_text(5)?,
            reason: row.get_text(6)?,
            remote: row.get_text(7)?,
            size: row.get_u64(8)?,
            headers: row.get_pairs(9)?,
            body: Bytes::from(row.get_blob(10)?),
            doctor: row.get_opt_text(11)?,
        })
    };
    rows(conn, sql, args).await?.iter().map(read).collect()
}
