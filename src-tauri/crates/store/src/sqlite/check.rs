//! The whole check: every page, every index, every stored body. As long as the ledger is large.

use std::path::Path;
use std::sync::Arc;

use signalbox_model::Clock;

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

async fn look(conn: &mut sqlx::sqlite::SqliteConnection) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for row in rows(conn, "PRAGMA integrity_check(20)", Args::default()).await? {
        let text = row.get_text(0)?;
        if text != "ok" {
            found.push(text);
        }
    }
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
                let id: signalbox_model::EventId = row.get_id(1)?;
                found.push(format!("the body of the event {id} is not what was accepted"));
            }
        }
    }
    found.truncate(MOST);
    Ok(found)
}
