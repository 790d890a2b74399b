//! What can go wrong with the ledger.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer's queue is full, or it is short of memory: the caller answers 503 with Retry-After. What was not
    /// acknowledged may come back after a crash, and is then the same event by its id.
    #[error("the ledger has too much to write at once; try again in a moment")]
    Busy,
    /// A sync or write failed, so the writer has sealed itself: what was not answered is not stored.
    #[error("the ledger is sealed after a disk error: {0}. Restart Signalbox; nothing acknowledged is lost")]
    Sealed(String),
    #[error("the disk that holds the ledger is full; free space, deliveries go on by themselves")]
    DiskFull,
    #[error("the ledger {path} cannot be opened: {reason}")]
    Open { path: PathBuf, reason: String },
    /// A row that the program cannot have written.
    #[error("a row of the ledger is damaged: {0}")]
    Corrupt(String),
    #[error("the cursor is not one that this list gave; begin again without it")]
    InvalidCursor,
    #[error("{0}")]
    TooMany(String),
    #[error("the ledger answered: {0}")]
    Database(String),
    /// The writer is gone: shutting down.
    #[error("the ledger is closing")]
    Closed,
}
