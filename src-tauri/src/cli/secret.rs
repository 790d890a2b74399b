//! `signalbox secret`: values go into the keyring of the operating system and nowhere else.

use std::collections::BTreeMap;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use signalbox_model::{SecretName, SystemClock};
use signalbox_workspace::{EnvThenKeyring, Keyring, SecretPlace, secrets};

use super::Context;
use super::error::CliError;
use super::output::table;

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Set a secret; its value is read from standard input
    Set { name: String },
    /// Which secrets the workspace needs and where each is set; values are not shown
    List,
    /// Remove a secret from the keyring
    Remove { name: String },
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, CliError> {
    let dir = context.workspace()?;
    let keyring = Keyring::of_workspace(&dir);
    match arguments.action {
        Action::Set { name } => {
            let name = parse(name)?;
            let value = secrets::read_value(io::stdin().lock()).map_err(|error| CliError::Usage(error.to_string()))?;
            keyring.set(&name, &value).map_err(|error| no_keyring(&name, &error))?;
            say(context, &name, "set")
        }
        Action::Remove { name } => {
            let name = parse(name)?;
            if keyring.remove(&name).map_err(|error| no_keyring(&name, &error))? {
                say(context, &name, "removed")
            } else {
                Err(CliError::Failed(format!("The keyring has no secret '{name}' for this workspace.")))
            }
        }
        Action::List => {
            let workspace = signalbox_workspace::load(&dir).map_err(|error| CliError::Failed(error.to_string()))?;
            list(context, workspace.secrets(), keyring)
        }
    }
}

fn parse(name: String) -> Result<SecretName, CliError> {
    SecretName::new(name).map_err(|error| CliError::Usage(error.to_string()))
}

fn no_keyring(name: &SecretName, error: &signalbox_workspace::KeyringError) -> CliError {
    CliError::Failed(format!("{error}. Set the environment variable {} for Signalbox instead.", name.env_var()))
}

fn say(context: &Context, name: &SecretName, what: &str) -> Result<ExitCode, CliError> {
    if context.output.is_json() {
        context.output.json(&json!({ "name": name, "done": what }))?;
    } else {
        context.output.line(&format!("{name} {what}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 where a secret that the workspace needs is not set.
fn list(context: &Context, needed: Vec<SecretName>, keyring: Keyring) -> Result<ExitCode, CliError> {
    // A keyring that cannot be asked is no reason not to say what the environment holds.
    let kept = keyring.list().inspect_err(|error| tracing::warn!("{error}")).unwrap_or_default();
    let ours = kept.iter().chain(&needed).map(SecretName::env_var);
    let environment: Vec<(String, String)> =
        ours.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?))).collect();
    let values = EnvThenKeyring::new(environment, None, Arc::new(SystemClock));
    let mut rows: BTreeMap<SecretName, (&str, bool)> = BTreeMap::new();
    for name in kept.iter().chain(&needed) {
        let place = match values.place(name) {
            Ok(Some(SecretPlace::Environment)) => "environment",
            _ if kept.contains(name) => "keyring",
            _ => "missing",
        };
        rows.insert(name.clone(), (place, needed.contains(name)));
    }
    let missing = rows.values().any(|(place, _)| *place == "missing");
    let output = &context.output;
    if output.is_json() {
        let items: Vec<_> = rows
            .iter()
            .map(|(name, (place, needed))| json!({ "name": name, "place": place, "needed": needed }))
            .collect();
        output.json(&json!({ "items": items }))?;
    } else if rows.is_empty() {
        output.line("The workspace needs no secrets.")?;
    } else {
        let shown: Vec<Vec<String>> = rows
            .iter()
            .map(|(name, (place, needed))| {
                let needed = if *needed { "yes" } else { "no" };
                vec![name.to_string(), (*place).to_owned(), needed.to_owned(), name.env_var()]
            })
            .collect();
        output.line(&table(&["SECRET", "SET IN", "NEEDED", "VARIABLE"], &shown))?;
    }
    Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
