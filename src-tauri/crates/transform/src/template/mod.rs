//! Text with holes: `/contacts/{{ .email | @uri }}`.
//!
//! A hole is a jq expression; its value is put in encoded for its place, so that a payload cannot add a segment, a
//! parameter, a header or a host.

mod place;

use crate::error::{CompileError, RunError, position};
use crate::jq::{Program, hole_end};
use crate::limits::Limits;
use crate::value::Value;

pub use place::Place;
use place::Position;

/// Bytes of a template and of what it gives.
const MAX_TEXT: usize = 8 << 10;
const MAX_HOLES: usize = 32;

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template {
    place: Place,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Hole { program: Program, position: Position },
}

impl Template {
    pub fn compile(source: &str, place: Place) -> Result<Self, CompileError> {
        let error = |at: usize, message: String| CompileError::at(source, at, message);
        if source.len() > MAX_TEXT {
            return Err(error(0, format!("the template is longer than {} KiB", MAX_TEXT >> 10)));
        }
        let mut parts = Vec::new();
        let mut before = String::new();
        let mut at = 0;
        while let Some(open) = source.get(at..).and_then(|rest| rest.find("{{")) {
            let text = source.get(at..at + open).unwrap_or_default();
            place.check_text(text).map_err(|(offset, message)| error(at + offset, message))?;
            let start = at + open + 2;
            let rest = source.get(start..).unwrap_or_default();
            let length = hole_end(rest).ok_or_else(|| error(start - 2, "'{{' is never closed by '}}'".to_owned()))?;
            let expression = rest.get(..length).unwrap_or_default();
            before.push_str(text);
            let program = Program::compile(expression).map_err(|fault| moved(source, start, fault))?;
            let position = place.position(&before, expression);
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            parts.push(Part::Hole { program, position });
            if parts.len() > 2 * MAX_HOLES {
                return Err(error(start, format!("the template has more than {MAX_HOLES} holes")));
            }
            at = start + length + 2;
        }
        let tail = source.get(at..).unwrap_or_default();
        place.check_text(tail).map_err(|(offset, message)| error(at + offset, message))?;
        if !tail.is_empty() {
            parts.push(Part::Text(tail.to_owned()));
        }
        let template = Self { place, parts };
        place.check_template(template.first_text(), template.literal()).map_err(|message| error(0, message))?;
        Ok(template)
    }

    fn first_text(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The text, when there are no holes in it.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills the holes. Each must give exactly one string, number or boolean; `limits` hold for each hole.
    pub fn render(&self, value: &Value, limits: &Limits) -> Result<String, RunError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Hole { program, position } => {
                    let hole = || format!("'{{{{ {} }}}}'", program.source().trim());
                    let filled = program.run_one(value, limits)?;
                    if filled.is_null() || filled.kind() == "an array" || filled.kind() == "an object" {
                        return Err(RunError::failed(format!("{} gave {}: it must give text", hole(), filled.kind())));
                    }
                    let encoded = position.encode(&filled.to_text());
                    text.push_str(&encoded.map_err(|fault| RunError::failed(format!("{} gave {fault}", hole())))?);
                }
            }
            if text.len() > MAX_TEXT {
                return Err(RunError::failed(format!("the text is longer than {} KiB", MAX_TEXT >> 10)));
            }
        }
        self.place.check_result(&text).map_err(RunError::failed)?;
        Ok(text)
    }
}

/// An error inside a hole, placed in the whole template.
fn moved(source: &str, start: usize, fault: CompileError) -> CompileError {
    let (line, column) = position(source.as_bytes(), start);
    let column = if fault.line == 1 { column + fault.column - 1 } else { fault.column };
    CompileError { line: line + fault.line - 1, column, ..fault }
}
