//! Formats everything, each language with its own formatter.

use anyhow::Result;

use crate::gen_types::run_command;
use crate::repo;

/// Runs rustfmt over all crates and prettier over the panel.
///
/// # Errors
/// Where a formatter is missing or stops at a file.
pub fn run() -> Result<()> {
    let root = repo::root();
    run_command(&root, "cargo", &["fmt", "--all"])?;
    run_command(&root, "npm", &["--prefix", "ui", "run", "format"])?;
    Ok(())
}
