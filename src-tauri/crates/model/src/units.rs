//! Durations (`250ms 5s 10m 2h 7d`) and sizes (`64KiB 1MiB`) as people write them.

use std::time::Duration;

/// The longest duration a setting may name: 365 days.
pub const MAX_DURATION: Duration = Duration::from_secs(365 * 86_400);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("'{0}' is not a duration: write a whole number and ms, s, m, h or d, as in 250ms, 5s, 10m, 2h, 7d")]
    Duration(String),
    #[error("'{0}' is longer than 365 days")]
    TooLong(String),
    #[error("'{0}' is not a size: write a whole number and B, KiB, MiB or GiB, as in 64KiB or 1MiB")]
    Size(String),
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let wrong = || UnitError::Duration(text.chars().take(40).collect());
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let millis_per = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let too_long = || UnitError::TooLong(text.chars().take(40).collect());
    let duration = Duration::from_millis(number.checked_mul(millis_per).ok_or_else(too_long)?);
    if duration > MAX_DURATION { Err(too_long()) } else { Ok(duration) }
}

/// In bytes.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let wrong = || UnitError::Size(text.chars().take(40).collect());
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes_per: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(bytes_per).ok_or_else(wrong)
}

/// The shortest exact form: `90000` ms is `90s`.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_written() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("7d"), Ok(Duration::from_secs(604_800)));
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        for text in ["", "5", "s", "1.5s", "-1s", "5 s", "99999999999999999999s", "18446744073709551615d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_size("1MB").is_err());
        assert!(parse_size("99999999999GiB").is_err());
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_whole_unit() {
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
        assert_eq!(format_duration(Duration::from_secs(120)), "2m");
        assert_eq!(format_duration(Duration::from_millis(1_500)), "1500ms");
    }
}
