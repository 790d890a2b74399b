//! How many attempts of a lane may be open at one time, and who waits for the next one how long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// Attempts that may be open ahead of the destination's own `concurrency`: while a batch commits, the next sends are
/// already allowed, so that the disk's sync does not idle the destination.
pub(super) const SIZE: usize = 128;

/// Rows that are claimed together where there are so many, and how long a claim waits for places for them.
const TOGETHER: usize = 16;
const FOR_MORE: Duration = Duration::from_millis(3);

pub(super) struct Window {
    free: Arc<Semaphore>,
}

/// The place of one open attempt; free again when this is dropped.
pub(super) type OpenPlace = OwnedSemaphorePermit;

impl Default for Window {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(SIZE)) }
    }
}

impl Window {
    pub fn try_take(&self) -> Option<OpenPlace> {
        self.free.clone().try_acquire_owned().ok()
    }

    /// Waits for a place, at most until `patience` ends.
    pub async fn take(&self, patience: Instant) -> Option<OpenPlace> {
        match self.try_take() {
            Some(place) => Some(place),
            // A timer of no length takes a millisecond all the same.
            None if Instant::now() >= patience => None,
            None => timeout_at(patience, self.free.clone().acquire_owned()).await.ok()?.ok(),
        }
    }

    /// Waits for a place, then up to 3 ms for some more, at most `most` in all. A claim costs nearly the same for one row
    /// as for sixteen, and the destination is busy with what the window holds meanwhile.
    pub async fn take_together(&self, most: usize) -> Vec<OpenPlace> {
        // The semaphore is never closed; if it were, there would be nothing to send.
        let Ok(first) = self.free.clone().acquire_owned().await else { return Vec::new() };
        let mut places = vec![first];
        let more = u32::try_from(most.min(TOGETHER) - 1).unwrap_or(0);
        if let Ok(Ok(mut more)) = timeout(FOR_MORE, self.free.clone().acquire_many_owned(more)).await {
            places.extend(std::iter::from_fn(|| more.split(1)));
        }
        while places.len() < most
            && let Some(place) = self.try_take()
        {
            places.push(place);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn full() -> (Window, Vec<OpenPlace>) {
        let window = Window::default();
        let taken = std::iter::from_fn(|| window.try_take()).collect();
        (window, taken)
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_the_window_full_waits_no_longer_than_its_patience() {
        let (window, taken) = full();
        assert_eq!(taken.len(), SIZE);
        let from = Instant::now();
        assert!(window.take(from + PATIENCE).await.is_none());
        // A timer may be a tick of 1 ms late.
        assert!(from.elapsed() >= PATIENCE && from.elapsed() < PATIENCE * 2, "{:?}", from.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_patience_does_not_wait_at_all() {
        let (window, _taken) = full();
        let from = Instant::now();
        assert!(window.take(from).await.is_none());
        assert_eq!(from.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_comes_free_meanwhile_is_taken_at_once() {
        let (window, mut taken) = full();
        let from = Instant::now();
        let waits = window.take(from + PATIENCE);
        tokio::pin!(waits);
        assert!(futures_util::poll!(&mut waits).is_pending());
        taken.pop();
        assert!(waits.await.is_some());
        assert_eq!(from.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_waits_a_little_for_more_than_one_place_and_goes_with_what_it_has() {
        let (window, mut taken) = full();
        taken.truncate(SIZE - 3);
        let from = Instant::now();
        assert_eq!(window.take_together(64).await.len(), 3);
        assert!(from.elapsed() >= FOR_MORE && from.elapsed() < FOR_MORE * 2, "{:?}", from.elapsed());
        taken.truncate(SIZE - 20);
        let from = Instant::now();
        assert_eq!(window.take_together(64).await.len(), 20);
        assert_eq!(window.take_together(1).await.len(), 1, "a probe is alone");
        assert_eq!(from.elapsed(), Duration::ZERO);
    }
}
