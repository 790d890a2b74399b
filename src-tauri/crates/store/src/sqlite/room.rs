//! Room on the disk: intake stops before it runs out, and a ballast file gives back what the rest needs to end.
//!
//! In WAL mode even a DELETE and a checkpoint need room, so a disk that is really full could not be drained. Hence two
//! marks: below [`Room::low_mark`] events are refused while everything else goes on; below a quarter of it, or at the first
//! write that finds no room, the ballast is deleted.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// The ballast's file in the ledger's folder.
const FILE: &str = "ballast";
/// How often a full disk is looked at: intake comes back within this of room coming back.
const LOOK: Duration = Duration::from_millis(500);

pub(super) struct Room {
    dir: PathBuf,
    /// Bytes of the ballast; 0: nothing is looked at and nothing kept.
    ballast: u64,
    low: AtomicBool,
    became_low: Notify,
}

impl Room {
    /// Before the ledger is opened, which needs room too: a ballast on a disk that is full goes at once.
    pub fn open(dir: &Path, ballast: u64) -> Self {
        let room = Self { dir: dir.to_owned(), ballast, low: AtomicBool::new(false), became_low: Notify::new() };
        if ballast > 0 {
            room.tend();
            room.look();
        }
        room
    }

    /// Less free than this: no events. The ballast is not counted as free.
    fn low_mark(&self) -> u64 {
        self.ballast
    }

    /// Not so low that a single event ends it again.
    fn enough(&self) -> u64 {
        self.ballast + self.ballast / 2
    }

    pub fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }

    /// Before each commit that would hold an event. Only [`Room::watch`] ends a state that is low.
    pub fn look(&self) -> bool {
        if self.ballast == 0 || self.is_low() {
            return self.is_low();
        }
        let low = free(&self.dir).is_some_and(|free| free < self.low_mark());
        if low {
            self.set_low();
        }
        low
    }

    fn set_low(&self) {
        if !self.low.swap(true, Ordering::Relaxed) {
            tracing::error!(
                folder = %self.dir.display(),
                "the disk is nearly full: events are refused, deliveries go on. Free some space; nothing needs a restart"
            );
            self.became_low.notify_one();
        }
    }

    /// A write found no room. True: there is some now, try again.
    pub fn release(&self) -> bool {
        if self.ballast == 0 {
            return false;
        }
        self.set_low();
        let released = fs::remove_file(self.file()).is_ok();
        if released {
            tracing::warn!("the ballast is released so that deliveries can end on the full disk");
        }
        released
    }

    /// Runs as long as the ledger is open; sleeps while there is room.
    pub async fn watch(&self) {
        loop {
            if !self.is_low() {
                self.became_low.notified().await;
            }
            self.tend();
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Releases or makes the ballast, and lets events in again.
    fn tend(&self) {
        let Some(free) = free(&self.dir) else { return };
        let there = self.there();
        if free < self.low_mark() / 4 && there > 0 {
            self.release();
            return;
        }
        let missing = self.ballast.saturating_sub(there);
        if free.saturating_sub(missing) < self.enough() {
            return;
        }
        if missing > 0
            && let Err(error) = self.make()
        {
            tracing::warn!(%error, "the ballast cannot be made; a full disk will hold up deliveries too");
            return;
        }
        if self.low.swap(false, Ordering::Relaxed) {
            tracing::info!("there is room on the disk again: events are taken");
        }
    }

    fn make(&self) -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        super::files::private(&mut options);
        let mut file = options.open(self.file())?;
        // Not zeros, which some file systems do not store.
        let block = [0xb5_u8; 64 * 1024];
        let mut left = usize::try_from(self.ballast).unwrap_or(usize::MAX);
        while left > 0 {
            let part = left.min(block.len());
            let written = file.write_all(block.get(..part).unwrap_or_default());
            if let Err(error) = written {
                drop(file);
                let _gone = fs::remove_file(self.file());
                return Err(error);
            }
            left -= part;
        }
        Ok(())
    }

    /// Bytes of the ballast that are there.
    fn there(&self) -> u64 {
        fs::metadata(self.file()).map_or(0, |found| found.len())
    }

    fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

/// Bytes that this process may still write; `None`: the system does not say.
#[cfg(unix)]
fn free(dir: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(dir).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_dir: &Path) -> Option<u64> {
    None
}
