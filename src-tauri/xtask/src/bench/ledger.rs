//! The store's own examples, which fill a ledger and measure it alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::target;

/// Fills the ledger of a workspace that nothing has served yet.
///
/// # Errors
/// Where the example is missing or fails.
pub fn fill(workspace: &Path, deliveries: u32, backlog: bool) -> Result<()> {
    let folder = workspace.join(".signalbox");
    let mut args = vec![folder.to_string_lossy().into_owned(), deliveries.to_string()];
    args.extend(backlog.then(|| "--backlog".to_owned()));
    example("fill_ledger", &args).map(drop)
}

/// Events a second that the store alone takes in and ends, and its CPU time for each, in microseconds.
///
/// # Errors
/// Where the example is missing, fails, or says something else.
pub fn raw(folder: &Path, events: u32) -> Result<(f64, f64)> {
    let said = example("ledger_bench", &[folder.to_string_lossy().into_owned(), events.to_string(), "128".into()])?;
    let number_before = |word: &str| -> Option<f64> {
        let (before, _) = said.lines().next()?.split_once(word)?;
        before.split_whitespace().last()?.parse().ok()
    };
    let figures = number_before(" events/s").zip(number_before(" us CPU"));
    figures.with_context(|| format!("the store's bench said: {said}"))
}

fn example(name: &str, args: &[String]) -> Result<String> {
    let binary = target().join("release/examples").join(name);
    if !binary.is_file() {
        bail!("{} is missing; run `make bench`", binary.display());
    }
    let output = Command::new(&binary).args(args).output()?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
