//! `signalbox check`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use signalbox_model::SystemClock;
use signalbox_store::sqlite;
use signalbox_workspace::{Lock, private_dir};

use super::Context;
use super::error::CliError;
use super::output::clean;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The workspace folder; the current one unless given
    dir: Option<PathBuf>,
    /// Read the whole ledger too: every page, every index, the bodies of events and revisions. Signalbox must not be running
    #[arg(long)]
    ledger: bool,
    /// Let a ledger whose newest events are gone start again with what is left
    #[arg(long, requires = "ledger")]
    accept_loss: bool,
}

/// Prints every problem; exit code 1 where one of them is an error.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let dir = arguments.dir.clone().or_else(|| context.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    let workspace = signalbox_workspace::load(&dir).map_err(|error| CliError::Failed(error.to_string()))?;
    let errors = workspace.problems.iter().filter(|problem| problem.is_error()).count();
    let (integrations, systems) = (workspace.integrations.len(), workspace.systems.len());
    let ledger = if arguments.ledger { Some(check_ledger(&dir, arguments.accept_loss).await?) } else { None };
    let sound = ledger.as_ref().is_none_or(Vec::is_empty);
    let output = &context.output;
    if output.is_json() {
        output.json(&json!({
            "workspace": workspace.dir,
            "ok": errors == 0 && sound,
            "ledger": ledger,
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
    if let (Some(found), false) = (&ledger, output.is_json()) {
        for problem in found {
            output.line(&format!("ledger: {}", clean(problem)))?;
        }
        output.line(if sound { SOUND } else { RESTORE })?;
    }
    Ok(if errors == 0 && sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Answers of destinations have no sum.
const SOUND: &str = "ledger: every page, and the body of every event and revision, is as it was written";
const RESTORE: &str = "ledger: it is damaged; restore the .signalbox folder from a backup";

/// What is wrong with it. The lock keeps a program from starting meanwhile.
async fn check_ledger(dir: &Path, accept_loss: bool) -> Result<Vec<String>, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let private = private_dir(dir);
    if !private.join(sqlite::FILE).exists() {
        return Err(CliError::Failed(format!("there is no ledger in {}", private.display())));
    }
    let _lock = Lock::take(dir, std::process::id()).map_err(|error| failed(&error))?;
    sqlite::check(&private, accept_loss, Arc::new(SystemClock)).await.map_err(|error| failed(&error))
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
