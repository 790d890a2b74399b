//! Collects the problems of one file, so that a reader can go on after the first and say them all.

use std::cell::RefCell;
use std::ops::Range;

use crate::problem::{Problem, Severity};
use crate::read::position::line_and_column;

/// More than anyone reads of one file; a generated file cannot fill the memory with problems.
const MOST_PROBLEMS: usize = 50;

pub(crate) struct Report<'a> {
    /// Relative to the workspace.
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: RefCell::default() }
    }

    pub(crate) fn say(
        &self,
        severity: Severity,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) {
        let (line, column) = line_and_column(self.text, span.start);
        let file = self.file.to_owned();
        self.add(Problem { file, line, column, code, message: message.into(), suggestion, severity });
    }

    pub(crate) fn error(&self, span: Range<usize>, code: &'static str, message: impl Into<String>) {
        self.say(Severity::Error, span, code, message, None);
    }

    /// Takes a problem of another file too: a `.jq` file that this one names.
    pub(crate) fn add(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST_PROBLEMS && !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}
