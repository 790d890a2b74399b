//! Holds the directions between crates, and says why when one breaks.

mod manifest;
mod rules;
mod source;

use std::fmt;
use std::path::Path;

use anyhow::Result;

/// A broken rule: where, what, why it is a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    pub place: String,
    pub what: String,
    pub why: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  why not: {}", self.place, self.what, self.why)
    }
}

/// All broken directions of the repository at `root`.
///
/// # Errors
/// Where a manifest or a source file cannot be read.
pub fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut broken = manifest::check(root)?;
    broken.extend(source::check(root)?);
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_directions() {
        let broken = check(&crate::repo::root()).unwrap();
        let told: Vec<String> = broken.iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "\n{}\n", told.join("\n\n"));
    }
}
