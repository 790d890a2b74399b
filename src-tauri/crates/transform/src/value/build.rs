//! Making values from Rust's: the conversions that the jq library asks for, and its view of strings and numbers.

use jaq_core::val::Range;

use super::number::{self, Num};
use super::{Object, Str, Val};

impl From<bool> for Val {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<isize> for Val {
    fn from(int: isize) -> Self {
        Self::Num(Num::Int(int))
    }
}

impl From<usize> for Val {
    fn from(int: usize) -> Self {
        Self::int(int)
    }
}

impl From<f64> for Val {
    fn from(float: f64) -> Self {
        Self::Num(Num::Float(float))
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::Str(Str::new(text))
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::Str(Str::new(text))
    }
}

/// A slice as a path element: `{"start": …, "end": …}`.
impl From<Range<Self>> for Val {
    fn from(range: Range<Self>) -> Self {
        let mut object = Object::new();
        for (name, bound) in [("start", range.start), ("end", range.end)] {
            if let Some(bound) = bound {
                object.insert(Str::new(name), bound);
            }
        }
        object.into_val()
    }
}

impl jaq_std::ValT for Val {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Self::Arr(array) => Ok(array.items().iter().cloned().collect()),
            val => Err(val),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Self::Num(num) if number::is_int(num))
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Self::Num(num) => num.as_isize(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Num(num) => Some(number::as_f64(num)),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Self::Str(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Str(text) => Some(text.as_str().as_bytes()),
            _ => None,
        }
    }

    fn as_sub_str(&self, sub: &[u8]) -> Self {
        Self::Str(Str::from_bytes(sub))
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Self::Str(Str::from_bytes(bytes.as_ref()))
    }
}
