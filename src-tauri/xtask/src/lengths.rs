//! Names files that have grown past one job.

use std::path::Path;

use anyhow::Result;

use crate::repo;

/// Endings with the number of lines that a file of one job rarely needs.
const LIMITS: [(&[&str], usize); 2] = [(&[".rs"], 300), (&[".ts", ".svelte", ".mjs"], 200)];

/// The files over their limit, longest first. A report, not a verdict: tests and tables may be long.
///
/// # Errors
/// Where a file cannot be read.
pub fn report(root: &Path) -> Result<Vec<String>> {
    let mut long = Vec::new();
    for (endings, limit) in LIMITS {
        for folder in ["src-tauri", "tests", "ui"] {
            for path in repo::files(&root.join(folder), endings)? {
                // What a generator wrote is as long as it is.
                if path.starts_with(root.join("ui/src/api")) {
                    continue;
                }
                let lines = std::fs::read_to_string(&path)?.lines().count();
                if lines > limit {
                    let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                    long.push((lines, format!("{name} has {lines} lines (of {limit})")));
                }
            }
        }
    }
    long.sort_by(|a, b| b.cmp(a));
    Ok(long.into_iter().map(|(_, line)| line).collect())
}
