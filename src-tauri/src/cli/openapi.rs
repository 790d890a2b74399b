//! `signalbox openapi`

use std::process::ExitCode;

use super::Context;
use super::error::CliError;

/// Prints the API's description; needs no running program.
pub(super) fn run(context: &Context) -> Result<ExitCode, CliError> {
    let description = serde_json::to_value(signalbox_api::openapi()).map_err(CliError::failed("no description"))?;
    context.output.json(&description)?;
    Ok(ExitCode::SUCCESS)
}
