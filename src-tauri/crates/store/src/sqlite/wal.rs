//! Checkpoints: what the WAL holds goes into the database file.
//!
//! Copying and syncing megabytes takes tens of milliseconds, so it is done beside the writer, on a connection of its own.
//! What was written meanwhile is little; the writer copies it between two commits. Its next commit then finds all of the
//! WAL copied and starts it again from its beginning, unless somebody reads at that moment.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connect::{self, Wal, checkpoint};
use super::fault::{Fault, Severity, severity};
use super::queue::Shared;

/// A WAL of 64 MiB starts again from its beginning even if readers must be waited for.
const RESTART_FRAMES: i64 = (64 << 20) / 4_120;
/// Waiting for readers holds up the writer: between two tries it has at least this.
const RESTART_PAUSE: Duration = Duration::from_secs(5);
/// Of a large batch. Asking how long the WAL is wakes another thread, so it is asked when there may be enough.
const FRAMES_OF_A_COMMIT: i64 = 250;

pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    /// Frames that are only in the WAL, before they are copied.
    frames: i64,
    commits: i64,
    /// Frames may be waiting.
    dirty: bool,
    beside: Beside,
    restarted: Option<Instant>,
}

type Copying = JoinHandle<(SqliteConnection, Option<Wal>)>;

enum Beside {
    Idle(SqliteConnection),
    Running(Copying),
    /// It stopped unexpectedly: the writer makes all checkpoints.
    Gone,
}

impl Checkpoints {
    pub fn new(own: SqliteConnection, shared: Arc<Shared>, frames: u32) -> Self {
        let beside = Beside::Idle(own);
        Self { shared, frames: i64::from(frames), commits: 0, dirty: false, beside, restarted: None }
    }

    pub async fn after_commit(&mut self, conn: &mut SqliteConnection) {
        self.dirty = true;
        self.commits += 1;
        if self.shared.sealed().is_some() {
            return;
        }
        let look = self.commits * FRAMES_OF_A_COMMIT >= self.frames;
        match std::mem::replace(&mut self.beside, Beside::Gone) {
            Beside::Running(copying) if copying.is_finished() => {
                if self.end(copying).await.is_some() {
                    self.begin_again(conn).await;
                }
            }
            Beside::Idle(own) if look => {
                self.commits = 0;
                self.beside = Beside::Running(tokio::spawn(copy(own, self.frames, Arc::clone(&self.shared))));
            }
            Beside::Gone if look => {
                self.commits = 0;
                self.begin_again(conn).await;
            }
            as_it_is => self.beside = as_it_is,
        }
    }

    /// What was copied, if there was enough.
    async fn end(&mut self, copying: Copying) -> Option<Wal> {
        let Ok((own, copied)) = copying.await else {
            tracing::error!("checkpoints beside the writer stopped unexpectedly; the writer makes them from now on");
            return None;
        };
        self.beside = Beside::Idle(own);
        copied
    }

    async fn begin_again(&mut self, conn: &mut SqliteConnection) {
        let Some(wal) = run(conn, PASSIVE, &self.shared).await else { return };
        let rested = self.restarted.is_none_or(|at| at.elapsed() >= RESTART_PAUSE);
        if wal.frames >= RESTART_FRAMES && rested {
            let restarted = run(conn, "PRAGMA wal_checkpoint(RESTART)", &self.shared).await;
            self.restarted = Some(Instant::now());
            if restarted.is_some_and(|wal| wal.busy) {
                tracing::warn!(frames = wal.frames, "a long read keeps the ledger's WAL from starting again");
            }
        }
    }

    /// Waits for the copying beside, which may seal the ledger.
    pub async fn settle(&mut self) {
        match std::mem::replace(&mut self.beside, Beside::Gone) {
            Beside::Running(copying) => {
                self.end(copying).await;
            }
            as_it_is => self.beside = as_it_is,
        }
    }

