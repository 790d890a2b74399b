//! Checkpoints: what the WAL holds goes into the database file.
//!
//! Copying and syncing megabytes takes tens of milliseconds, so it is done beside the writer, on a connection of its own.
//! What was written meanwhile is little; the writer copies it between two commits, and its next commit then finds all of
//! the WAL copied and starts it again from its beginning, which needs no waiting for readers.

use sqlx::sqlite::SqliteConnection;
use tokio::task::JoinHandle;

use super::connect::{self, Wal, checkpoint};
use super::fault::{Fault, Outcome, Severity, severity};
use super::queue::Shared;

/// Frames that are only in the WAL, before they are copied into the database file: 16 MiB, since a page that was written
/// again and again meanwhile is copied once.
const PAGES: i64 = 4_000;
/// A WAL of 64 MiB starts again from its beginning even if readers must be waited for.
const RESTART_FRAMES: i64 = (64 << 20) / 4_120;
/// Asking how long the WAL is wakes another thread.
const COMMITS_BETWEEN_LOOKS: u32 = 16;

pub(super) struct Checkpoints {
    commits: u32,
    /// Frames may be waiting.
    dirty: bool,
    beside: Beside,
}

type Copying = JoinHandle<(SqliteConnection, Outcome<Option<Wal>>)>;

enum Beside {
    Idle(SqliteConnection),
    Running(Copying),
    /// It stopped unexpectedly: the writer makes all checkpoints.
    Gone,
}

impl Checkpoints {
    pub fn new(conn: SqliteConnection) -> Self {
        Self { commits: 0, dirty: false, beside: Beside::Idle(conn) }
    }

    pub async fn after_commit(&mut self, conn: &mut SqliteConnection, shared: &Shared) {
        self.dirty = true;
        self.commits += 1;
        if shared.sealed().is_some() {
            return;
        }
        match std::mem::replace(&mut self.beside, Beside::Gone) {
            Beside::Running(copying) if copying.is_finished() => {
                let copied = self.end(copying, shared).await;
                if let Some(wal) = copied {
                    self.begin_again(conn, &wal, shared).await;
                }
            }
            Beside::Idle(own) if self.commits >= COMMITS_BETWEEN_LOOKS => {
                self.commits = 0;
                self.beside = Beside::Running(tokio::spawn(copy(own)));
            }
            Beside::Gone if self.commits >= COMMITS_BETWEEN_LOOKS => {
                self.commits = 0;
                run(conn, PASSIVE, shared).await;
            }
            as_it_is => self.beside = as_it_is,
        }
    }

    /// What was copied, if there was enough.
    async fn end(&mut self, copying: Copying, shared: &Shared) -> Option<Wal> {
        let Ok((own, copied)) = copying.await else {
            tracing::error!("checkpoints beside the writer stopped unexpectedly; the writer makes them from now on");
            return None;
        };
        self.beside = Beside::Idle(own);
        judge(copied, shared).flatten()
    }

    async fn begin_again(&self, conn: &mut SqliteConnection, copied: &Wal, shared: &Shared) {
        let Some(wal) = run(conn, PASSIVE, shared).await else { return };
        // A read of an older state kept some of it from being copied.
        if wal.done < wal.frames && copied.frames >= RESTART_FRAMES {
            let restarted = run(conn, "PRAGMA wal_checkpoint(RESTART)", shared).await;
            if restarted.is_some_and(|wal| wal.busy) {
                tracing::warn!(frames = wal.frames, "a long read keeps the ledger's WAL from starting again");
            }
        }
    }

    /// Nothing was written for a while.
    pub async fn idle(&mut self, conn: &mut SqliteConnection, shared: &Shared) {
        if !std::mem::take(&mut self.dirty) || shared.sealed().is_some() {
            return;
        }
        if let Beside::Running(copying) = std::mem::replace(&mut self.beside, Beside::Gone) {
            self.end(copying, shared).await;
        }
        run(conn, PASSIVE, shared).await;
    }

    /// Before closing: leaves an empty WAL, so that the next start has nothing to read back. False: it could not.
    pub async fn last(self, conn: &mut SqliteConnection) -> bool {
        let (own, copied) = match self.beside {
            Beside::Idle(own) => (Some(own), Ok(None)),
            Beside::Running(copying) => copying.await.map_or((None, Ok(None)), |(own, copied)| (Some(own), copied)),
            Beside::Gone => (None, Ok(None)),
        };
        let whole = match copied {
            Ok(_) => checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)").await.map(|_| ()),
            Err(fault) => Err(fault),
        };
        match (whole, own) {
            (Ok(()), own) => {
                if let Some(own) = own
                    && let Err(error) = connect::close(own).await
                {
                    tracing::warn!(%error, "the connection for checkpoints did not close cleanly");
                }
                true
            }
            (Err(fault), own) => {
                tracing::warn!(?fault, "the last checkpoint failed; the next start reads the WAL back");
                own.into_iter().for_each(connect::abandon);
                false
            }
        }
    }

    /// The ledger is sealed: no connection may try a sync again.
    pub fn abandon(self) {
        match self.beside {
            Beside::Idle(own) => connect::abandon(own),
            // Its task keeps the connection until the process ends.
            Beside::Running(copying) => {
                let _detached = tokio::spawn(async move {
                    if let Ok((own, _)) = copying.await {
                        connect::abandon(own);
                    }
                });
            }
            Beside::Gone => {}
        }
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// `None`: there was not enough to copy yet.
async fn copy(mut own: SqliteConnection) -> (SqliteConnection, Outcome<Option<Wal>>) {
    let copied = match checkpoint(&mut own, "PRAGMA wal_checkpoint(NOOP)").await {
        Ok(wal) if wal.frames - wal.done < PAGES => Ok(None),
        Ok(_) => checkpoint(&mut own, PASSIVE).await.map(Some),
        Err(fault) => Err(fault),
    };
    (own, copied)
}

async fn run(conn: &mut SqliteConnection, sql: &'static str, shared: &Shared) -> Option<Wal> {
    judge(checkpoint(conn, sql).await, shared)
}

fn judge<T>(result: Outcome<T>, shared: &Shared) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
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
