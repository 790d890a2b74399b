//! How an integration is doing, in one word.

use std::time::Duration;

use crate::dto::overview::IntegrationState;

/// What counts as now.
const RECENT: Duration = Duration::from_secs(300);
/// Fewer confirmed attempts than this share, while some fail, is failing.
const GOOD_SHARE: f64 = 0.95;
/// A p95 over this is slow, milliseconds.
const SLOW_MS: f64 = 2_000.0;

/// What the word is made from; the series are those of the window, `bucket` wide, oldest first.
pub(super) struct Figures<'a> {
    pub(super) runs: bool,
    pub(super) paused: bool,
    pub(super) bucket: Duration,
    pub(super) accepted: &'a [u64],
    pub(super) delivered: &'a [u64],
    pub(super) dead: &'a [u64],
    /// Failed attempts.
    pub(super) failed: &'a [u64],
    pub(super) p95_ms: &'a [Option<f64>],
    pub(super) queue: u64,
}

pub(super) fn state(figures: &Figures<'_>) -> IntegrationState {
    if !figures.runs {
        return IntegrationState::Broken;
    }
    let buckets = recent_buckets(figures.bucket);
    let recent = |values: &[u64]| last(values, buckets).iter().sum::<u64>();
    let (delivered, dead, failed) = (recent(figures.delivered), recent(figures.dead), recent(figures.failed));
    let tried = delivered.saturating_add(failed);
    if dead > 0 || (failed > 0 && (delivered as f64) < GOOD_SHARE * tried as f64) {
        return IntegrationState::Failing;
    }
    if figures.paused {
        return IntegrationState::Paused;
    }
    let slow = last(figures.p95_ms, buckets).iter().flatten().any(|p95| *p95 > SLOW_MS);
    if slow {
        return IntegrationState::Slow;
    }
    let quiet = figures.queue == 0 && [figures.accepted, figures.delivered].concat().iter().all(|count| *count == 0);
    if quiet { IntegrationState::Idle } else { IntegrationState::Healthy }
}

/// The bucket that is not over yet comes on top of whole ones.
fn recent_buckets(bucket: Duration) -> usize {
    let seconds = bucket.as_secs().max(1);
    usize::try_from(RECENT.as_secs().div_ceil(seconds)).unwrap_or(usize::MAX).saturating_add(1)
}

fn last<T>(values: &[T], count: usize) -> &[T] {
    values.get(values.len().saturating_sub(count)..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u64; 20] = [0; 20];
    const ONES: [u64; 20] = [1; 20];
    const FAST: [Option<f64>; 20] = [Some(12.0); 20];

    fn healthy<'a>() -> Figures<'a> {
        Figures {
            runs: true,
            paused: false,
            bucket: Duration::from_secs(60),
            accepted: &ONES,
            delivered: &ONES,
            dead: &NONE,
            failed: &NONE,
            p95_ms: &FAST,
            queue: 0,
        }
    }

    fn at(index: usize, count: u64) -> [u64; 20] {
        let mut values = NONE;
        values[index] = count;
        values
    }

    #[test]
    fn each_state_has_its_cause() {
        assert_eq!(state(&healthy()), IntegrationState::Healthy);
        assert_eq!(state(&Figures { runs: false, ..healthy() }), IntegrationState::Broken);
        assert_eq!(state(&Figures { dead: &at(19, 1), ..healthy() }), IntegrationState::Failing);
        assert_eq!(state(&Figures { failed: &at(18, 3), ..healthy() }), IntegrationState::Failing);
        assert_eq!(state(&Figures { paused: true, ..healthy() }), IntegrationState::Paused);
        assert_eq!(state(&Figures { p95_ms: &[Some(2_500.0)], ..healthy() }), IntegrationState::Slow);
        assert_eq!(state(&Figures { accepted: &NONE, delivered: &NONE, ..healthy() }), IntegrationState::Idle);
    }

    #[test]
    fn what_failed_an_hour_ago_is_over() {
        let long_ago = Figures { dead: &at(3, 9), failed: &at(3, 50), ..healthy() };
        assert_eq!(state(&long_ago), IntegrationState::Healthy);
    }

    #[test]
    fn a_retry_among_many_good_ones_is_not_failing() {
        let busy = [100; 20];
        assert_eq!(state(&Figures { delivered: &busy, failed: &at(19, 3), ..healthy() }), IntegrationState::Healthy);
    }

    #[test]
    fn waiting_deliveries_are_not_idle() {
        let waiting = Figures { accepted: &NONE, delivered: &NONE, queue: 4, ..healthy() };
        assert_eq!(state(&waiting), IntegrationState::Healthy);
    }
}
