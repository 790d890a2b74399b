//! Connections: what is set on each, and that it is so.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::SqliteOptions;
use super::fault::{Outcome, words};
use super::sql::{Args, Columns, rows, safe};
use crate::StoreError;

/// `PRAGMA application_id`: "SIGB".
pub(super) const APPLICATION_ID: i64 = 0x5349_4742;
/// Versions before this one can lose a write when a checkpoint resets the WAL under another connection.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
/// Readers wait for the short locks of a WAL's recovery.
const READER_PATIENCE: Duration = Duration::from_secs(5);
const STATEMENTS: usize = 256;
/// Rows that an answer may be ahead of who reads it: a batch, so that neither thread waits for the other within one.
const ROWS: usize = 512;

fn common(file: &Path, vfs: Option<&'static str>, busy_timeout: Duration) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new();
    let connect = match vfs {
        Some(name) => connect.vfs(name),
        None => connect,
    };
    connect
        .filename(file)
        .busy_timeout(busy_timeout)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS)
        // sqlx calls one connection from one thread only.
        .serialized(false)
        .disable_statement_logging()
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Mapped pages of a damaged file have been written back in the field.
        .pragma("mmap_size", "0")
        .pragma("temp_store", "MEMORY")
}

/// What every connection that writes to the disk has in common.
fn writing(file: &Path, options: &SqliteOptions) -> SqliteConnectOptions {
    common(file, options.vfs, options.busy_timeout)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .pragma("synchronous", synchronous(options).0)
        .pragma("fullfsync", "1")
        .pragma("checkpoint_fullfsync", "1")
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", "67108864")
}

/// What is set, and as what it is read back.
fn synchronous(options: &SqliteOptions) -> (&'static str, &'static str) {
    if options.power_loss_safe { ("FULL", "2") } else { ("NORMAL", "1") }
}

/// Copies the WAL into the database file, and does nothing else.
pub(super) async fn checkpointer(file: &Path, options: &SqliteOptions) -> Result<SqliteConnection, String> {
    let connect = writing(file, options).pragma("cache_size", "-64").thread_name(|_| "ledger-checkpoints".to_owned());
    let mut conn = connect.connect().await.map_err(|error| words(&error))?;
    let expected = [("journal_mode", "wal"), ("synchronous", synchronous(options).1), ("wal_autocheckpoint", "0")];
    check(&mut conn, &expected).await?;
    Ok(conn)
}

pub(super) async fn writer(file: &Path, options: &SqliteOptions) -> Result<SqliteConnection, String> {
    let mut connect = writing(file, options)
        .create_if_missing(true)
        .page_size(4_096)
        .auto_vacuum(sqlx::sqlite::SqliteAutoVacuum::Incremental)
        .pragma("secure_delete", "FAST")
        .pragma("cache_size", "-16384")
        .thread_name(|_| "ledger-writer".to_owned());
    if let Some(pages) = options.max_pages {
        connect = connect.pragma("max_page_count", pages.to_string());
    }
    let mut conn = connect.connect().await.map_err(|error| words(&error))?;
    let expected = [
        ("journal_mode", "wal"),
        ("synchronous", synchronous(options).1),
        ("foreign_keys", "1"),
        ("trusted_schema", "0"),
        ("cell_size_check", "1"),
        ("mmap_size", "0"),
        ("wal_autocheckpoint", "0"),
    ];
    check(&mut conn, &expected).await?;
    Ok(conn)
}

pub(super) async fn reader(file: &Path, vfs: Option<&'static str>) -> Result<SqliteConnection, String> {
    let connect = common(file, vfs, READER_PATIENCE)
        .read_only(true)
        .pragma("query_only", "ON")
        .pragma("cache_size", "-4096")
        .thread_name(|number| format!("ledger-reader-{number}"));
    let mut conn = connect.connect().await.map_err(|error| words(&error))?;
    check(&mut conn, &[("query_only", "1"), ("journal_mode", "wal")]).await?;
    Ok(conn)
}

/// Reads the settings back: a pragma that is misspelt or refused is silent.
async fn check(conn: &mut SqliteConnection, expected: &[(&str, &str)]) -> Result<(), String> {
    let version = single(conn, "SELECT sqlite_version()").await?;
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers.as_slice() < OLDEST_SQLITE.as_slice() {
        return Err(format!("SQLite {version} is older than 3.51.3, which mends a loss of committed data"));
    }
    for (pragma, wanted) in expected {
        // SQLite leaves out `mmap_size` where mapping is compiled out; nothing is mapped then either.
        let found = single(conn, &format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}")).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => single(conn, &format!("PRAGMA {pragma}")).await?,
        };
        if found != *wanted {
            return Err(format!("SQLite keeps {pragma} at '{found}' instead of '{wanted}'"));
        }
    }
    Ok(())
}

async fn single(conn: &mut SqliteConnection, sql: &str) -> Result<String, String> {
    let row = sqlx::query(safe(sql)).fetch_optional(conn).await.map_err(|error| words(&error))?;
    let Some(row) = row else { return Ok(String::new()) };
    let text = row.get_text(0).or_else(|_| row.get_int(0).map(|number| number.to_string()));
    text.map_err(|fault| StoreError::from(fault).to_string())
}

pub(super) async fn close(conn: SqliteConnection) -> Result<(), sqlx::Error> {
    conn.close().await
}

/// Leaves the files as they are until the process ends. Closing the last connection would make a checkpoint: after a sync
/// that failed, a second one may succeed although the kernel has dropped the pages, and then the WAL, which alone still
/// holds them, would be deleted.
pub(super) fn abandon(conn: SqliteConnection) {
    std::mem::forget(conn);
}

/// Frames in the WAL, and how many of them are in the database file already.
pub(super) struct Wal {
    pub busy: bool,
    pub frames: i64,
    pub done: i64,
}

pub(super) async fn checkpoint(conn: &mut SqliteConnection, sql: &'static str) -> Outcome<Wal> {
    let answer = rows(conn, sql, Args::default()).await?;
    let row = answer.first().ok_or_else(|| super::sql::corrupt("the answer of a checkpoint"))?;
    Ok(Wal { busy: row.get_int(0)? != 0, frames: row.get_int(1)?.max(0), done: row.get_int(2)?.max(0) })
}
