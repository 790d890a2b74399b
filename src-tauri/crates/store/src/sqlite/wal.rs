//! Checkpoints, on the writer's connection between two commits: never two at once, never inside a batch.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::time::Instant;

use super::connect::{Wal, checkpoint};
use super::fault::{Fault, Severity, severity};
use super::queue::Shared;

/// Frames that are only in the WAL, before they are copied into the database file: 16 MiB, since a page that was written
/// again and again meanwhile is copied once.
const PAGES: i64 = 4_000;
/// A WAL of 64 MiB starts again from its beginning, which waits for readers.
const RESTART_FRAMES: i64 = (64 << 20) / 4_120;
/// Waiting for readers holds up the writer: not more often than this.
const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// Asking how long the WAL is costs a call to the connection's thread.
const COMMITS_BETWEEN_LOOKS: u32 = 16;

#[derive(Default)]
pub(super) struct Checkpoints {
    commits: u32,
    /// Frames may be waiting.
    dirty: bool,
    restarted: Option<Instant>,
}

impl Checkpoints {
    pub async fn after_commit(&mut self, conn: &mut SqliteConnection, shared: &Shared) {
        self.dirty = true;
        self.commits += 1;
        if self.commits < COMMITS_BETWEEN_LOOKS || shared.sealed().is_some() {
            return;
        }
        self.commits = 0;
        let Some(wal) = run(conn, "PRAGMA wal_checkpoint(NOOP)", shared).await else { return };
        if wal.frames - wal.done >= PAGES {
            run(conn, "PRAGMA wal_checkpoint(PASSIVE)", shared).await;
        }
        let rested = self.restarted.is_none_or(|at| at.elapsed() >= RESTART_PAUSE);
        if wal.frames >= RESTART_FRAMES && rested {
            self.restarted = Some(Instant::now());
            if run(conn, "PRAGMA wal_checkpoint(RESTART)", shared).await.is_some_and(|wal| wal.busy) {
                tracing::warn!(frames = wal.frames, "a long read keeps the ledger's WAL from starting again");
            }
        }
    }

    /// Nothing was written for a while.
    pub async fn idle(&mut self, conn: &mut SqliteConnection, shared: &Shared) {
        if std::mem::take(&mut self.dirty) && shared.sealed().is_none() {
            run(conn, "PRAGMA wal_checkpoint(PASSIVE)", shared).await;
        }
    }

    /// Before closing: leaves an empty WAL, so that the next start has nothing to read back. False: it could not.
    pub async fn last(&mut self, conn: &mut SqliteConnection) -> bool {
        if let Err(fault) = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(?fault, "the last checkpoint failed; the next start reads the WAL back");
            return false;
        }
        true
    }
}

async fn run(conn: &mut SqliteConnection, sql: &'static str, shared: &Shared) -> Option<Wal> {
    match checkpoint(conn, sql).await {
        Ok(wal) => Some(wal),
        // What a failed sync left on the disk is not known; the WAL is still whole, so a restart reads it back.
        Err(Fault::Sql(error)) if severity(&error) == Severity::Seal => {
            tracing::error!(%error, "the ledger is sealed: restart Signalbox");
            shared.seal(error.to_string());
            None
        }
        Err(fault) => {
            tracing::warn!(?fault, "a checkpoint failed; the WAL keeps everything until the next one");
            None
        }
    }
}
