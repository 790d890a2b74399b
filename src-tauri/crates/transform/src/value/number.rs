//! Numbers that keep their digits.
//!
//! An integer is exact at any size. A number with a fraction or an exponent is kept as it was written and becomes a
//! 64-bit float when a program calculates with it.

use std::sync::Arc;

pub(crate) use jaq_json::Num;

use crate::meter;

/// Characters of one number, in a document, in a program and in what a program makes. More digits carry no meaning, and
/// turning them into an integer takes quadratic time.
pub(crate) const MAX_CHARS: usize = 4_096;

pub(crate) fn too_long() -> String {
    format!("a number has more than {MAX_CHARS} characters")
}

/// The largest integer that a program may calculate, in bits. Numbers in payloads are bounded by the reader.
const MAX_BITS: u64 = 1 << 16;
/// Floats at or above it are written with an exponent where that is shorter: not every integer is one of them.
const EXACT: f64 = 1e17;

/// `text` is a JSON number, `whole` without fraction and exponent.
pub(crate) fn from_json(text: &str, whole: bool) -> Num {
    let kept = || Num::Dec(Arc::new(text.to_owned()));
    // Minus zero is no integer: it would lose its sign.
    if !whole || text == "-0" {
        return kept();
    }
    match text.parse::<isize>() {
        Ok(small) => Num::Int(small),
        Err(_) => Num::from_str_radix(text, 10).unwrap_or_else(kept),
    }
}

/// A number as a program writes it, such as `007` or `1.50`.
pub(crate) fn from_program(text: &str) -> Num {
    let body = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = body.len() > 1 && body.starts_with('0') && !body.starts_with("0.") && !body.starts_with("0e");
    if leading_zero || text.is_empty() {
        return text.parse().map_or(Num::Float(f64::NAN), Num::Float);
    }
    from_json(text, body.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(crate) fn as_f64(num: &Num) -> f64 {
    match num {
        Num::Int(int) => *int as f64,
        Num::Float(float) => *float,
        Num::Dec(text) => text.parse().unwrap_or(f64::NAN),
        Num::BigInt(_) => match num.clone() * Num::Float(1.0) {
            Num::Float(float) => float,
            _ => f64::NAN,
        },
    }
}

pub(crate) fn is_int(num: &Num) -> bool {
    matches!(num, Num::Int(_) | Num::BigInt(_))
}

/// For an index or a slice: floats are rounded down, as jq does. `None` for NaN and what is out of range.
pub(crate) fn as_index(num: &Num) -> Option<isize> {
    if let Some(int) = num.as_isize() {
        return Some(int);
    }
    let float = as_f64(num).floor();
    (float.abs() < EXACT).then_some(float as isize)
}

/// Calculates, and keeps integers from growing without end.
pub(crate) fn calculate(left: Num, right: Num, op: impl FnOnce(Num, Num) -> Num) -> Num {
    let bits = bits(&left).saturating_add(bits(&right));
    if bits > MAX_BITS {
        meter::too_much_memory()
    }
    meter::steps(usize::try_from(bits / 128).unwrap_or(usize::MAX));
    op(left, right)
}

fn bits(num: &Num) -> u64 {
    match num {
        Num::BigInt(big) => big.bits(),
        _ => 0,
    }
}

/// About the bytes that the number takes.
pub(crate) fn weight(num: &Num) -> u64 {
    match num {
        Num::Int(_) | Num::Float(_) => 16,
        Num::Dec(text) => 16 + text.len() as u64,
        Num::BigInt(big) => 16 + big.bits() / 3,
    }
}

/// The number as JSON text. `None` for NaN and the infinities.
pub(crate) fn to_json(num: &Num) -> Option<String> {
    Some(match num {
        Num::Int(int) => int.to_string(),
        Num::BigInt(big) => big.to_string(),
        Num::Dec(text) => text.as_ref().clone(),
        Num::Float(float) if !float.is_finite() => return None,
        // As jq writes it: 4, not 4.0.
        Num::Float(float) if float.fract() == 0.0 && float.abs() < EXACT => format!("{float:.0}"),
        Num::Float(float) => format!("{float:?}"),
    })
}
