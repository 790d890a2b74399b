//! What is wrong with a workspace, said to a person: which file, where in it, what, and what was probably meant.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is not taken: its last good version keeps running, or, at first start, its integration does not run.
    Error,
    /// The file is taken; something in it is probably not what was meant.
    Warning,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Relative to the workspace, with `/` between folders.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters (Unicode scalar values), as editors count.
    pub column: usize,
    /// Stable, for programs: `unknown-key`, `wrong-type`, …
    pub code: &'static str,
    pub message: String,
    /// The word that was probably meant in place of the one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    pub severity: Severity,
}

impl Problem {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `integrations/crm-sync.toml:7:3: unknown key 'sceme'; did you mean 'scheme'?`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(word) => write!(f, "; did you mean '{word}'?"),
            None => Ok(()),
        }
    }
}

/// The workspace as a whole cannot be read. A broken file in it is a [`Problem`], not this.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("there is no workspace at {}: make one with `signalbox init {}`", dir.display(), dir.display())]
    Missing { dir: PathBuf },
    #[error("{} is not a folder: a workspace is a folder with integrations/ and systems/ in it", dir.display())]
    NotAFolder { dir: PathBuf },
    #[error("the workspace {} cannot be read: {source}", dir.display())]
    Unreadable { dir: PathBuf, source: std::io::Error },
}
