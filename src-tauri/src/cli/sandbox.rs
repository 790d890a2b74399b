//! `signalbox sandbox`: the simulated systems alone, for whoever wants to call them.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use signalbox_model::SystemClock;
use signalbox_net::client::{Client, SystemResolver};
use signalbox_sandbox::{Sandbox, SandboxConfig};

use super::Context;
use super::error::CliError;
use super::output::table;
use super::serve::Signals;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The same seed gives the same contacts, changes, faults and credentials
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// Runs until SIGTERM or SIGINT. Nothing is sent: there is no ingress to send to.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let mut signals = Signals::new().map_err(CliError::failed("signals cannot be caught"))?;
    let client = Client::new(Arc::new(SystemResolver), Arc::new(Vec::new)).map_err(CliError::failed("no client"))?;
    let config = SandboxConfig { seed: arguments.seed, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config, Arc::new(SystemClock), Arc::new(client))
        .map_err(|error| CliError::Failed(error.to_string()))?;
    let (urls, secrets) = (sandbox.urls(), sandbox.secrets());
    let output = &context.output;
    if output.is_json() {
        output.json(&json!({ "pid": std::process::id(), "systems": urls, "secrets": secrets }))?;
    } else {
        let rows = |map: &std::collections::BTreeMap<String, String>| -> Vec<Vec<String>> {
            map.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect()
        };
        output.line(&table(&["SYSTEM", "URL"], &rows(&urls)))?;
        output.line("\nTheir simulated credentials:")?;
        output.line(&table(&["SECRET", "VALUE"], &rows(&secrets)))?;
    }
    signals.next().await;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
