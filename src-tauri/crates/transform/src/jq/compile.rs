//! From source text to a filter, with the sandbox's functions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Filter};

use super::{Jq, explain, natives, prelude, recursion, scan};
use crate::error::CompileError;
use crate::meter;

/// The parser and the compiler call themselves; `scan` bounds how deep, and this has room for it. Pages that are not
/// touched cost nothing.
const STACK: usize = 128 << 20;

pub(super) fn compile(source: &str) -> Result<Filter<Jq>, CompileError> {
    let words = scan::check(source)?;
    explain::refuse_modules(source, &words)?;
    let compiled = catch_unwind(AssertUnwindSafe(|| stacker::grow(STACK, || build(source, &words))));
    compiled.unwrap_or_else(|panic| {
        let reason = meter::panic_text(panic.as_ref());
        Err(CompileError::at(source, 0, format!("the jq compiler failed on this program: {reason}")))
    })
}

fn build(source: &str, words: &[&str]) -> Result<Filter<Jq>, CompileError> {
    if let Some(name) = recursion::find(source) {
        // The name is a part of the source.
        let at = (name.as_ptr() as usize).saturating_sub(source.as_ptr() as usize);
        let mut error = CompileError::at(
            source,
            at,
            format!("'{name}' takes a filter and calls itself, which cannot be bounded in memory"),
        );
        error.suggestion = Some(format!("def {name}(f): def again: … again …; again;"));
        return Err(error);
    }
    let arena = Arena::default();
    let modules = Loader::new(prelude::reachable(words))
        .load(&arena, File { code: source, path: () })
        .map_err(|errors| explain::load(source, &errors))?;
    Compiler::default().with_funs(natives::all()).compile(modules).map_err(|errors| explain::undefined(source, &errors))
}
