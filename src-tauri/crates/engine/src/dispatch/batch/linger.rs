//! How long a lane waits for a batch to fill.
//!
//! It waits before it opens attempts: what lingers is not on its way, and a crash leaves nothing to doubt.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use signalbox_model::Timestamp;
use signalbox_workspace::Batch;

#[derive(Debug, Default)]
pub struct Linger {
    /// Rows that became ready since the last claim, as far as commits told.
    told: AtomicU32,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    since: Option<Timestamp>,
    /// The last claim was full: more are there, and none needs to wait.
    full: bool,
}

impl Linger {
    pub fn told(&self, rows: u32) {
        self.told.fetch_add(rows, Ordering::Relaxed);
    }

    /// Until when to wait for more; none: the batch goes now. Asked while there is something to send.
    pub fn until(&self, now: Timestamp, batch: &Batch) -> Option<Timestamp> {
        let mut waiting = self.waiting.lock();
        if waiting.full || self.told.load(Ordering::Relaxed) >= batch.max {
            return None;
        }
        let until = waiting.since.get_or_insert(now).plus(batch.linger);
        (until > now).then_some(until)
    }

    pub fn begin_claim(&self) {
        self.told.store(0, Ordering::Relaxed);
    }

    /// `full`: as many rows were due as one batch takes.
    pub fn end_claim(&self, full: bool) {
        *self.waiting.lock() = Waiting { since: None, full };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use signalbox_workspace::BatchShape;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn batch() -> Batch {
        Batch { max: 3, linger: Duration::from_millis(200), shape: BatchShape::HubSpot }
    }

    #[test]
    fn the_first_row_waits_for_more_and_no_longer_than_the_linger() {
        let linger = Linger::default();
        linger.told(1);
        let until = linger.until(NOW, &batch()).expect("it waits");
        assert_eq!(until, NOW.plus(Duration::from_millis(200)));
        linger.told(1);
        let later = NOW.plus(Duration::from_millis(150));
        assert_eq!(linger.until(later, &batch()), Some(until), "a second row does not begin anew");
        assert_eq!(linger.until(until, &batch()), None);
    }

    #[test]
    fn a_full_batch_goes_at_once() {
        let linger = Linger::default();
        linger.told(3);
        assert_eq!(linger.until(NOW, &batch()), None);
    }

    #[test]
    fn behind_a_full_claim_nothing_waits_and_after_the_last_one_it_does_again() {
        let linger = Linger::default();
        linger.begin_claim();
        linger.end_claim(true);
        assert_eq!(linger.until(NOW, &batch()), None);
        linger.begin_claim();
        linger.end_claim(false);
        assert!(linger.until(NOW, &batch()).is_some());
    }
}
