//! `signalbox init`

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use signalbox_workspace::InitError;

use super::Context;
use super::error::CliError;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder to make; the current one unless given
    dir: Option<PathBuf>,
    /// Start from an example instead of from nothing
    #[arg(long, value_name = "NAME")]
    example: Option<String>,
}

/// Makes a workspace and says which files it has made. Replaces none.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let dir = arguments.dir.clone().or_else(|| context.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    let made = signalbox_workspace::init(&dir, arguments.example.as_deref()).map_err(|error| match error {
        InitError::UnknownExample { .. } => CliError::Usage(error.to_string()),
        error => CliError::Failed(error.to_string()),
    })?;
    if context.output.is_json() {
        context.output.json(&json!({ "workspace": dir, "made": made }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for path in &made {
        context.output.line(&format!("made {}", path.display()))?;
    }
    let shown = dir.display();
    context.output.line(&format!(
        "Check it with `signalbox check {shown}`, run it with `signalbox serve --workspace {shown}`."
    ))?;
    Ok(ExitCode::SUCCESS)
}
