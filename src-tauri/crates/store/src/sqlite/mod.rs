//! The ledger in one SQLite file.
//!
//! | part | what it does |
//! |---|---|
//! | `queue`, `job`, `ledger`, `writer`, `alone` | the bounded way to the one writer; batches, commits, answers |
//! | `dedupe`, `accept`, `insert`, `complete` | the hot commands, one statement per table for a whole batch, in few calls |
//! | `batches` | the common end of attempts that went out in one request |
//! | `claim`, `order`, `plan`, `discard`, `replays`, `replay_items`, `supersede`, `take_back`, `progress` | the other transitions |
//! | `predicate`, `select`, `rows`, `figures`, `history`, `readers` | reads |
//! | `files`, `damage`, `check`, `room`, `connect`, `migrate`, `wal`, `fault`, `sql`, `args`, `columns`, `many`, `script` | SQLite itself |
//!
//! An attempt that is open is its delivery's row: see `claim`. The states and their guards are the CHECK constraints
//! and partial unique indexes of `migrations/sqlite/0001_ledger.sql`.

mod accept;
mod alone;
mod args;
mod batches;
mod bulk;
mod check;
mod claim;
mod columns;
mod complete;
mod connect;
mod damage;
mod dedupe;
mod discard;
mod fault;
mod figures;
mod files;
mod gated;
mod gates;
mod history;
mod insert;
mod job;
mod lanes;
mod ledger;
mod many;
mod migrate;
mod order;
mod plan;
mod predicate;
mod progress;
mod queue;
mod readers;
mod rejected;
mod replay_items;
mod replays;
mod room;
mod rows;
mod script;
mod select;
mod series;
mod sql;
mod store;
mod supersede;
mod take_back;
mod too_old;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use signalbox_model::Clock;
use tokio::sync::mpsc;

pub use check::check;

use crate::{Lane, Observer, StoreError};
use fault::Outcome;
use ledger::Ledger;
use queue::{Queue, Shared};
use readers::Readers;
use room::Room;
use sql::{Args, Columns};
use writer::Writer;

/// The ledger's file in its folder.
pub const FILE: &str = "ledger.db";

#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// `synchronous=FULL`. Off only to prove that the power-loss test fails without it.
    pub power_loss_safe: bool,
    /// How long a lock of another process (a backup tool) is waited for before a write answers `Busy`.
    pub busy_timeout: Duration,
    /// The file may grow to so many pages of 4 KiB; then writes answer `DiskFull`. `None`: as large as the disk.
    pub max_pages: Option<u32>,
    /// Bytes of the file that is deleted when the disk is full, so that what was accepted can still be delivered. With so
    /// many bytes free, events are refused. 0: neither.
    pub ballast: u64,
    /// Opens a ledger whose newest events are known to be gone; otherwise that is refused.
    pub accept_loss: bool,
    /// How long ends of attempts may wait for company before they are committed, where nothing else is to be written and
    /// no key waits for them. A crash within it sends them again, under the same idempotency key.
    pub linger: Duration,
    /// Pages of 4 KiB that are only in the WAL before they are copied into the ledger's file. Many: a page that is written
    /// again and again meanwhile is copied once. Few: on a disk that is full, copying them needs no more room than the
    /// ballast of 8 MiB gives, or what was accepted could not end.
    pub checkpoint_frames: u32,
    /// The SQLite file layer to use, registered beforehand; its files are on no disk that this program knows.
    pub vfs: Option<&'static str>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            power_loss_safe: true,
            busy_timeout: Duration::from_secs(5),
            max_pages: None,
            ballast: 0,
            accept_loss: false,
            linger: Duration::from_millis(3),
            checkpoint_frames: 1_000,
            vfs: None,
        }
    }
}

/// A ledger that is open. Dropping it without [`SqliteStore::close`] loses nothing that was answered.
pub struct SqliteStore {
    file: PathBuf,
    queue: Queue,
    readers: Readers,
    /// All lanes: few, and read with every list.
    lanes: RwLock<Arc<Vec<Lane>>>,
}

