//! Every form that vendors use, and what must not be believed.

use http::{HeaderName, HeaderValue};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

fn readings(lines: &[(&'static str, &str)]) -> Vec<Reading> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"));
    }
    read(&headers, NOW)
}

type Short = (String, Option<u64>, u64, Option<u64>, Option<u64>);

fn short(lines: &[(&'static str, &str)]) -> Vec<Short> {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
    let all = readings(lines).into_iter();
    all.map(|one| (one.name, one.limit, one.remaining, seconds(one.window), seconds(one.resets_in))).collect()
}

fn quota(name: &str, limit: u64, remaining: u64, window: Option<u64>, resets_in: Option<u64>) -> Short {
    (name.to_owned(), Some(limit), remaining, window, resets_in)
}

#[test]
fn a_retry_after_says_better_when_an_exhausted_quota_is_there_again() {
    let lines = [
        ("retry-after", "2"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-max", "100"),
        ("x-hubspot-ratelimit-remaining", "0"),
    ];
    assert_eq!(short(&lines), [quota("interval", 100, 0, Some(10), Some(2))]);
}

#[test]
fn hubspot_tells_of_its_interval_and_of_its_day() {
    let lines = [
        ("x-hubspot-ratelimit-daily", "250000"),
        ("x-hubspot-ratelimit-daily-remaining", "249011"),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
        ("x-hubspot-ratelimit-max", "100"),
        ("x-hubspot-ratelimit-remaining", "92"),
    ];
    assert_eq!(
        short(&lines),
        [quota("interval", 100, 92, Some(10), Some(10)), quota("daily", 250_000, 249_011, Some(86_400), None)]
    );
    assert_eq!(short(&lines[2..]).len(), 1, "an OAuth app is told nothing of the day");
}

#[test]
fn salesforce_tells_what_was_used() {
    assert_eq!(
        short(&[("sforce-limit-info", "api-usage=10018/100000")]),
        [quota("api-usage", 100_000, 89_982, Some(86_400), None)]
    );
    let both = "api-usage=18/5000; per-app-api-usage=17/250(appName=sample-app)";
    assert_eq!(short(&[("sforce-limit-info", both)]).len(), 2);
    assert_eq!(short(&[("sforce-limit-info", "api-usage=9/5")])[0].2, 0, "more used than allowed leaves nothing");
}

#[test]
fn rate_limit_and_its_policy_are_joined_by_name() {
    let lines =
        [("ratelimit-policy", r#""burst";q=100;w=60,"daily";q=5000;w=86400"#), ("ratelimit", r#""burst";r=50;t=30"#)];
    assert_eq!(short(&lines), [quota("burst", 100, 50, Some(60), Some(30))]);
    let tokens = [("ratelimit-policy", "default;q=10;w=1"), ("ratelimit", "default;r=9;t=1")];
    assert_eq!(short(&tokens), [quota("default", 10, 9, Some(1), Some(1))], "an older draft had tokens for names");
    let comma = [("ratelimit", r#""a,b;c";r=1"#)];
    assert_eq!(readings(&comma)[0].name, "a,b;c");
}

#[test]
fn the_older_forms_are_read() {
    assert_eq!(short(&[("ratelimit", "limit=100, remaining=50, reset=5")]), [quota("default", 100, 50, None, Some(5))]);
    let separate = [("ratelimit-limit", "100, 100;w=10"), ("ratelimit-remaining", "7"), ("ratelimit-reset", "9")];
    assert_eq!(short(&separate), [quota("default", 100, 7, None, Some(9))]);
}

#[test]
fn a_reset_is_an_instant_or_a_wait() {
    let with = |reset: &str| {
        let lines = [("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)];
        readings(&lines)[0].resets_in.map(|wait| wait.as_secs())
    };
    assert_eq!(with("30"), Some(30));
    assert_eq!(with("1795000060"), Some(60), "GitHub's");
    assert_eq!(with("1795000060000"), Some(60));
    assert_eq!(with("1700000000"), Some(0), "in the past");
    assert_eq!(with("99999999999"), Some(LATEST.as_secs()), "thousands of years");
    assert_eq!(with("999999999"), Some(LATEST.as_secs()));
    assert_eq!(with("soon"), None);
}

#[test]
fn what_is_not_plainly_right_is_left_out() {
    for wrong in ["-1", "+1", "1.5", "1e9", "NaN", "inf", "", " ", "0x10", "99999999999999999999999", "١٢"] {
        let Ok(value) = HeaderValue::from_bytes(wrong.as_bytes()) else { continue };
        for name in ["x-ratelimit-remaining", "x-hubspot-ratelimit-remaining", "ratelimit-remaining"] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value.clone());
            assert_eq!(read(&headers, NOW), [], "{name}: {wrong}");
        }
    }
    for wrong in ["", ";;;,,,", "\"", "\"a", "\"a\";r=-1;t=5", "r=5", "\"a\";r=x", "=;=", ",,\"\";r=1"] {
        assert_eq!(readings(&[("ratelimit", wrong)]), [], "{wrong}");
    }
    for wrong in ["api-usage", "api-usage=", "api-usage=1", "api-usage=-1/5", "api-usage=1/x", "=/"] {
        assert_eq!(readings(&[("sforce-limit-info", wrong)]), [], "{wrong}");
    }
}

#[test]
fn contradictions_are_clamped() {
    let lines = [("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "5000")];
    assert_eq!(short(&lines)[0].2, 10);
    let zero = [("x-ratelimit-limit", "0"), ("x-ratelimit-remaining", "0")];
    assert_eq!(readings(&zero)[0].limit, None, "a quota of nothing is no quota");
}

#[test]
fn thousands_of_items_are_cut_to_a_few() {
    let many: String = (0..200).map(|n| format!("\"q{n}\";r={n};t=1,")).collect();
    assert!(readings(&[("ratelimit", &many)]).len() <= MOST);
    let endless = "\"q\";r=1,".repeat(10_000);
    assert_eq!(readings(&[("ratelimit", &endless)]), [], "longer than any list that is meant");
}

#[test]
fn whatever_bytes_come_nothing_breaks() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..20_000 {
        let mut value = Vec::new();
        for _ in 0..round % 40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            value.push(b"\"\\;,=rtqw0123456789-. api/usage()"[(state % 33) as usize]);
        }
        let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
        for name in ["ratelimit", "sforce-limit-info", "x-ratelimit-remaining"] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), value.clone());
            for reading in read(&headers, NOW) {
                assert!(reading.limit.is_none_or(|limit| reading.remaining <= limit), "{value:?}");
                assert!(reading.resets_in.is_none_or(|resets| resets <= LATEST), "{value:?}");
            }
        }
    }
}
