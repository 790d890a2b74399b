//! jq programs: compiled once, run under limits.
//!
//! The language is jaq's; the value type, the lookup table and the functions that could do too much are ours.
//! A program sees its input and nothing else: no clock, environment, file, further input or log.

mod compile;
mod explain;
mod natives;
mod prelude;
mod recursion;
mod regexes;
mod scan;

use std::fmt;
use std::sync::Arc;

use jaq_core::data::HasLut;
use jaq_core::{Ctx, DataT, Filter, Lut, Vars};

use crate::error::{CompileError, RunError};
use crate::limits::Limits;
use crate::meter;
use crate::value::{Error, Val, Value};
use crate::write;

pub(crate) use scan::hole_end;

/// The jq library's view of a run.
struct Jq;

impl DataT for Jq {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

#[derive(Clone)]
struct Data<'a> {
    lut: &'a Lut<Jq>,
}

impl<'a> HasLut<'a, Jq> for Data<'a> {
    /// Asked for by every term that is evaluated, and so the one place that no program can avoid.
    fn lut(&self) -> &'a Lut<Jq> {
        meter::enter();
        self.lut
    }
}

/// A compiled jq program.
#[derive(Clone)]
pub struct Program {
    source: Arc<str>,
    filter: Arc<Filter<Jq>>,
}

impl fmt::Debug for Program {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Program({:?})", self.source)
    }
}

impl Program {
    /// At most 64 KiB of source. About a millisecond: do it once.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        Ok(Self { source: source.into(), filter: Arc::new(compile::compile(source)?) })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// The one result. None and several are [`RunError::Cardinality`].
    pub fn run_one(&self, input: &Value, limits: &Limits) -> Result<Value, RunError> {
        self.run_optional(input, limits)?.ok_or(RunError::Cardinality { several: false })
    }

    /// The result, if there is one (`select(…)` may give none). Several are [`RunError::Cardinality`].
    pub fn run_optional(&self, input: &Value, limits: &Limits) -> Result<Option<Value>, RunError> {
        meter::metered(limits, || self.outcome(&input.0, limits.output_bytes))?.map(|val| val.map(Value))
    }

    /// Whether the one result is neither null nor false. No result is false.
    pub fn is_truthy(&self, input: &Value, limits: &Limits) -> Result<bool, RunError> {
        Ok(self.run_optional(input, limits)?.is_some_and(|value| value.is_truthy()))
    }

    fn outcome(&self, input: &Val, output_bytes: usize) -> Result<Option<Val>, RunError> {
        let ctx = Ctx::<Jq>::new(Data { lut: &self.filter.lut }, Vars::new([]));
        let mut results = self.filter.id.run((ctx, input.clone()));
        let mut next = || match results.next() {
            None => Ok(None),
            Some(Ok(val)) => Ok(Some(val)),
            Some(Err(exception)) => Err(match exception.get_err() {
                Ok(error) => RunError::Failed { message: message(error) },
                // `break` and tail calls stay inside, `halt` is not there.
                Err(_) => RunError::Internal { message: "an exception left the program".to_owned() },
            }),
        };
        let Some(val) = next()? else { return Ok(None) };
        if next()?.is_some() {
            return Err(RunError::Cardinality { several: true });
        }
        write::check(&val, output_bytes)?;
        Ok(Some(val))
    }
}

/// The text of `error("…")` as it is, anything else as JSON; cut at 500 characters.
fn message(error: Error) -> String {
    let text = match error.into_val() {
        Val::Str(text) => text.as_str().to_owned(),
        Val::Null => "the program failed without a message".to_owned(),
        val => val.to_json_text().as_str().to_owned(),
    };
    match text.char_indices().nth(500) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
