//! Where things are in the repository.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 6] = ["node_modules", "target", "dist", "gen", ".git", "permissions"];

/// The repository that this is run in. Not the one that it was built in: clones share a folder of builds.
///
/// # Panics
/// Outside of it.
#[allow(clippy::expect_used, reason = "nothing can be done elsewhere, and a person runs this")]
pub fn root() -> PathBuf {
    let here = std::env::current_dir().expect("the folder that this is run in");
    let root = here.ancestors().find(|folder| folder.join("tauri.conf.json").is_file());
    root.expect("this is to be run in a folder of the repository").to_path_buf()
}

/// All files below `folder` whose name ends in one of `endings`, sorted. A folder that is not there has none.
///
/// # Errors
/// Where a folder cannot be read.
pub fn files(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        if !folder.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !SKIPPED.contains(&name.as_str()) {
                    waiting.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
