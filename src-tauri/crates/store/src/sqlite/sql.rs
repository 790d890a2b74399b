//! Statements: how they are run, and the conditions that must read word for word as in the schema's indexes.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

pub(super) use super::args::{Args, Id};
pub(super) use super::columns::{Columns, corrupt};
use super::fault::Outcome;
pub(super) use super::many::Many;
pub(super) use super::script::{Answers, Part, Script};

/// A statement's text: written here, or built of parts that are written here.
pub(super) fn safe(text: impl Into<String>) -> AssertSqlSafe<String> {
    AssertSqlSafe(text.into())
}

pub(super) async fn execute(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<u64> {
    Ok(sqlx::query_with(sql, args.done()?).execute(conn).await?.rows_affected())
}

pub(super) async fn rows(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<Vec<SqliteRow>> {
    Ok(sqlx::query_with(sql, args.done()?).fetch_all(conn).await?)
}

pub(super) async fn optional(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<Option<SqliteRow>> {
    Ok(sqlx::query_with(sql, args.done()?).fetch_optional(conn).await?)
}

/// Rows that wait for their turn, and dead letters that keep later ones of their key waiting; word for word as in the
/// index.
macro_rules! waits {
    () => {
        "key IS NOT NULL AND (state = 'held' OR (state = 'dead' AND park = 1))"
    };
}

/// The row of a key that is on its way; word for word as in the index.
macro_rules! active {
    () => {
        "key IS NOT NULL AND state IN ('queued', 'retrying', 'sending')"
    };
}

/// Rows that can be sent once they are due, but for those of replays; word for word as in the index.
macro_rules! ready {
    () => {
        "state IN ('queued', 'retrying') AND revision > 0 AND replay IS NULL"
    };
}

/// Those of replays; word for word as in the index.
macro_rules! ready_again {
    () => {
        "state IN ('queued', 'retrying') AND revision > 0 AND replay IS NOT NULL"
    };
}

pub(super) use {active, ready, ready_again, waits};
