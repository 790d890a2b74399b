//! What can go wrong, in words for the person who wrote the payload, the program or the template.

use std::fmt;

/// A body that is not what its format says: strict JSON (RFC 8259), XML, CSV or a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct ReadError {
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A program, template or schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CompileError {
    pub message: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What was probably meant: a name, ready to be put in the place of the wrong one.
    pub suggestion: Option<String>,
}

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (line {}, column {})", self.message, self.line, self.column)?;
        match &self.suggestion {
            Some(name) => write!(out, "; did you mean '{name}'?"),
            None => Ok(()),
        }
    }
}

impl CompileError {
    /// An error at a byte offset of `source`.
    pub(crate) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = position(source.as_bytes(), offset);
        Self { message: message.into(), line, column, suggestion: None }
    }
}

/// What a run used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    Time,
    Fuel,
    Stack,
    Memory,
    Output,
}

impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Time => "it took too long",
            Self::Fuel => "it took too many steps",
            Self::Stack => "it calls itself, or nests values, too deeply",
            Self::Memory => "it needs too much memory",
            Self::Output => "its result is too large",
        })
    }
}

/// Why a program gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The program's own error, such as "cannot iterate over null". Names kinds, never values of the payload,
    /// so that equal failures have equal messages.
    #[error("{message}")]
    Failed { message: String },
    /// The run was ended. It may be run again under larger limits ([`crate::Limits::BEHIND`]).
    #[error("stopped: {what}")]
    OverBudget { what: Budget },
    #[error("{}", if *.several { "gave more than one result: collect them with [ … ] or take one with first( … )" }
        else { "gave no result: an empty stream is not a value" })]
    Cardinality { several: bool },
    /// A fault of the interpreter, not of the program.
    #[error("the jq interpreter failed: {message}")]
    Internal { message: String },
}

impl RunError {
    pub fn is_over_budget(&self) -> bool {
        matches!(self, Self::OverBudget { .. })
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into() }
    }
}

/// Line and column, both from 1, of a byte offset. The column counts characters.
pub(crate) fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().skip(start).filter(|byte| !is_continuation(**byte)).count() + 1;
    (line, column)
}

/// Whether a byte continues a UTF-8 character.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}