impl SqliteStore {
    /// Opens or makes the ledger in `dir`, which must exist. The caller holds the workspace's lock.
    ///
    /// # Errors
    /// [`StoreError::Open`] with a reason for people: a folder that cannot be written, a file that is damaged, of another
    /// program, or of a newer Signalbox.
    pub async fn open(
        dir: &Path,
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, StoreError> {
        let file = dir.join(FILE);
        let wrong = |reason: String| StoreError::Open { path: file.clone(), reason };
        let ballast = if options.vfs.is_none() { options.ballast } else { 0 };
        let room = Arc::new(Room::open(dir, ballast));
        if options.vfs.is_none() {
            files::prepare(&file).map_err(|error| wrong(fault::io_words(&error)))?;
        }
        let outside = match options.vfs {
            None => Some(damage::Outside::look(&file).map_err(wrong)?),
            Some(_) => None,
        };
        let mut conn = connect::writer(&file, &options).await.map_err(wrong)?;
        if let Some(outside) = outside.filter(|_| !options.accept_loss)
            && let Err(reason) = damage::judge(&mut conn, &outside).await
        {
            connect::abandon(conn);
            return Err(wrong(reason));
        }
        if let Err(reason) = migrate::run(&mut conn).await {
            connect::abandon(conn);
            return Err(wrong(reason));
        }
        let read = Readers::open(file.clone(), options.vfs).await.map_err(wrong)?;
        let mut ledger = Ledger::new(conn);
        let lanes = match start(&mut ledger).await {
            Ok(lanes) => lanes,
            Err(fault) => {
                connect::abandon(ledger.conn);
                return Err(wrong(fault::plain(fault)));
            }
        };
        let (jobs, waiting) = mpsc::channel(queue::QUEUE);
        let shared = Arc::new(Shared::new(room));
        let own = connect::checkpointer(&file, &options).await.map_err(wrong)?;
        let checkpoints = wal::Checkpoints::new(own, Arc::clone(&shared), options.checkpoint_frames);
        let linger = options.linger;
        let writer = Writer {
            ledger,
            queue: waiting,
            shared: Arc::clone(&shared),
            clock,
            observer,
            checkpoints,
            linger,
            keys_wait: false,
        };
        // Ends with the last handle, or with `close`.
        let room = Arc::clone(&shared.room);
        let _task = tokio::spawn(async move {
            let watching = tokio::spawn(async move { room.watch().await });
            writer.run().await;
            watching.abort();
        });
        let queue = Queue { jobs, shared };
        Ok(Arc::new(Self { file, queue, readers: read, lanes: RwLock::new(Arc::new(lanes)) }))
    }

    /// Writes what is queued, refuses what comes later, leaves an empty WAL.
    pub async fn close(&self) {
        self.readers.close().await;
        self.queue.close().await;
    }

    /// Why nothing can be written any more, if so.
    pub fn sealed(&self) -> Option<String> {
        self.queue.shared.sealed()
    }

    fn known_lanes(&self) -> Arc<Vec<Lane>> {
        Arc::clone(&self.lanes.read())
    }
}

/// What the writer must know, in one commit that also proves that the file can be written.
async fn start(ledger: &mut Ledger) -> Outcome<Vec<Lane>> {
    ledger.statement("BEGIN IMMEDIATE").await?;
    claim::raise_epoch(ledger).await?;
    ledger.statement(damage::OPEN).await?;
    replays::drop_unfinished(&mut ledger.conn).await?;
    let row = sql::optional(&mut ledger.conn, "SELECT ifnull(max(seq), 0) + 1 FROM event", Args::default()).await?;
    ledger.next_seq = row.map_or(Ok(1), |row| row.get_int(0))?;
    let lanes = lanes::all(&mut ledger.conn).await?;
    ledger.statement("COMMIT").await?;
    Ok(lanes)
}
