//! What is wrong in the workspace's files.

use signalbox_workspace::Problem;

use crate::dto::integration::WorkspaceProblem;

pub(crate) fn problem(problem: &Problem) -> WorkspaceProblem {
    WorkspaceProblem {
        file: problem.file.clone(),
        line: problem.line,
        column: problem.column,
        code: problem.code.to_owned(),
        message: problem.message.clone(),
        suggestion: problem.suggestion.clone(),
        severity: if problem.is_error() { "error" } else { "warning" }.to_owned(),
    }
}
