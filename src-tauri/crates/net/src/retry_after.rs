//! The header `Retry-After` (RFC 9110 §10.2.3): whole seconds, or one of the three date forms of §5.6.7.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use signalbox_model::Timestamp;
use signalbox_model::units::MAX_DURATION;

/// How long to wait from now, at most 365 days; `None` for what is neither form. A date in the past is no wait. A date is
/// judged against the answer's own `Date` where it has one, since the two clocks may differ.
pub fn parse(value: &[u8], date_header: Option<&[u8]>, now: Timestamp) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a wait longer than any.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_DURATION));
    }
    let now = now.to_utc().naive_utc();
    let until = http_date(text, now.year())?;
    let from = date_header
        .and_then(|value| std::str::from_utf8(value).ok())
        .and_then(|text| http_date(text.trim(), now.year()))
        .unwrap_or(now);
    Some((until - from).to_std().unwrap_or(Duration::ZERO).min(MAX_DURATION))
}

/// Writes the preferred form, IMF-fixdate.
pub fn format_http_date(at: Timestamp) -> String {
    let at: DateTime<chrono::Utc> = at.to_utc();
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str, this_year: i32) -> Option<NaiveDateTime> {
    if let Some((day_name, rest)) = text.split_once(", ") {
        let rest = rest.strip_suffix(" GMT")?;
        if DAYS.iter().any(|(short, _)| *short == day_name) {
            let mut parts = rest.split(' ');
            let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            return if parts.next().is_none() { date(number(year, 4)?, month, number(day, 2)?, time) } else { None };
        }
        if !DAYS.iter().any(|(_, long)| *long == day_name) {
            return None;
        }
        let (day_month_year, time) = rest.split_once(' ')?;
        let mut parts = day_month_year.split('-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        return date(full_year(number(year, 2)?, this_year), month, number(day, 2)?, time);
    }
    let (day_name, rest) = text.split_at_checked(3)?;
    if !DAYS.iter().any(|(short, _)| *short == day_name) {
        return None;
    }
    let (month, rest) = rest.strip_prefix(' ')?.split_at_checked(3)?;
    let (day, rest) = rest.strip_prefix(' ')?.split_at_checked(2)?;
    let (time, year) = rest.strip_prefix(' ')?.split_once(' ')?;
    let day = match day.strip_prefix(' ') {
        Some(digit) => number(digit, 1)?,
        None => number(day, 2)?,
    };
    date(number(year, 4)?, month, day, time)
}

/// RFC 9110 §5.6.7: a two-digit year more than 50 years ahead is one of the past.
fn full_year(two_digits: u32, this_year: i32) -> u32 {
    let this_year = u32::try_from(this_year).unwrap_or(0);
    let year = this_year - this_year % 100 + two_digits;
    if year > this_year + 50 { year.saturating_sub(100) } else { year }
}

fn number(text: &str, digits: usize) -> Option<u32> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn date(year: u32, month: &str, day: u32, time: &str) -> Option<NaiveDateTime> {
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, day)?;
    let mut parts = time.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let second = number(second, 2)?;
    // 60 is a leap second.
    let time = NaiveTime::from_hms_opt(number(hour, 2)?, number(minute, 2)?, second.min(59))?;
    match second {
        0..=59 => Some(date.and_time(time)),
        60 => date.and_time(time).checked_add_signed(TimeDelta::seconds(1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: i64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

    fn wait(text: &str, now: i64) -> Option<u64> {
        parse(text.as_bytes(), None, Timestamp::from_secs(now)).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_are_read_and_absurd_ones_bounded() {
        assert_eq!(wait("0", 0), Some(0));
        assert_eq!(wait("120", 0), Some(120));
        assert_eq!(wait(" 120 ", 0), Some(120));
        assert_eq!(wait("1000000000", 0), Some(MAX_DURATION.as_secs()));
        assert_eq!(wait("99999999999999999999999999", 0), Some(MAX_DURATION.as_secs()));
    }

    #[test]
    fn the_three_date_forms_of_rfc_9110_mean_the_same() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(wait(text, SHOWN - 60), Some(60), "{text}");
            assert_eq!(wait(text, SHOWN + 60), Some(0), "{text}");
        }
        assert_eq!(format_http_date(Timestamp::from_secs(SHOWN)), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_date_is_judged_by_the_clock_of_its_sender() {
        let value = b"Sun, 06 Nov 1994 08:49:37 GMT";
        let date = b"Sun, 06 Nov 1994 08:49:07 GMT";
        for now in [0, SHOWN + 9_999, SHOWN - 9_999] {
            let now = Timestamp::from_secs(now);
            assert_eq!(parse(value, Some(date), now), Some(Duration::from_secs(30)));
        }
        assert_eq!(parse(value, Some(b"garbage"), Timestamp::from_secs(SHOWN - 5)), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_two_digit_year_far_ahead_is_in_the_past() {
        let now = 1_795_000_000; // 2026
        assert_eq!(wait("Saturday, 21-Nov-77 08:00:00 GMT", now), Some(0));
        assert!(wait("Saturday, 21-Nov-76 08:00:00 GMT", now) > Some(0));
    }

    #[test]
    fn garbage_is_ignored() {
        for text in [
            "",
            " ",
            "-1",
            "+1",
            "1.5",
            "1e3",
            "soon",
            "0x10",
            "120s",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 PST",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "é",
            "Sun, é",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(wait(text, SHOWN - 60), None, "{text:?}");
        }
        assert_eq!(parse(b"\xff\xfe", None, Timestamp::from_secs(0)), None);
    }
}
