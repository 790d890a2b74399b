//! What an SQLite error means for the ledger.

use crate::StoreError;

/// Why an operation inside a transaction did not happen.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(sqlx::Error),
    /// The operation itself says no; nothing is wrong with the database.
    Refused(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

pub(super) type Outcome<T> = Result<T, Fault>;

/// What the writer does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// What is on the disk is no longer known: stop writing until a restart has read it again.
    Seal,
    /// Nothing of this batch is stored; the next one may fit again.
    DiskFull,
    /// Another process holds the lock, or memory is short: nothing of this batch is stored, and the next may be.
    Busy,
    /// One command is wrong; the others of its batch may be fine.
    Command,
}

/// Primary result codes, <https://www.sqlite.org/rescode.html>.
const BUSY: i64 = 5;
const NOMEM: i64 = 7;
const IOERR: i64 = 10;
const CORRUPT: i64 = 11;
const FULL: i64 = 13;
const NOTADB: i64 = 26;
/// Extended: the WAL's index could not grow. Nothing was written, and the disk may have room again later.
const IOERR_SHMSIZE: i64 = 4_874;

pub(super) fn severity(error: &sqlx::Error) -> Severity {
    match error {
        sqlx::Error::Database(database) => {
            let code = database.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(0);
            match code & 0xff {
                _ if code == IOERR_SHMSIZE => Severity::DiskFull,
                IOERR | CORRUPT | NOTADB => Severity::Seal,
                FULL => Severity::DiskFull,
                // A statement without a journal of its own takes the whole transaction with it when memory ends.
                BUSY | NOMEM => Severity::Busy,
                _ => Severity::Command,
            }
        }
        // The connection's thread is gone: whether the transaction went with it is not known.
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => Severity::Seal,
        _ => Severity::Command,
    }
}

pub(super) fn store_error(error: &sqlx::Error) -> StoreError {
    match severity(error) {
        Severity::Seal => StoreError::Sealed(error.to_string()),
        Severity::DiskFull => StoreError::DiskFull,
        Severity::Busy => StoreError::Busy,
        Severity::Command => match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Database(error.to_string()),
        },
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => store_error(&error),
            Fault::Refused(error) => error,
        }
    }
}

/// An opening error in words that a person can act on.
pub(super) fn words(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i64>().ok());
    match code.map(|code| code & 0xff) {
        Some(26) => "the file is not an SQLite database. Move it away, or restore it from a backup".to_owned(),
        Some(11) => format!("the file is damaged ({error}). Restore it from a backup, or move it away to start empty"),
        Some(14) => {
            "the file cannot be made or opened. Check that the folder exists and that you may write to it".to_owned()
        }
        Some(8) => "it is read-only. Check the rights of the file and its folder".to_owned(),
        Some(5) => "another process holds it locked".to_owned(),
        Some(13) => "the disk is full. Free some space".to_owned(),
        _ => error.to_string(),
    }
}

/// What the system says about a file, in words that a person can act on.
pub(super) fn io_words(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full. Free some space".to_owned(),
        ErrorKind::NotFound => {
            "the file cannot be made or opened. Check that the folder exists and that you may write to it".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "it may not be written. Check the rights of the file and its folder".to_owned()
        }
        _ => error.to_string(),
    }
}

/// As [`words`], whatever went wrong.
pub(super) fn plain(fault: Fault) -> String {
    match fault {
        Fault::Sql(error) => words(&error),
        Fault::Refused(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error of SQLite by its extended code.
    #[derive(Debug, thiserror::Error)]
    #[error("code {0}")]
    struct Coded(i64);

    impl sqlx::error::DatabaseError for Coded {
        fn message(&self) -> &str {
            "an error"
        }

        fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
            Some(self.0.to_string().into())
        }

        fn kind(&self) -> sqlx::error::ErrorKind {
            sqlx::error::ErrorKind::Other
        }

        fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
            self
        }
    }

    #[test]
    fn only_what_leaves_the_disk_unknown_seals_the_ledger() {
        let ioerr_fsync = 1_034;
        let busy_snapshot = 517;
        let constraint_unique = 2_067;
        for (code, expected) in [
            (ioerr_fsync, Severity::Seal),
            (CORRUPT, Severity::Seal),
            (NOTADB, Severity::Seal),
            (FULL, Severity::DiskFull),
            (IOERR_SHMSIZE, Severity::DiskFull),
            (BUSY, Severity::Busy),
            (busy_snapshot, Severity::Busy),
            (NOMEM, Severity::Busy),
            (constraint_unique, Severity::Command),
        ] {
            assert_eq!(severity(&sqlx::Error::Database(Box::new(Coded(code)))), expected, "{code}");
        }
    }
}
