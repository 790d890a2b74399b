//! Reading what a scheme needs from hostile headers, within bounds.

use std::time::Duration;

use http::HeaderMap;
use signalbox_model::Timestamp;

use super::Refusal;

/// The longest header that a signature or credential may fill, in bytes.
pub(super) const MAX_HEADER: usize = 4096;
/// The longest token, in bytes.
pub(super) const MAX_TOKEN: usize = 8192;
/// The most signatures that one request may offer; senders in rotation offer two.
pub(super) const MAX_SIGNATURES: usize = 16;
const MAX_ID: usize = 255;

/// The header's only value. A repeated header is refused, since two readers might each take another one of them.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, Refusal> {
    only_up_to(headers, name, MAX_HEADER)
}

fn only_up_to<'h>(headers: &'h HeaderMap, name: &str, limit: usize) -> Result<Option<&'h [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::HeaderRepeated { header: name.to_owned() });
    }
    if value.len() > limit {
        return Err(Refusal::HeaderTooLong { header: name.to_owned(), limit });
    }
    Ok(Some(value.as_bytes()))
}

pub(super) fn signature<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    let value = only(headers, name)?.ok_or_else(|| Refusal::SignatureMissing { header: name.to_owned() })?;
    let text = std::str::from_utf8(value)
        .map_err(|_| Refusal::SignatureMalformed { header: name.to_owned(), problem: "is not text" })?
        .trim();
    if text.is_empty() { Err(Refusal::SignatureEmpty { header: name.to_owned() }) } else { Ok(text) }
}

pub(super) fn credential<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h [u8], Refusal> {
    only(headers, name)?.ok_or_else(|| Refusal::CredentialsMissing { header: name.to_owned() })
}

/// A token, whose claims may make it longer than a signature: up to [`MAX_TOKEN`].
pub(super) fn token<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h [u8], Refusal> {
    only_up_to(headers, name, MAX_TOKEN)?.ok_or_else(|| Refusal::CredentialsMissing { header: name.to_owned() })
}

/// 1–255 visible ASCII characters; a missing header is `None`.
pub(super) fn optional_id<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refusal> {
    let Some(value) = only(headers, name)? else { return Ok(None) };
    let good = !value.is_empty() && value.len() <= MAX_ID && value.iter().all(u8::is_ascii_graphic);
    let id = if good { std::str::from_utf8(value).ok() } else { None };
    id.map(Some).ok_or_else(|| Refusal::IdMalformed { header: name.to_owned() })
}

/// An id that is part of a signed message: a dot would let bytes move between it and its neighbours.
pub(super) fn signed_id<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Refusal> {
    let id = optional_id(headers, name)?.ok_or_else(|| Refusal::IdMissing { header: name.to_owned() })?;
    if id.contains('.') { Err(Refusal::IdMalformed { header: name.to_owned() }) } else { Ok(id) }
}

/// In which unit a scheme counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
        }
    }

    const fn max_digits(self) -> usize {
        match self {
            Self::Seconds => 12,
            Self::Millis => 15,
        }
    }
}

/// A timestamp with its text as sent, since the text is what was signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'h> {
    pub text: &'h str,
    pub at: Timestamp,
}

pub(super) fn timestamp<'h>(headers: &'h HeaderMap, name: &str, unit: Unit) -> Result<Signed<'h>, Refusal> {
    let value = only(headers, name)?.ok_or_else(|| Refusal::TimestampMissing { header: name.to_owned() })?;
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| parse_timestamp(text, unit))
        .ok_or_else(|| Refusal::TimestampMalformed { header: name.to_owned(), unit: unit.name() })
}

/// Digits only (`1e9`, `-1`, `1.5`, ` 1` are not), few enough that no arithmetic on them can overflow.
pub(super) fn parse_timestamp(text: &str, unit: Unit) -> Option<Signed<'_>> {
    if text.is_empty() || text.len() > unit.max_digits() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = text.parse().ok()?;
    let at = match unit {
        Unit::Seconds => Timestamp::from_secs(number),
        Unit::Millis => Timestamp::from_millis(number),
    };
    Some(Signed { text, at })
}

/// Not older and not newer than `tolerance`. Call it after the signature has been found right.
pub(super) fn fresh(at: Timestamp, now: Timestamp, tolerance: Duration) -> Result<(), Refusal> {
    let age = now.since(at);
    if age > tolerance {
        return Err(Refusal::TimestampTooOld { age, tolerance });
    }
    let ahead = at.since(now);
    if ahead > tolerance { Err(Refusal::TimestampInFuture { ahead, tolerance }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_a_timestamp() {
        for text in
            ["", "1e9", "-1", "+1", "1.5", " 1", "1 ", "0x1", "NaN", "9223372036854775807", "-9223372036854775808"]
        {
            assert!(parse_timestamp(text, Unit::Seconds).is_none(), "{text:?}");
        }
        assert_eq!(parse_timestamp("001700000000", Unit::Seconds).unwrap().at, Timestamp::from_secs(1_700_000_000));
        assert_eq!(
            parse_timestamp("1700000000123", Unit::Millis).unwrap().at,
            Timestamp::from_millis(1_700_000_000_123)
        );
    }

    #[test]
    fn the_edges_of_the_tolerance_are_inside_it() {
        let tolerance = Duration::from_secs(300);
        let at = Timestamp::from_secs(1_000);
        assert_eq!(fresh(at, Timestamp::from_secs(1_300), tolerance), Ok(()));
        assert_eq!(fresh(at, Timestamp::from_secs(700), tolerance), Ok(()));
        assert_eq!(fresh(at, Timestamp::from_secs(1_301), tolerance).unwrap_err().code(), "timestamp-too-old");
        assert_eq!(fresh(at, Timestamp::from_secs(699), tolerance).unwrap_err().code(), "timestamp-in-future");
    }

    #[test]
    fn the_farthest_instants_are_judged_without_overflow() {
        let tolerance = Duration::from_secs(300);
        for (at, now) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MIN, 0), (i64::MAX, 0)] {
            assert!(fresh(Timestamp::from_micros(at), Timestamp::from_micros(now), tolerance).is_err());
        }
    }
}
