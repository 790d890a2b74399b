//! jq programs, templates and schemas in a workspace, with their errors mapped to the place in the file.

use signalbox_transform::{Place, Program, Template};

use crate::problem::{Problem, Severity};
use crate::read::value::Text;

/// A program written in the TOML file itself.
pub(crate) fn program(text: &Text<'_>) -> Option<Program> {
    Program::compile(text.text)
        .map_err(|error| {
            let (line, column) = text.place(error.line, error.column);
            say(text, line, column, "wrong-jq", &error.message, error.suggestion);
        })
        .ok()
}

/// A program in a `.jq` file; its errors are that file's.
pub(crate) fn program_in_file(file: &str, source: &str, named: &Text<'_>) -> Option<Program> {
    Program::compile(source)
        .map_err(|error| {
            named.report.add(Problem {
                file: file.to_owned(),
                line: error.line.max(1),
                column: error.column.max(1),
                code: "wrong-jq",
                message: error.message,
                suggestion: error.suggestion,
                severity: Severity::Error,
            });
        })
        .ok()
}

pub(crate) fn template(text: &Text<'_>, place: Place) -> Option<Template> {
    Template::compile(text.text, place)
        .map_err(|error| {
            let (line, column) = text.place(error.line, error.column);
            say(text, line, column, "wrong-template", &error.message, error.suggestion);
        })
        .ok()
}

fn say(text: &Text<'_>, line: usize, column: usize, code: &'static str, message: &str, suggestion: Option<String>) {
    text.report.add(Problem {
        file: text.report.file.to_owned(),
        line,
        column,
        code,
        message: format!("'{}': {message}", text.name),
        suggestion,
        severity: Severity::Error,
    });
}
