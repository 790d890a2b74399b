//! JSON Schema, all drafts, without anything from outside: a reference to another document is an error.

use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};

use crate::error::CompileError;
use crate::value::{Value, to_serde};

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

/// A compiled schema.
#[derive(Clone)]
pub struct Schema(Arc<Validator>);

impl fmt::Debug for Schema {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Schema")
    }
}

impl Schema {
    /// Reads a schema from JSON text.
    pub fn compile(json_text: &str) -> Result<Self, CompileError> {
        let parsed = crate::json::parse_json(json_text.as_bytes()).map_err(|fault| CompileError {
            message: format!("the schema is not JSON: {}", fault.message),
            line: fault.line,
            column: fault.column,
            suggestion: None,
        })?;
        let json = to_serde(&parsed.value.0);
        let fault = |message: String| CompileError { message, line: 1, column: 1, suggestion: None };
        let validator = jsonschema::options()
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
            .build(&json)
            .map_err(|error| fault(format!("this is not a valid JSON Schema: {error}")))?;
        Ok(Self(Arc::new(validator)))
    }

    /// At most [`MAX_VIOLATIONS`], in the order of the schema.
    pub fn check(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let json = to_serde(&value.0);
        if self.0.is_valid(&json) {
            return Ok(());
        }
        let violations = self.0.iter_errors(&json).take(MAX_VIOLATIONS).map(|error| Violation {
            path: error.instance_path().to_string(),
            message: error.masked_with("it").to_string(),
        });
        Err(violations.collect())
    }
}
