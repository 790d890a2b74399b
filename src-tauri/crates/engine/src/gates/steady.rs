//! A clock for gates that never goes backwards.

use std::time::Duration;

use signalbox_model::Timestamp;

/// A smaller step back is no clock that was set: callers on several threads, or one that waited since it had looked, bring
/// readings that are a little old. Taking each for a step would make this clock run ahead of every other.
const OLD: Duration = Duration::from_secs(2);

/// What is read from the wall clock, pushed on by every step of two seconds or more that it took backwards. A gate's waits then last as long
/// as they were meant to when somebody sets the clock back by an hour; a machine that slept is simply later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady {
    last: i64,
    /// How far it is ahead of the wall clock, microseconds.
    ahead: i64,
}

impl Steady {
    pub fn read(&mut self, wall: Timestamp) -> Timestamp {
        let now = wall.as_micros().saturating_add(self.ahead);
        let back = self.last.saturating_sub(now);
        if back >= i64::try_from(OLD.as_micros()).unwrap_or(i64::MAX) {
            self.ahead = self.ahead.saturating_add(back);
        } else {
            self.last = self.last.max(now);
        }
        Timestamp::from_micros(self.last)
    }

    /// A steady instant as people's clocks will show it.
    pub fn to_wall(self, steady: Timestamp) -> Timestamp {
        Timestamp::from_micros(steady.as_micros().saturating_sub(self.ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_that_come_late_do_not_make_it_faster() {
        let mut steady = Steady::default();
        let start = 1_000_000_000_000;
        for step in 0..1_000 {
            let now = start + step * 1_000;
            steady.read(Timestamp::from_micros(now));
            steady.read(Timestamp::from_micros(now - 100_000));
        }
        let now = Timestamp::from_micros(start + 1_000_000);
        assert_eq!(steady.read(now), now);
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_from_where_it_was() {
        let mut steady = Steady::default();
        let read = |steady: &mut Steady, secs| steady.read(Timestamp::from_secs(secs)).as_secs();
        assert_eq!(read(&mut steady, 10_000), 10_000);
        assert_eq!(read(&mut steady, 6_400), 10_000);
        assert_eq!(read(&mut steady, 6_410), 10_010);
        assert_eq!(steady.to_wall(Timestamp::from_secs(10_030)), Timestamp::from_secs(6_430));
        assert_eq!(read(&mut steady, 10_000), 13_600, "put right again, it is as if an hour had passed");
    }
}
