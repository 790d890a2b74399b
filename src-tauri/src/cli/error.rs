//! Why a command did not do what was wished, and the exit code that says so.

use std::fmt::Display;
use std::io;

use serde_json::{Value, json};

#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3.
    #[error("{0}")]
    NotRunning(String),
    /// Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The running program said no: its problem document.
    #[error("{}", detail(.0))]
    Problem(Value),
    /// Nobody reads what is printed.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

fn detail(problem: &Value) -> String {
    let text = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("suggestion") {
        "" => text("detail").to_owned(),
        suggestion => format!("{} Did you mean '{suggestion}'?", text("detail")),
    }
}

impl CliError {
    pub(super) fn failed<E: Display>(what: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed(format!("{what}: {error}"))
    }

    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NotRunning(_) => 3,
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Problem(problem) => match problem.get("code").and_then(Value::as_str) {
                Some("invalid-filter" | "invalid-parameter" | "unknown-key" | "invalid-body") => 2,
                _ => 1,
            },
        }
    }

    /// For `--json`: a problem document (RFC 9457), as the API's are.
    pub(super) fn to_json(&self) -> Value {
        let (code, title, status) = match self {
            Self::Problem(problem) => return problem.clone(),
            Self::Usage(_) => ("usage", "The command was given wrongly", 400),
            Self::NotRunning(_) => ("not-running", "No program runs for the workspace", 503),
            Self::Failed(_) | Self::Output(_) => ("failed", "The command could not be carried out", 500),
        };
        let kind = format!("/errors/{code}");
        json!({ "type": kind, "title": title, "status": status, "code": code, "detail": self.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_wrong_usage_and_a_missing_delivery_a_negative_answer() {
        let problem =
            |code: &str| CliError::Problem(json!({ "code": code, "detail": "No.", "suggestion": "state:dead" }));
        assert_eq!(problem("invalid-filter").code(), 2);
        assert_eq!(problem("not-found").code(), 1);
        assert_eq!(problem("not-found").to_string(), "No. Did you mean 'state:dead'?");
        let not_running = CliError::NotRunning("Signalbox does not run.".to_owned());
        assert_eq!(not_running.code(), 3);
        let document = not_running.to_json();
        assert_eq!((&document["type"], &document["status"]), (&json!("/errors/not-running"), &json!(503)));
        assert_eq!(
            (&document["code"], &document["detail"]),
            (&json!("not-running"), &json!("Signalbox does not run."))
        );
    }
}
