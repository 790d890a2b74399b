//! Rules first, then a random walk beside the words of the rules.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_000_000);

fn at(secs: u64) -> Timestamp {
    START.plus(Duration::from_secs(secs))
}

fn breaker() -> Breaker {
    Breaker::new(BreakerSettings::default())
}

/// Twenty failures at `secs`.
fn opened(secs: u64) -> Breaker {
    let mut breaker = breaker();
    for _ in 0..20 {
        breaker.record(at(secs), true, false);
    }
    assert_eq!(breaker.state(at(secs)), State::Open);
    breaker
}

#[test]
fn it_opens_when_half_of_twenty_calls_failed_and_not_one_earlier() {
    let mut breaker = breaker();
    for call in 0..19 {
        assert_eq!(breaker.record(at(1), call % 2 == 0, false), None, "{call}");
    }
    assert_eq!(breaker.record(at(1), true, false), Some(Change::Opened { calls: 20, failures: 11 }));
    assert_eq!(breaker.permitted(at(1)), Permitted::Nothing { until: Some(at(31)) });
}

#[test]
fn fewer_failures_than_the_ratio_open_nothing() {
    let mut breaker = breaker();
    for call in 0..1_000 {
        assert_eq!(breaker.record(at(1), call % 3 == 0, false), None);
    }
}

#[test]
fn failures_that_are_older_than_the_window_are_forgotten() {
    let mut breaker = breaker();
    for _ in 0..19 {
        breaker.record(at(0), true, false);
    }
    assert_eq!(breaker.counts(at(26)), (19, 19));
    assert_eq!(breaker.record(at(31), true, false), None);
    assert_eq!(breaker.counts(at(31)), (1, 1));
}

#[test]
fn one_probe_at_a_time_decides() {
    let mut breaker = opened(0);
    assert!(!breaker.begin_probe(at(29)), "the wait is not over");
    assert_eq!(breaker.permitted(at(30)), Permitted::Probe);
    assert!(breaker.begin_probe(at(30)));
    assert!(!breaker.begin_probe(at(30)), "there is one already");
    assert_eq!(breaker.permitted(at(30)), Permitted::Nothing { until: None });
    assert_eq!(breaker.record(at(31), false, false), None, "a late answer is no probe");
    assert_eq!(breaker.record(at(31), false, true), Some(Change::Closed));
    assert_eq!(breaker.permitted(at(31)), Permitted::All);
    assert_eq!(breaker.counts(at(31)), (0, 0));
}

#[test]
fn each_failed_probe_doubles_the_wait_up_to_five_minutes() {
    let mut breaker = opened(0);
    let mut waits = Vec::new();
    let mut now = at(30);
    for _ in 0..6 {
        assert!(breaker.begin_probe(now));
        assert_eq!(breaker.record(now, true, true), Some(Change::StaysOpen));
        let next = breaker.next_probe_at().expect("it is open");
        waits.push(next.since(now).as_secs());
        now = next;
    }
    assert_eq!(waits, [60, 120, 240, 300, 300, 300]);
}

#[test]
fn a_later_time_that_was_asked_for_puts_the_probe_off_and_an_earlier_one_does_not_hasten_it() {
    let mut breaker = opened(0);
    breaker.not_before(at(10));
    assert_eq!(breaker.permitted(at(1)), Permitted::Nothing { until: Some(at(30)) });
    breaker.not_before(at(900));
    assert_eq!(breaker.permitted(at(899)), Permitted::Nothing { until: Some(at(900)) });
    assert!(breaker.begin_probe(at(900)));
    assert_eq!(breaker.record(at(900), true, true), Some(Change::StaysOpen));
    assert_eq!(breaker.next_probe_at(), Some(at(960)), "what was asked for is no part of what doubles");
    breaker.close();
    breaker.not_before(at(9_000));
    assert_eq!(breaker.permitted(at(961)), Permitted::All, "it holds up nothing that is not open");
}