    /// Nothing was written for a while.
    pub async fn idle(&mut self, conn: &mut SqliteConnection) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        self.settle().await;
        run(conn, PASSIVE, &self.shared).await;
    }

    /// Before closing, when nothing is copied beside: leaves an empty WAL, so that the next start has nothing to read back.
    /// False: it could not.
    pub async fn last(self, conn: &mut SqliteConnection) -> bool {
        if let Err(fault) = checkpoint(conn, "PRAGMA wal_checkpoint(TRUNCATE)").await {
            tracing::warn!(?fault, "the last checkpoint failed; the next start reads the WAL back");
            self.abandon();
            return false;
        }
        if let Beside::Idle(own) = self.beside
            && let Err(error) = connect::close(own).await
        {
            tracing::warn!(%error, "the connection for checkpoints did not close cleanly");
        }
        true
    }

    /// The ledger is sealed: no connection may try a sync again.
    pub fn abandon(self) {
        if let Beside::Idle(own) = self.beside {
            connect::abandon(own);
        }
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// `None`: there was not enough to copy yet, or it failed.
async fn copy(mut own: SqliteConnection, frames: i64, shared: Arc<Shared>) -> (SqliteConnection, Option<Wal>) {
    let copied = match run(&mut own, "PRAGMA wal_checkpoint(NOOP)", &shared).await {
        Some(wal) if wal.frames - wal.done >= frames => run(&mut own, PASSIVE, &shared).await,
        _ => None,
    };
    (own, copied)
}

/// Nothing, once the ledger is sealed: a sync that failed must not be tried again.
async fn run(conn: &mut SqliteConnection, sql: &'static str, shared: &Shared) -> Option<Wal> {
    if shared.sealed().is_some() {
        return None;
    }
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

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;

    use super::super::room::Room;
    use super::super::{FILE, SqliteOptions};
    use super::*;

    /// A WAL with something in it: its folder, the writer's connection, the one for checkpoints.
    async fn written() -> (tempfile::TempDir, SqliteConnection, SqliteConnection, Arc<Shared>) {
        let dir = tempfile::tempdir().unwrap();
        let (file, options) = (dir.path().join(FILE), SqliteOptions::default());
        let mut conn = connect::writer(&file, &options).await.unwrap();
        conn.execute("CREATE TABLE t (x)").await.unwrap();
        let own = connect::checkpointer(&file, &options).await.unwrap();
        let shared = Arc::new(Shared::new(Arc::new(Room::open(dir.path(), 0))));
        (dir, conn, own, shared)
    }

    #[tokio::test]
    async fn after_a_rest_checkpoints_are_made_beside_the_writer_as_before() {
        let (_dir, mut conn, own, shared) = written().await;
        let mut checkpoints = Checkpoints::new(own, shared, 1);
        for _ in 0..3 {
            conn.execute("INSERT INTO t VALUES (1)").await.unwrap();
            checkpoints.after_commit(&mut conn).await;
            assert!(matches!(checkpoints.beside, Beside::Running(_)));
            checkpoints.idle(&mut conn).await;
            assert!(matches!(checkpoints.beside, Beside::Idle(_)));
        }
        assert!(checkpoints.last(&mut conn).await);
    }

    #[tokio::test]
    async fn once_the_ledger_is_sealed_no_checkpoint_is_tried() {
        let (_dir, mut conn, own, shared) = written().await;
        shared.seal("a sync failed".to_owned());
        let (own, copied) = copy(own, 0, Arc::clone(&shared)).await;
        assert!(copied.is_none());
        let mut checkpoints = Checkpoints::new(own, shared, 1);
        checkpoints.after_commit(&mut conn).await;
        checkpoints.idle(&mut conn).await;
        let wal = checkpoint(&mut conn, "PRAGMA wal_checkpoint(NOOP)").await.unwrap();
        assert!(wal.frames > 0 && wal.done == 0, "nothing was copied");
    }
}
