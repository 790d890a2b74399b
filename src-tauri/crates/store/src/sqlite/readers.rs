//! A few connections that cannot write, and a bound on how long each read may take.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::connect;
use super::fault::{Fault, Outcome, store_error};
use super::job::Step;
use crate::StoreError;

const READERS: usize = 4;
/// A longer read keeps the WAL from starting again.
const LONGEST_READ: Duration = Duration::from_secs(5);
/// Virtual machine steps between two looks at the clock: well below a millisecond.
const STEPS: i32 = 10_000;

const NEW_READ: u8 = 0;
const RUNNING: u8 = 1;
const CANCELLED: u8 = 2;

struct Reader {
    conn: SqliteConnection,
    phase: Arc<AtomicU8>,
}

pub(super) struct Readers {
    file: PathBuf,
    vfs: Option<&'static str>,
    idle: Mutex<Vec<Reader>>,
    permits: Semaphore,
}

impl Readers {
    pub async fn open(file: PathBuf, vfs: Option<&'static str>) -> Result<Self, String> {
        let idle = Mutex::new(Vec::with_capacity(READERS));
        let readers = Self { file, vfs, idle, permits: Semaphore::new(READERS) };
        let first = readers.connect().await?;
        readers.idle.lock().push(first);
        Ok(readers)
    }

    async fn connect(&self) -> Result<Reader, String> {
        let mut conn = connect::reader(&self.file, self.vfs).await?;
        let phase = Arc::new(AtomicU8::new(NEW_READ));
        let seen = Arc::clone(&phase);
        let mut since = Instant::now();
        let mut handle = conn.lock_handle().await.map_err(|error| error.to_string())?;
        // Runs on the connection's own thread, which no test's paused clock reaches.
        handle.set_progress_handler(STEPS, move || match seen.load(Ordering::Relaxed) {
            NEW_READ => {
                since = Instant::now();
                let _newer = seen.compare_exchange(NEW_READ, RUNNING, Ordering::Relaxed, Ordering::Relaxed);
                true
            }
            RUNNING => since.elapsed() < LONGEST_READ,
            _ => false,
        });
        drop(handle);
        Ok(Reader { conn, phase })
    }

    /// Runs `read` on a connection of its own. When the caller goes away, so does the connection, and its statement is
    /// interrupted.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        F: for<'a> FnOnce(&'a mut SqliteConnection) -> Step<'a, T>,
    {
        let Ok(_permit) = self.permits.acquire().await else { return Err(StoreError::Closed) };
        let idle = self.idle.lock().pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect().await.map_err(StoreError::Database)?,
        };
        reader.phase.store(NEW_READ, Ordering::Relaxed);
        let mut lent = Lent { reader: Some(reader), pool: self };
        let Some(reader) = lent.reader.as_mut() else { return Err(StoreError::Closed) };
        // One snapshot for all statements of a read, so that a page and its count tell of the same moment.
        let begun = sqlx::query("BEGIN").execute(&mut reader.conn).await;
        let result = match begun {
            Ok(_) => read(&mut reader.conn).await,
            Err(error) => Err(Fault::Sql(error)),
        };
        // Nothing was written: rolling back only lets the snapshot go. A connection that cannot is not used again.
        if sqlx::query("ROLLBACK").execute(&mut reader.conn).await.is_ok() {
            lent.give_back();
        }
        result.map_err(|fault| match fault {
            Fault::Sql(error) if interrupted(&error) => {
                StoreError::Database("this read took longer than 5 s and was stopped; narrow it down".to_owned())
            }
            // A reader that cannot read says nothing about the writer.
            Fault::Sql(error) => match store_error(&error) {
                StoreError::Sealed(reason) => StoreError::Corrupt(reason),
                other => other,
            },
            Fault::Refused(error) => error,
        })
    }

    /// Waits for running reads, then closes the connections.
    pub async fn close(&self) {
        let all = u32::try_from(READERS).unwrap_or(1);
        if let Ok(permits) = self.permits.acquire_many(all).await {
            permits.forget();
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock());
        for reader in idle {
            if let Err(error) = connect::close(reader.conn).await {
                tracing::debug!(%error, "a reader did not close cleanly");
            }
        }
    }
}

struct Lent<'a> {
    reader: Option<Reader>,
    pool: &'a Readers,
}

impl Lent<'_> {
    fn give_back(mut self) {
        if let Some(reader) = self.reader.take() {
            self.pool.idle.lock().push(reader);
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.phase.store(CANCELLED, Ordering::Relaxed);
        }
    }
}

/// SQLITE_INTERRUPT
fn interrupted(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "9")
}

/// Boxes a read for [`Readers::read`].
pub(super) fn step<'a, T>(future: impl Future<Output = Outcome<T>> + Send + 'a) -> Step<'a, T> {
    Box::pin(future)
}
