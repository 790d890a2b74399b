//! The live feed: which parts changed since a cursor, coalesced, resumable, bounded.

use std::time::Duration;

use parking_lot::Mutex;
use signalbox_model::Timestamp;
use tokio::sync::watch;

/// A part of the panel that a change makes stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tag {
    Deliveries,
    DeadLetters,
    Overview,
    Systems,
    Rejected,
    Integrations,
    Replays,
}

impl Tag {
    pub const ALL: [Self; 7] = [
        Self::Deliveries,
        Self::DeadLetters,
        Self::Overview,
        Self::Systems,
        Self::Rejected,
        Self::Integrations,
        Self::Replays,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::DeadLetters => "dead-letters",
            Self::Overview => "overview",
            Self::Systems => "systems",
            Self::Rejected => "rejected",
            Self::Integrations => "integrations",
            Self::Replays => "replays",
        }
    }
}

#[derive(Clone, Debug)]
pub struct LiveBatch {
    pub cursor: String,
    pub at: Timestamp,
    /// The cursor is of another boot, or unreadable: fetch everything again.
    pub resync: bool,
    pub tags: Vec<Tag>,
    /// Events accepted and attempts failed since the cursor.
    pub accepted: u64,
    pub failed: u64,
}

/// Batches leave at most ten times a second.
const COALESCE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Default)]
struct Now {
    version: u64,
    /// The version at which each tag last changed.
    changed: [u64; Tag::ALL.len()],
    accepted: u64,
    failed: u64,
}

pub(super) struct Feed {
    boot: u64,
    now: Mutex<Now>,
    version: watch::Sender<u64>,
}

impl Feed {
    pub fn new(boot: u64) -> Self {
        Self { boot, now: Mutex::new(Now::default()), version: watch::Sender::new(0) }
    }

    fn now(&self) -> Now {
        *self.now.lock()
    }

    pub fn touch(&self, tags: &[Tag], accepted: u64, failed: u64) {
        let version = {
            let mut now = self.now.lock();
            now.version += 1;
            now.accepted += accepted;
            now.failed += failed;
            for tag in tags {
                now.changed[*tag as usize] = now.version;
            }
            now.version
        };
        self.version.send_replace(version);
    }

    pub async fn next(&self, cursor: Option<&str>, wait: Duration, at: impl Fn() -> Timestamp) -> LiveBatch {
        let Some(seen) = cursor.and_then(|cursor| self.parse(cursor)) else {
            return self.batch(Now::default(), at(), true);
        };
        let mut version = self.version.subscribe();
        // The value itself is a guard that must not live across the next wait.
        let changed = tokio::time::timeout(wait, version.wait_for(|version| *version > seen.version)).await.is_ok();
        if changed {
            // What follows at once belongs to the same batch.
            tokio::time::sleep(COALESCE).await;
        }
        self.batch(seen, at(), false)
    }

    fn parse(&self, cursor: &str) -> Option<Now> {
        let mut parts = cursor.split('.').map(|part| part.parse::<u64>().ok());
        let (boot, version, accepted, failed) = (parts.next()??, parts.next()??, parts.next()??, parts.next()??);
        let now = self.now();
        let ours = boot == self.boot && version <= now.version && accepted <= now.accepted && failed <= now.failed;
        ours.then_some(Now { version, accepted, failed, ..Now::default() })
    }

    fn batch(&self, seen: Now, at: Timestamp, resync: bool) -> LiveBatch {
        let now = self.now();
        let tags = Tag::ALL.into_iter().filter(|tag| resync || now.changed[*tag as usize] > seen.version).collect();
        LiveBatch {
            cursor: format!("{}.{}.{}.{}", self.boot, now.version, now.accepted, now.failed),
            at,
            resync,
            tags,
            accepted: if resync { 0 } else { now.accepted - seen.accepted },
            failed: if resync { 0 } else { now.failed - seen.failed },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn() -> Timestamp = || Timestamp::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_reader_is_told_what_changed_since_its_cursor_and_nothing_twice() {
        let feed = Feed::new(7);
        let first = feed.next(None, Duration::ZERO, AT).await;
        assert!(first.resync);
        feed.touch(&[Tag::Deliveries], 3, 1);
        let second = feed.next(Some(&first.cursor), Duration::from_secs(25), AT).await;
        assert_eq!((second.tags, second.accepted, second.failed), (vec![Tag::Deliveries], 3, 1));
        let third = feed.next(Some(&second.cursor), Duration::from_secs(25), AT).await;
        assert!(third.tags.is_empty() && !third.resync);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cursor_of_another_boot_asks_for_everything_again() {
        let feed = Feed::new(7);
        for cursor in ["6.0.0.0", "7.99.0.0", "", "7.0", "7.0.0.x", "-1.0.0.0"] {
            assert!(feed.next(Some(cursor), Duration::from_secs(25), AT).await.resync, "{cursor}");
        }
    }
}
