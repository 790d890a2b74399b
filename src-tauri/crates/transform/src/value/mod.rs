//! The value that jq programs work on.
//!
//! Not jaq's own value: its functions are not bounded. This one counts what a run makes. Every container knows its
//! depth and its weight (about its bytes if every shared part were written out), so that a value that would explode
//! when walked or printed is refused when it is made; every copy, comparison and iteration is a step of the run.

mod array;
mod build;
mod members;
pub(crate) mod number;
mod object;
mod ops;
mod order;
pub(crate) mod paths;
mod public;
mod text;

pub(crate) use array::Array;
pub(crate) use number::Num;
pub(crate) use object::Object;
pub use public::Value;
pub(crate) use text::Str;

use std::sync::Arc;

use crate::meter;

pub(crate) type Error = jaq_core::Error<Val>;
pub(crate) type ValR = jaq_core::ValR<Val>;

#[derive(Debug, Default)]
pub(crate) enum Val {
    #[default]
    Null,
    Bool(bool),
    Num(Num),
    Str(Str),
    Arr(Arc<Array>),
    Obj(Arc<Object>),
}

impl Clone for Val {
    fn clone(&self) -> Self {
        meter::step();
        match self {
            Self::Null => Self::Null,
            Self::Bool(bool) => Self::Bool(*bool),
            Self::Num(num) => Self::Num(num.clone()),
            Self::Str(text) => Self::Str(text.clone()),
            Self::Arr(array) => Self::Arr(Arc::clone(array)),
            Self::Obj(object) => Self::Obj(Arc::clone(object)),
        }
    }
}

impl Val {
    pub(crate) fn int(int: usize) -> Self {
        Self::Num(Num::from_integral(int))
    }

    /// What the value is, with an article, for messages. Messages never quote payloads.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Num(_) => "a number",
            Self::Str(_) => "a string",
            Self::Arr(_) => "an array",
            Self::Obj(_) => "an object",
        }
    }

    fn weight(&self) -> u64 {
        match self {
            Self::Null | Self::Bool(_) => 16,
            Self::Num(num) => number::weight(num),
            Self::Str(text) => 16 + text.as_str().len() as u64,
            Self::Arr(array) => array.weight(),
            Self::Obj(object) => object.weight(),
        }
    }

    /// Containers inside containers, this one counted; 0 for a scalar.
    fn depth(&self) -> u32 {
        match self {
            Self::Arr(array) => array.depth(),
            Self::Obj(object) => object.depth(),
            _ => 0,
        }
    }
}
