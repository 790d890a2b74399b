//! Retry arithmetic: pure, so that a thousand simulated hours can be checked in a second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FailureKind, Timestamp};

/// A destination's `retry` table.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Waits before the second, third, … attempt. Attempts = 1 + its length.
    pub schedule: Vec<Duration>,
    /// Each wait is stretched or shortened by up to this share, `0.0..=1.0`.
    pub jitter: f64,
    /// From acceptance (or the start of a replay); nothing is sent later than this.
    pub max_age: Duration,
    /// Also repeat these; wins over the kind's own rule.
    pub on: Vec<RetryMatch>,
    /// Never repeat these; wins over `on`.
    pub never: Vec<RetryMatch>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = [1, 5, 30, 120, 600, 3_600];
        Self {
            schedule: seconds.map(Duration::from_secs).to_vec(),
            jitter: 0.2,
            max_age: Duration::from_secs(86_400),
            on: Vec::new(),
            never: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryMatch {
    Kind(FailureKind),
    /// Inclusive.
    Status {
        from: u16,
        to: u16,
    },
}

impl RetryMatch {
    fn matches(self, kind: FailureKind, status: Option<u16>) -> bool {
        match self {
            Self::Kind(wanted) => wanted == kind,
            Self::Status { from, to } => status.is_some_and(|status| (from..=to).contains(&status)),
        }
    }
}

/// What set the time of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitedFor {
    Schedule,
    RetryAfter,
}

/// What happened so far, as the policy needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    pub kind: FailureKind,
    pub status: Option<u16>,
    /// Tries of this round including the one that just failed; at least 1.
    pub tries: u32,
    /// When this round began: acceptance, or the start of a replay.
    pub round_started_at: Timestamp,
    pub now: Timestamp,
    pub retry_after: Option<Duration>,
    /// Chance in `0.0..1.0` for the jitter.
    pub chance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    Retry { due_at: Timestamp, waited_for: WaitedFor },
    GiveUp(GiveUp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// Repeating would not change the answer.
    NotRepeatable,
    /// Every try of the schedule is used.
    Exhausted,
    /// The next try would be later than `max_age`.
    TooOld,
}

impl RetryPolicy {
    pub fn max_attempts(&self) -> u32 {
        u32::try_from(self.schedule.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn repeats(&self, failed: &Failed) -> bool {
        let any = |list: &[RetryMatch]| list.iter().any(|rule| rule.matches(failed.kind, failed.status));
        if any(&self.never) {
            return false;
        }
        if any(&self.on) {
            return true;
        }
        match failed.kind {
            FailureKind::Rate | FailureKind::Server | FailureKind::Network | FailureKind::Unknown => true,
            // A static credential's 401 closes the gate instead; see the dispatcher.
            FailureKind::Auth | FailureKind::Rejected | FailureKind::Mapping => false,
        }
    }

    /// The next try is due at max(schedule step, Retry-After), and never later than `max_age`.
    pub fn decide(&self, failed: &Failed) -> RetryDecision {
        if !self.repeats(failed) {
            return RetryDecision::GiveUp(GiveUp::NotRepeatable);
        }
        let step = usize::try_from(failed.tries.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(wait) = self.schedule.get(step) else {
            return RetryDecision::GiveUp(GiveUp::Exhausted);
        };
        let stretch = 1.0 + self.jitter.clamp(0.0, 1.0) * (2.0 * failed.chance.clamp(0.0, 1.0) - 1.0);
        let scheduled = failed.now.plus(wait.mul_f64(stretch));
        let (due_at, waited_for) = match failed.retry_after.map(|after| failed.now.plus(after)) {
            Some(asked) if asked > scheduled => (asked, WaitedFor::RetryAfter),
            _ => (scheduled, WaitedFor::Schedule),
        };
        if due_at > failed.round_started_at.plus(self.max_age) {
            return RetryDecision::GiveUp(GiveUp::TooOld);
        }
        RetryDecision::Retry { due_at, waited_for }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_000_000);

    fn failed(kind: FailureKind, tries: u32) -> Failed {
        Failed { kind, status: None, tries, round_started_at: START, now: START, retry_after: None, chance: 0.5 }
    }

    #[test]
    fn each_failure_waits_for_the_next_step_and_the_last_one_gives_up() {
        let policy = RetryPolicy::default();
        let waits: Vec<u64> = (1..=6)
            .map(|tries| match policy.decide(&failed(FailureKind::Server, tries)) {
                RetryDecision::Retry { due_at, waited_for: WaitedFor::Schedule } => due_at.since(START).as_secs(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(waits, [1, 5, 30, 120, 600, 3_600]);
        assert_eq!(policy.decide(&failed(FailureKind::Server, 7)), RetryDecision::GiveUp(GiveUp::Exhausted));
        assert_eq!(policy.max_attempts(), 7);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let policy = RetryPolicy { schedule: vec![Duration::from_secs(10)], ..RetryPolicy::default() };
        for (chance, millis) in [(0.0, 8_000), (0.5, 10_000), (1.0, 12_000)] {
            let decision = policy.decide(&Failed { chance, ..failed(FailureKind::Server, 1) });
            let RetryDecision::Retry { due_at, .. } = decision else { panic!("{decision:?}") };
            assert_eq!(due_at.since(START).as_millis(), millis);
        }
    }

    #[test]
    fn a_longer_retry_after_is_obeyed_in_full_and_a_shorter_one_does_not_hurry() {
        let policy = RetryPolicy::default();
        let asked = |secs| Failed { retry_after: Some(Duration::from_secs(secs)), ..failed(FailureKind::Rate, 1) };
        assert_eq!(
            policy.decide(&asked(3_600)),
            RetryDecision::Retry { due_at: START.plus(Duration::from_secs(3_600)), waited_for: WaitedFor::RetryAfter }
        );
        assert_eq!(
            policy.decide(&asked(0)),
            RetryDecision::Retry { due_at: START.plus(Duration::from_secs(1)), waited_for: WaitedFor::Schedule }
        );
        assert_eq!(policy.decide(&asked(1_000_000_000)), RetryDecision::GiveUp(GiveUp::TooOld));
    }

    #[test]
    fn rejected_and_mapping_die_at_once_unless_the_policy_says_otherwise() {
        let policy = RetryPolicy::default();
        for kind in [FailureKind::Rejected, FailureKind::Mapping, FailureKind::Auth] {
            assert_eq!(policy.decide(&failed(kind, 1)), RetryDecision::GiveUp(GiveUp::NotRepeatable));
        }
        let conflict = Failed { status: Some(409), ..failed(FailureKind::Rejected, 1) };
        let on = RetryPolicy { on: vec![RetryMatch::Status { from: 409, to: 409 }], ..RetryPolicy::default() };
        assert!(matches!(on.decide(&conflict), RetryDecision::Retry { .. }));
        let never = RetryPolicy { never: vec![RetryMatch::Kind(FailureKind::Rejected)], ..on };
        assert_eq!(never.decide(&conflict), RetryDecision::GiveUp(GiveUp::NotRepeatable));
    }
}
