//! What a start looks at before it trusts a ledger: cheap, so that a large one starts as fast as a small one.
//!
//! SQLite reads a WAL up to its last whole commit and takes the rest for the trace of a crash. A WAL that is missing, cut
//! off or damaged in its middle looks the same to it, and what was acknowledged would be gone without a word. Three things
//! tell the difference: the ledger remembers that it is open (`meta.open`), a WAL's header carries a sum of its own, and a
//! crash can leave one commit half written, never two.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use super::connect;
use super::fault::{Outcome, plain};
use super::sql::{Args, Columns, rows};

const PAGE: u64 = 4_096;
/// <https://www.sqlite.org/fileformat2.html#walformat>
/// <https://www.sqlite.org/fileformat2.html#the_database_header>
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 32;
const FRAME: u64 = 24 + PAGE;
/// A ledger up to this size is read whole after a crash; a larger one by `signalbox check --ledger`.
const SMALL: u64 = 16 << 20;

/// The files as they lie there before SQLite opens them.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub bytes: u64,
    wal: Wal,
}

#[derive(Debug, Default)]
enum Wal {
    #[default]
    Missing,
    /// Its header is not what SQLite wrote.
    Broken,
    /// The numbers of the frames that end a commit, from 1.
    Commits(Vec<u64>),
}

impl Outside {
    /// # Errors
    /// What is wrong, in words; or the files cannot be read.
    pub fn look(file: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| super::fault::io_words(&error);
        let wal = super::files::beside(file).nth(1).unwrap_or_default();
        let wal = match File::open(wal) {
            Ok(mut wal) => read_wal(&mut wal).map_err(unreadable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Wal::Missing,
            Err(error) => return Err(unreadable(error)),
        };
        let mut ledger = File::open(file).map_err(unreadable)?;
        let bytes = ledger.metadata().map_err(unreadable)?.len();
        let mut header = [0; 100];
        if bytes >= 100 && matches!(wal, Wal::Missing) {
            ledger.read_exact(&mut header).map_err(unreadable)?;
            let wanted = u64::from(big_endian(&header, 28)) * PAGE;
            // Of a file of another kind SQLite says so itself.
            if header.starts_with(MAGIC) && bytes < wanted {
                return Err(format!("it is cut off: it has {bytes} bytes and should have {wanted}. {RESTORE}"));
            }
        }
        Ok(Self { bytes, wal })
    }

    /// Beside what SQLite could read: `frames` of the WAL; `open`: the last process did not close the ledger.
    pub fn judge(&self, frames: u64, open: bool) -> Result<(), String> {
        match &self.wal {
            Wal::Missing if open => Err(format!(
                "it was not closed, and its WAL (ledger.db-wal), which holds the newest events, is gone or empty: it was \
                 copied while Signalbox ran, or the file was removed. Put the file back. {RESTORE}"
            )),
            Wal::Broken => {
                Err(format!("its WAL (ledger.db-wal), which holds the newest events, is damaged. {RESTORE}"))
            }
            Wal::Commits(ends) if ends.iter().filter(|end| **end > frames).count() > 1 => Err(format!(
                "its WAL (ledger.db-wal) is damaged behind frame {frames}, and newer events follow there. {RESTORE}"
            )),
            _ => Ok(()),
        }
    }
}

/// From the first commit of a boot to the last one of its clean stop.
pub(super) const OPEN: &str =
    "INSERT INTO meta (name, value) VALUES ('open', 1) ON CONFLICT (name) DO UPDATE SET value = 1";
pub(super) const CLOSED: &str = "UPDATE meta SET value = 0 WHERE name = 'open'";

/// Before anything is written. `Err` says what is wrong.
pub(super) async fn judge(conn: &mut SqliteConnection, outside: &Outside) -> Result<(), String> {
    let open = was_open(conn).await.map_err(plain)?;
    let wal = connect::checkpoint(conn, "PRAGMA wal_checkpoint(NOOP)").await.map_err(plain)?;
    outside.judge(u64::try_from(wal.frames).unwrap_or(0), open)?;
    if !open {
        return Ok(());
    }
    tracing::warn!("Signalbox was not stopped cleanly; the ledger goes on after its last whole commit");
    if outside.bytes <= SMALL {
        let found = rows(conn, "PRAGMA quick_check(1)", Args::default()).await.map_err(plain)?;
        let found = found.first().map(|row| row.get_text(0)).transpose().map_err(plain)?.unwrap_or_default();
        if found != "ok" {
            return Err(format!("the file is damaged ({found}). {RESTORE}"));
        }
    }
    Ok(())
}

async fn was_open(conn: &mut SqliteConnection) -> Outcome<bool> {
    let there = "SELECT 1 FROM sqlite_schema WHERE name = 'meta'";
    if rows(conn, there, Args::default()).await?.is_empty() {
        return Ok(false);
    }
    let found = rows(conn, "SELECT value FROM meta WHERE name = 'open'", Args::default()).await?;
    found.first().map_or(Ok(false), |row| row.get_flag(0))
}

const RESTORE: &str =
    "Restore the .signalbox folder from a backup, or go on with what is left: signalbox check --ledger --accept-loss";

fn read_wal(wal: &mut File) -> io::Result<Wal> {
    let bytes = wal.metadata()?.len();
    if bytes == 0 {
        return Ok(Wal::Missing);
    }
    let mut header = [0; HEADER];
    if bytes < HEADER as u64 {
        return Ok(Wal::Broken);
    }
    wal.read_exact(&mut header)?;
    if !is_whole(&header) {
        return Ok(Wal::Broken);
    }
    let mut ends = Vec::new();
    let mut frame = [0; 24];
    for number in 0..(bytes - HEADER as u64) / FRAME {
        wal.seek(SeekFrom::Start(HEADER as u64 + number * FRAME))?;
        wal.read_exact(&mut frame)?;
        // Frames of an earlier round carry other salts.
        let of_this_round = frame.get(8..16) == header.get(16..24);
        if of_this_round && big_endian(&frame, 4) != 0 {
            ends.push(number + 1);
        }
    }
    Ok(Wal::Commits(ends))
}

/// The header's own sum, over its first 24 bytes.
fn is_whole(header: &[u8; HEADER]) -> bool {
    let magic = big_endian(header, 0);
    let word = |at: usize| {
        let word = big_endian(header, at);
        if magic & 1 == 1 { word } else { word.swap_bytes() }
    };
    let (mut first, mut second) = (0_u32, 0_u32);
    for at in (0..24).step_by(8) {
        first = first.wrapping_add(word(at)).wrapping_add(second);
        second = second.wrapping_add(word(at + 4)).wrapping_add(first);
    }
    magic & !1 == 0x377f_0682 && first == big_endian(header, 24) && second == big_endian(header, 28)
}

fn big_endian(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, u32::from_be_bytes)
}
