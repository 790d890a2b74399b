//! Whether one of two programs is slower, on a machine that does other things too: both are measured in turns, and what
//! counts is in how many turns the one was worse by more than it may be.

use std::time::Duration;

/// Two programs sync to one disk: what one waits for the other's sync is nobody's fault.
const ONE_SYNC: Duration = Duration::from_millis(1);
/// How likely a program that is just as slow as allowed may be called too slow.
const BY_CHANCE: f64 = 0.01;

/// p99s of rounds that were made in turns: of the program that has it easy, and of the one beside the trouble.
#[derive(Default)]
pub struct Compared {
    pub without: Vec<Duration>,
    pub beside: Vec<Duration>,
}

impl Compared {
    /// Whether `beside` is at most `factor` times as slow.
    pub fn judge(&self, factor: f64) -> Result<String, String> {
        let rounds = self.without.len();
        let worse = |(without, beside): &(&Duration, &Duration)| **beside > without.mul_f64(factor) + ONE_SYNC;
        let count = self.without.iter().zip(&self.beside).filter(worse).count();
        let said = format!(
            "p99 {:?} beside, {:?} without (medians of {rounds} rounds, {count} of them worse than {factor} times)",
            median(&self.beside),
            median(&self.without)
        );
        if at_least(count, rounds) > BY_CHANCE { Ok(said) } else { Err(said) }
    }
}

/// How likely `count` or more of so many fair coins fall on one side.
fn at_least(count: usize, coins: usize) -> f64 {
    let (mut ways, mut sum) = (1.0, 0.0);
    for heads in 0..=coins {
        if heads >= count {
            sum += ways;
        }
        ways = ways * (coins - heads) as f64 / (heads + 1) as f64;
    }
    sum / 2_f64.powi(i32::try_from(coins).unwrap())
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

/// The time within which 99 of 100 were done.
pub fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[test]
fn a_p99_that_moved_by_more_than_it_may_is_noticed() {
    let rounds = |millis: u64| (0..16).map(move |round| Duration::from_millis(millis + round % 3)).collect();
    let beside = |millis| Compared { without: rounds(100), beside: rounds(millis) };
    assert!(beside(118).judge(1.2).is_ok());
    assert!(beside(128).judge(1.2).is_err());
}

#[test]
fn fourteen_of_sixteen_coins_are_no_chance() {
    assert!(at_least(13, 16) > BY_CHANCE && at_least(14, 16) < BY_CHANCE);
}
