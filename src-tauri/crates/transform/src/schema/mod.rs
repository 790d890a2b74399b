//! JSON Schema, all drafts, without anything from outside: a reference to another document is an error.

mod node;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};

use crate::error::{CompileError, RunError};
use crate::limits::Limits;
use crate::meter;
use crate::value::Value;
use node::Payload;

/// Violations that a check reports.
pub const MAX_VIOLATIONS: usize = 10;
/// Bytes of a compiled pattern: patterns are linear in the text, and this bounds the factor.
const MAX_PATTERN: usize = 1 << 20;

/// One place where a value does not fit. The message names no value of the payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {message}", if path.is_empty() { "the body" } else { path.as_str() })]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the value; empty for the whole.
    pub path: String,
    pub message: String,
}

/// A usual check takes some hundred steps.
const LIMITS: Limits = Limits { fuel: 500_000, time: Duration::from_millis(250), stack: 4 << 20, ..Limits::INLINE };

/// A compiled schema.
#[derive(Clone)]
pub struct Schema(Arc<Validator<Payload>>);

impl fmt::Debug for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Schema")
    }
}

impl Schema {
    /// Reads a schema from JSON text.
    pub fn compile(json_text: &str) -> Result<Self, CompileError> {
        // serde_json reads no deeper than 128 levels.
        let json: serde_json::Value = serde_json::from_str(json_text).map_err(|fault| CompileError {
            message: "the schema is not JSON".to_owned(),
            line: fault.line(),
            column: fault.column().max(1),
            suggestion: None,
        })?;
        let fault = |message: String| CompileError { message, line: 1, column: 1, suggestion: None };
        let validator = jsonschema::options_for::<Payload>()
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
            .build(&json)
            .map_err(|error| fault(format!("this is not a valid JSON Schema: {error}")))?;
        Ok(Self(Arc::new(validator)))
    }

    /// At most [`MAX_VIOLATIONS`], in the order of the schema. Bounded: a schema can be made to branch without end, and
    /// a check that is stopped is a violation.
    pub fn check(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let whole = |message: String| Err(vec![Violation { path: String::new(), message }]);
        match meter::metered(&LIMITS, || self.0.is_valid(&value.0)) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(stopped) => return whole(format!("cannot be checked against the schema, {stopped}")),
        }
        let violations = meter::metered(&LIMITS, || {
            let violation = |error: ValidationError<'_>| Violation {
                path: error.instance_path().to_string(),
                message: message(&error),
            };
            self.0.iter_errors(&value.0).take(MAX_VIOLATIONS).map(violation).collect::<Vec<_>>()
        });
        match violations {
            Ok(violations) => Err(violations),
            Err(RunError::OverBudget { .. }) => whole("does not fit the schema, in too many ways to list".to_owned()),
            Err(fault) => whole(format!("cannot be checked against the schema: {fault}")),
        }
    }
}

/// In words, and without the value.
fn message(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::FalseSchema => {
            "nothing is allowed here, or no member that the schema does not name".to_owned()
        }
        _ => error.masked_with("it").to_string(),
    }
}
