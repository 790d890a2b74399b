//! `signalbox check`

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::Context;
use super::error::CliError;
use super::output::clean;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workspace folder; the current one unless given
    dir: Option<PathBuf>,
}

/// Prints every problem; exit code 1 where one of them is an error.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let dir = arguments.dir.clone().or_else(|| context.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    let workspace = signalbox_workspace::load(&dir).map_err(|error| CliError::Failed(error.to_string()))?;
    let errors = workspace.problems.iter().filter(|problem| problem.is_error()).count();
    let (integrations, systems) = (workspace.integrations.len(), workspace.systems.len());
    let output = &context.output;
    if output.is_json() {
        output.json(&json!({
            "workspace": workspace.dir,
            "ok": errors == 0,
            "integrations": integrations,
            "systems": systems,
            "problems": workspace.problems,
        }))?;
    } else {
        for problem in &workspace.problems {
            output.line(&clean(&problem.to_string()))?;
        }
        if errors == 0 {
            output.line(&format!(
                "{}: {}, {}",
                dir.display(),
                count(integrations, "integration"),
                count(systems, "system")
            ))?;
        } else {
            output.line(&format!("{}: {}", dir.display(), count(errors, "error")))?;
        }
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
