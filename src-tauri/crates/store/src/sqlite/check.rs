//! The whole check: every page, every index, the body of every event and revision. As long as the ledger is large.
//!
//! Stored answers have no sum: one per attempt would be paid on the way of every delivery, for bytes that are only shown.

use std::path::Path;
use std::sync::Arc;

use signalbox_model::{Clock, DeliveryId, EventId};
use sqlx::sqlite::SqliteConnection;

use super::columns::sum;
use super::connect;
use super::fault::{Outcome, plain};
use super::sql::{Args, Columns, rows};
use super::{FILE, SqliteOptions, SqliteStore};
use crate::{Change, Observer, StoreError};

/// Problems that are told; more than a few say nothing new.
const MOST: usize = 20;
/// Bodies of one look.
const AT_ONCE: i64 = 500;

struct Nobody;

impl Observer for Nobody {
    fn committed(&self, _changes: &[Change]) {}
}

/// What is wrong with the ledger in `dir`, which nobody has open; empty: nothing. With `accept_loss`, a ledger whose newest
/// events are gone is made one that starts again.
///
/// # Errors
/// It cannot be opened at all.
pub async fn check(dir: &Path, accept_loss: bool, clock: Arc<dyn Clock>) -> Result<Vec<String>, StoreError> {
    let file = dir.join(FILE);
    let wrong = |reason: String| StoreError::Open { path: file.clone(), reason };
    let options = SqliteOptions { accept_loss, ..SqliteOptions::default() };
    let store = SqliteStore::open(dir, options, clock, Arc::new(Nobody)).await?;
    let mut conn = connect::reader(&file, None).await.map_err(wrong)?;
    let found = look(&mut conn).await;
    connect::close(conn).await.map_err(|error| wrong(error.to_string()))?;
    store.close().await;
    Ok(match found {
        Ok(found) => found,
        // It stopped at what it could not read, which is the finding.
        Err(fault) => vec![plain(fault)],
    })
}

async fn look(conn: &mut SqliteConnection) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for row in rows(conn, "PRAGMA integrity_check(20)", Args::default()).await? {
        let text = row.get_text(0)?;
        if text != "ok" {
            found.push(text);
        }
    }
    bodies(conn, &mut found).await?;
    revisions(conn, &mut found).await?;
    found.truncate(MOST);
    Ok(found)
}

async fn bodies(conn: &mut SqliteConnection, found: &mut Vec<String>) -> Outcome<()> {
    let mut from = 0;
    while found.len() < MOST {
        let mut args = Args::default();
        args.int(from).int(AT_ONCE);
        let sql = "SELECT e.seq, e.id, e.body_hash, b.body FROM event e LEFT JOIN event_body b ON b.seq = e.seq
                   WHERE e.seq > ? ORDER BY e.seq LIMIT ?";
        let some = rows(conn, sql, args).await?;
        let Some(last) = some.last() else { break };
        from = last.get_int(0)?;
        for row in &some {
            let body = row.get_opt_blob(3)?.unwrap_or_default();
            if row.get_blob(2)? != blake3::hash(&body).as_bytes() {
                let id: EventId = row.get_id(1)?;
                found.push(format!("the body of the event {id} is not what was accepted"));
            }
        }
    }
    Ok(())
}

/// Against the sums that also say to which delivery and number the bytes belong; those of older schemas have none.
async fn revisions(conn: &mut SqliteConnection, found: &mut Vec<String>) -> Outcome<()> {
    let mut from = 0;
    while found.len() < MOST {
        let mut args = Args::default();
        args.int(from).int(AT_ONCE);
        let sql = "SELECT r.rowid, r.delivery, r.number, r.sum, ifnull(r.body, b.body) FROM revision r
                   LEFT JOIN delivery d ON r.body IS NULL AND d.id = r.delivery
                   LEFT JOIN event e ON e.id = d.event LEFT JOIN event_body b ON b.seq = e.seq
                   WHERE r.rowid > ? AND r.sum IS NOT NULL ORDER BY r.rowid LIMIT ?";
        let some = rows(conn, sql, args).await?;
        let Some(last) = some.last() else { break };
        from = last.get_int(0)?;
        for row in &some {
            let (delivery, number): (DeliveryId, u32) = (row.get_id(1)?, row.get_u32(2)?);
            let body = row.get_opt_blob(4)?.unwrap_or_default();
            if row.get_blob(3)? != sum(delivery, number, &body) {
                found.push(format!("revision {number} of the delivery {delivery} is not what was to be sent"));
            }
        }
    }
    Ok(())
}