#[test]
fn a_probe_that_made_no_call_leaves_its_place_to_another() {
    let mut breaker = opened(0);
    assert!(breaker.begin_probe(at(40)));
    breaker.give_probe_back();
    assert!(breaker.begin_probe(at(40)));
}

#[test]
fn a_person_holds_it_open_or_closed_until_they_let_go() {
    let mut breaker = breaker();
    breaker.hold_open();
    assert_eq!(breaker.permitted(at(9_999)), Permitted::Nothing { until: None });
    assert!(!breaker.begin_probe(at(9_999)));
    breaker.force_closed();
    for _ in 0..100 {
        assert_eq!(breaker.record(at(1), true, false), None);
    }
    assert_eq!(breaker.permitted(at(1)), Permitted::All);
    breaker.close();
    assert_eq!(breaker.counts(at(1)), (0, 0), "what it saw while forced does not open it");
    assert_eq!(breaker.state(at(1)), State::Closed);
}

#[test]
fn after_a_restart_it_probes_at_once() {
    let mut breaker = breaker();
    breaker.restore_open(at(5));
    assert_eq!(breaker.permitted(at(5)), Permitted::Probe);
}

#[test]
fn a_sleep_of_eight_hours_leaves_one_probe_and_an_empty_window() {
    let mut breaker = opened(0);
    let morning = at(8 * 3_600);
    assert_eq!(breaker.counts(morning), (0, 0));
    assert!(breaker.begin_probe(morning));
    assert!(!breaker.begin_probe(morning));
}

/// Small and good enough to walk at random.
struct Walk(u64);

impl Walk {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[test]
fn on_every_walk_the_rules_hold() {
    for seed in 1..=500 {
        let mut walk = Walk(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let mut breaker = breaker();
        let mut now = START;
        // Beside it: every call of the window, and whether a probe is out.
        let mut seen: Vec<(Timestamp, bool)> = Vec::new();
        let mut probing = false;
        for step in 0..400 {
            now = now.plus(Duration::from_millis(walk.below(4_000)));
            let place = format!("seed {seed}, step {step}");
            match breaker.permitted(now) {
                Permitted::All => {
                    let failed = walk.below(10) < 6;
                    seen.push((now, failed));
                    let change = breaker.record(now, failed, false);
                    // The window is kept in tenths of three seconds: the oldest one ends it.
                    let from = Timestamp::from_secs((now.as_secs().div_euclid(3) - 9) * 3);
                    let inside = || seen.iter().filter(|(at, _)| *at >= from);
                    let (calls, failures) = (inside().count(), inside().filter(|(_, failed)| *failed).count());
                    let opens = failed && calls >= 20 && failures * 2 >= calls;
                    assert_eq!(matches!(change, Some(Change::Opened { .. })), opens, "{place}: {failures} of {calls}");
                    if opens {
                        seen.clear();
                    }
                }
                Permitted::Probe => {
                    assert!(!probing, "{place}: a second probe is offered");
                    assert!(breaker.begin_probe(now), "{place}");
                    assert!(!breaker.begin_probe(now), "{place}: two probes");
                    probing = true;
                }
                Permitted::Nothing { until } => {
                    assert!(until.is_none_or(|until| until > now), "{place}");
                    assert_eq!(probing, until.is_none(), "{place}");
                    let before = breaker.next_probe_at().expect("it is open");
                    assert_eq!(breaker.record(now, walk.below(2) == 0, false), None, "{place}: a late answer");
                    assert_eq!(breaker.next_probe_at(), Some(before), "{place}");
                    if probing {
                        probing = false;
                        let failed = walk.below(2) == 0;
                        let change = breaker.record(now, failed, true);
                        assert_eq!(change, Some(if failed { Change::StaysOpen } else { Change::Closed }), "{place}");
                        let wait = breaker.next_probe_at().map(|next| next.since(now));
                        assert!(wait.is_none_or(|wait| wait <= LONGEST_OPEN), "{place}");
                    }
                }
            }
        }
    }
}
