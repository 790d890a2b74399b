//! Values as JSON text: compact, members in order, numbers with the digits they came with.

use crate::error::{Budget, RunError};
use crate::value::{Num, Val, number};

/// Deeper values exist only where code of ours wraps values in a loop.
const MAX_DEPTH: usize = 1_000;

/// Why a value cannot be written.
pub(crate) enum Unwritable {
    TooLarge,
    TooDeep,
    /// NaN and the infinities are numbers of jq, not of JSON.
    NotFinite,
    /// No document may hold such a number.
    LongNumber,
}

impl From<Unwritable> for RunError {
    fn from(why: Unwritable) -> Self {
        match why {
            Unwritable::TooLarge => Self::OverBudget { what: Budget::Output },
            Unwritable::TooDeep => Self::OverBudget { what: Budget::Stack },
            Unwritable::NotFinite => {
                Self::failed("the result holds a number that JSON cannot express: NaN, or an infinite one")
            }
            Unwritable::LongNumber => Self::failed(format!("the result holds what it may not: {}", number::too_long())),
        }
    }
}

/// Where JSON text goes: a buffer, or only a count.
trait Sink {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Unwritable>;

    fn number(&mut self, text: &str) -> Result<(), Unwritable> {
        if text.len() > number::MAX_CHARS {
            return Err(Unwritable::LongNumber);
        }
        self.put(text.as_bytes())
    }

    fn non_finite(&mut self, _num: &Num) -> Result<(), Unwritable> {
        Err(Unwritable::NotFinite)
    }
}

struct Buffer<'a> {
    bytes: &'a mut Vec<u8>,
    max: usize,
    /// What to write for a number that JSON has not; an error without.
    non_finite: Option<fn(&Num) -> &'static str>,
}

impl Sink for Buffer<'_> {
    /// Where any number is written, so is a long one: it is text, and no part of a document yet.
    fn number(&mut self, text: &str) -> Result<(), Unwritable> {
        if self.non_finite.is_none() && text.len() > number::MAX_CHARS {
            return Err(Unwritable::LongNumber);
        }
        self.put(text.as_bytes())
    }

    fn non_finite(&mut self, num: &Num) -> Result<(), Unwritable> {
        let text = self.non_finite.ok_or(Unwritable::NotFinite)?(num);
        self.put(text.as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        if bytes.len() > self.max.saturating_sub(self.bytes.len()) {
            return Err(Unwritable::TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

struct Count {
    left: usize,
}

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Unwritable> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(Unwritable::TooLarge)?;
        Ok(())
    }
}

/// The text of `val`, of at most `max` bytes.
pub(crate) fn to_bytes(val: &Val, max: usize) -> Result<Vec<u8>, Unwritable> {
    let mut bytes = Vec::new();
    write(val, &mut Buffer { bytes: &mut bytes, max, non_finite: None }, 0)?;
    Ok(bytes)
}

/// Whether [`to_bytes`] would succeed.
pub(crate) fn check(val: &Val, max: usize) -> Result<(), Unwritable> {
    write(val, &mut Count { left: max }, 0)
}

/// As [`to_bytes`], but NaN becomes null and an infinite number the largest one, as jq's `tojson` does.
/// `None` where the text would be longer than `max`.
pub(crate) fn to_text(val: &Val, max: usize) -> Option<String> {
    let mut bytes = Vec::new();
    write(val, &mut Buffer { bytes: &mut bytes, max, non_finite: Some(as_jq) }, 0).ok()?;
    String::from_utf8(bytes).ok()
}

fn as_jq(num: &Num) -> &'static str {
    match number::as_f64(num) {
        float if float.is_nan() => "null",
        float if float > 0.0 => "1.7976931348623157e308",
        _ => "-1.7976931348623157e308",
    }
}

fn write(val: &Val, out: &mut impl Sink, depth: usize) -> Result<(), Unwritable> {
    if depth > MAX_DEPTH {
        return Err(Unwritable::TooDeep);
    }
    match val {
        Val::Null => out.put(b"null"),
        Val::Bool(true) => out.put(b"true"),
        Val::Bool(false) => out.put(b"false"),
        Val::Num(num) => match number::to_json(num) {
            Some(text) => out.number(&text),
            None => out.non_finite(num),
        },
        Val::Str(text) => string(text.as_str(), out),
        Val::Arr(array) => {
            out.put(b"[")?;
            for (index, item) in array.items().iter().enumerate() {
                if index > 0 {
                    out.put(b",")?;
                }
                write(item, out, depth + 1)?;
            }
            out.put(b"]")
        }
        Val::Obj(object) => {
            out.put(b"{")?;
            for (index, (key, item)) in object.iter().enumerate() {
                if index > 0 {
                    out.put(b",")?;
                }
                string(key.as_str(), out)?;
                out.put(b":")?;
                write(item, out, depth + 1)?;
            }
            out.put(b"}")
        }
    }
}

fn string(text: &str, out: &mut impl Sink) -> Result<(), Unwritable> {
    out.put(b"\"")?;
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let mut code = *b"\\u0000";
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x8 => b"\\b",
            0xc => b"\\f",
            0..=0x1f | 0x7f => {
                code[4] = hex_digit(byte >> 4);
                code[5] = hex_digit(byte & 0xf);
                &code
            }
            _ => continue,
        };
        out.put(bytes.get(start..at).unwrap_or_default())?;
        out.put(escape)?;
        start = at + 1;
    }
    out.put(bytes.get(start..).unwrap_or_default())?;
    out.put(b"\"")
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }
}
