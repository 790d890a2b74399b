//! A lane's gate: what its destination and system allow now. Derived state, never written per row.

use std::time::Duration;

use signalbox_model::{HeldReason, Timestamp};

/// Every reason for which a lane can be closed; each opens by itself or by a person, independent of the others.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The destination is no longer in the workspace: rows stay until it is restored or they are discarded.
    pub removed_since: Option<Timestamp>,
    pub integration_paused_since: Option<Timestamp>,
    pub destination_paused_since: Option<Timestamp>,
    /// The secret that is named but not set.
    pub missing_secret: Option<String>,
    pub refused: Option<Refused>,
    pub retry_after: Option<RetryAfter>,
}

#[derive(Clone, Debug)]
pub struct Refused {
    pub since: Timestamp,
    pub probe_at: Timestamp,
    /// One delivery is trying the credential now.
    pub probing: bool,
}

#[derive(Clone, Debug)]
pub struct RetryAfter {
    pub since: Timestamp,
    pub until: Timestamp,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clear,
    /// Exactly one delivery may try.
    Probe,
    Closed(Closed),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub reason: HeldReason,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub explain: String,
}

impl Gate {
    pub fn verdict(&self, now: Timestamp, system: &str, integration: &str) -> Verdict {
        let closed = |reason, since, until, explain: String| Verdict::Closed(Closed { reason, since, until, explain });
        if let Some(since) = self.removed_since {
            let explain = "This destination is no longer in the workspace. Restore it, or discard what waits.".into();
            return closed(HeldReason::Pause, Some(since), None, explain);
        }
        if let Some(since) = self.integration_paused_since {
            let explain = format!("{integration} is paused. It goes on when somebody resumes it.");
            return closed(HeldReason::Pause, Some(since), None, explain);
        }
        if let Some(since) = self.destination_paused_since {
            let explain = "This destination is paused. It goes on when somebody resumes it.".into();
            return closed(HeldReason::Pause, Some(since), None, explain);
        }
        if let Some(secret) = &self.missing_secret {
            let explain =
                format!("The secret '{secret}' of {system} is not set. Set it with: signalbox secret set {secret}");
            return closed(HeldReason::Credential, None, None, explain);
        }
        let waits = |refused: &&Refused| refused.probing || refused.probe_at > now;
        if let Some(refused) = self.refused.as_ref().filter(waits) {
            let explain = format!(
                "{system} refused the credential with 401. One delivery tries it again at the time shown; \
                 set a new secret to go on at once."
            );
            return closed(HeldReason::Credential, Some(refused.since), Some(refused.probe_at), explain);
        }
        if let Some(wait) = self.retry_after.as_ref().filter(|wait| wait.until > now) {
            let explain = format!("{system} answered {} and asked to wait until the time shown.", wait.status);
            return closed(HeldReason::Rate, Some(wait.since), Some(wait.until), explain);
        }
        if self.refused.is_some() { Verdict::Probe } else { Verdict::Clear }
    }

    /// A later time wins; an earlier one does not shorten a wait that another answer asked for.
    pub fn close_until(&mut self, now: Timestamp, until: Timestamp, status: u16) -> bool {
        match &mut self.retry_after {
            Some(wait) if wait.until > now && wait.since <= now => {
                if until <= wait.until {
                    return false;
                }
                wait.until = until;
                wait.status = status;
            }
            wait => *wait = Some(RetryAfter { since: now, until, status }),
        }
        true
    }

    /// The wall clock was set back: waits last as long as they were meant to.
    pub fn follow_clock_back(&mut self, by: Duration, now: Timestamp) {
        // What began in the future began before the clock was set back; the rest was said by the new clock already.
        if let Some(wait) = self.retry_after.as_mut().filter(|wait| wait.since > now) {
            (wait.since, wait.until) = (wait.since.minus(by), wait.until.minus(by));
        }
        if let Some(refused) = self.refused.as_mut().filter(|refused| refused.since > now) {
            (refused.since, refused.probe_at) = (refused.since.minus(by), refused.probe_at.minus(by));
        }
    }

    pub fn refuse(&mut self, now: Timestamp, probe_at: Timestamp) {
        let since = self.refused.as_ref().map_or(now, |refused| refused.since);
        self.refused = Some(Refused { since, probe_at, probing: false });
    }

    /// Takes the one probe; false when another holds it.
    pub fn begin_probe(&mut self) -> bool {
        match &mut self.refused {
            Some(refused) if !refused.probing => {
                refused.probing = true;
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    /// The probe ended without an answer about the credential (a network failure, say): try again later.
    pub fn end_probe(&mut self, next_at: Timestamp) {
        if let Some(refused) = &mut self.refused {
            refused.probing = false;
            refused.probe_at = next_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn later(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_000 + secs)
    }

    fn reason(gate: &Gate, now: Timestamp) -> Option<HeldReason> {
        match gate.verdict(now, "HubSpot", "Sync") {
            Verdict::Closed(closed) => Some(closed.reason),
            _ => None,
        }
    }

    #[test]
    fn a_retry_after_closes_the_gate_until_its_time_and_never_shortens() {
        let mut gate = Gate::default();
        assert!(gate.close_until(NOW, later(30), 429));
        assert!(!gate.close_until(NOW, later(10), 429));
        assert_eq!(reason(&gate, later(29)), Some(HeldReason::Rate));
        assert_eq!(gate.verdict(later(30), "HubSpot", "Sync"), Verdict::Clear);
    }

    #[test]
    fn a_refused_credential_lets_exactly_one_delivery_try_again() {
        let mut gate = Gate::default();
        gate.refuse(NOW, later(60));
        assert_eq!(reason(&gate, later(59)), Some(HeldReason::Credential));
        assert_eq!(gate.verdict(later(60), "HubSpot", "Sync"), Verdict::Probe);
        assert!(gate.begin_probe());
        assert!(!gate.begin_probe());
        assert_eq!(reason(&gate, later(61)), Some(HeldReason::Credential));
        gate.refused = None;
        assert_eq!(gate.verdict(later(61), "HubSpot", "Sync"), Verdict::Clear);
    }

    #[test]
    fn a_clock_that_was_set_back_moves_what_began_before_it_and_nothing_that_was_said_since() {
        let hour = std::time::Duration::from_secs(3_600);
        let (mut before, mut since) = (Gate::default(), Gate::default());
        before.close_until(NOW, later(30), 429);
        let set_back = NOW.minus(hour);
        since.close_until(set_back, set_back.plus(std::time::Duration::from_secs(30)), 429);
        for gate in [&mut before, &mut since] {
            gate.follow_clock_back(hour, set_back);
            assert_eq!(reason(gate, later(29).minus(hour)), Some(HeldReason::Rate));
            assert_eq!(gate.verdict(later(30).minus(hour), "HubSpot", "Sync"), Verdict::Clear);
        }
    }

    #[test]
    fn a_pause_outlasts_every_other_reason() {
        let mut gate = Gate { integration_paused_since: Some(NOW), ..Gate::default() };
        gate.close_until(NOW, later(5), 429);
        assert_eq!(reason(&gate, later(1_000_000)), Some(HeldReason::Pause));
    }
}
