//! The API's description and the panel's types, generated from the code and committed.
//!
//! The binary prints its OpenAPI description; the panel's generator makes types of it. `check` generates again and compares, so
//! that a route cannot change without the panel hearing of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::repo;

/// Where the description goes; the panel's generator writes beside it.
const DESCRIPTION: &str = "ui/src/api/openapi.json";
const GENERATED: &str = "ui/src/api";

/// Writes the description and the types.
///
/// # Errors
/// Where the binary is not built or fails, or the panel's generator does.
pub fn write() -> Result<()> {
    let root = repo::root();
    let binary = binary(&root)?;
    let output = Command::new(&binary)
        .arg("openapi")
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", binary.display()))?;
    if !output.status.success() {
        bail!("`{} openapi` failed: {}", binary.display(), output.status);
    }
    let description: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("`signalbox openapi` printed something that is not JSON")?;
    let path = root.join(DESCRIPTION);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&description)?))?;
    let prettier = root.join("ui/node_modules/.bin/prettier");
    // From inside `ui`, where its configuration finds its plugins.
    run_command(
        &root.join("ui"),
        &prettier.to_string_lossy(),
        &["--log-level", "warn", "--write", "src/api/openapi.json"],
    )?;
    run_command(&root, "npm", &["--prefix", "ui", "run", "--silent", "gen"])
}

/// Generates again and fails where something committed was not what the code says. The new files stay, ready to be looked at.
///
/// # Errors
/// As [`write`], and with the names of the files that differ.
pub fn check() -> Result<()> {
    let root = repo::root();
    let before = snapshot(&root)?;
    write()?;
    let after = snapshot(&root)?;
    let changed: Vec<String> = after
        .iter()
        .filter(|file| !before.contains(file))
        .map(|(path, _)| path.strip_prefix(&root).unwrap_or(path).display().to_string())
        .collect();
    if !changed.is_empty() {
        bail!("the code's API has moved on from what is committed; look at and commit: {}", changed.join(", "));
    }
    Ok(())
}

fn snapshot(root: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let paths = repo::files(&root.join(GENERATED), &[".json", ".ts"])?;
    paths.into_iter().map(|path| Ok((path.clone(), std::fs::read(&path)?))).collect()
}

/// The program whose description is taken: `SIGNALBOX_BIN`, else the development build.
fn binary(root: &Path) -> Result<PathBuf> {
    let path = std::env::var_os("SIGNALBOX_BIN").map(PathBuf::from).unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).unwrap_or_else(|| root.join("target"));
        target.join("debug/signalbox")
    });
    if !path.is_file() {
        bail!("{} is missing; build it with `cargo build --bin signalbox`", path.display());
    }
    Ok(path)
}

/// Runs a command in a folder and fails when it does.
///
/// # Errors
/// Where it cannot be started, or its exit code is not 0.
pub fn run_command(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status()
        .with_context(|| format!("cannot run {program}; is it installed?"))?;
    if !status.success() {
        bail!("`{program} {}` failed: {status}", arguments.join(" "));
    }
    Ok(())
}
