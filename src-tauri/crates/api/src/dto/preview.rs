//! An integration's files, and what changed ones would make of stored events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::change::FieldChange;
use super::integration::WorkspaceProblem;

/// An integration's own file first, then the schemas and programs that it names, as they are on the disk.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IntegrationFiles {
    /// Of these bytes, comments too; `POST` takes it as what the edit is based on.
    pub version: String,
    pub files: Vec<WorkspaceFile>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkspaceFile {
    /// Relative to the workspace.
    pub path: String,
    pub text: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveBody {
    /// Text by path; only files of the integration.
    pub files: BTreeMap<String, String>,
    /// The version that was read.
    pub version: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewBody {
    /// Changed text by path; the other files are as they are on the disk.
    pub files: BTreeMap<String, String>,
    /// Newest stored events: 1 to 1000, 100 unless set.
    pub last: Option<u32>,
    /// Of those deliveries' events only.
    pub filter: Option<String>,
}

/// What changed files would make of stored events. Nothing is sent or saved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Preview {
    /// The version that the files would be; empty where they have errors.
    pub version: String,
    /// Events that were looked at.
    pub events: u64,
    /// False where the time (10 s) ended before all events were looked at.
    pub complete: bool,
    /// Event × destination; the counts that follow add up to it.
    pub checked: u64,
    pub same: u64,
    /// Another request, or one where there was none.
    pub changed: u64,
    /// Its steps fail now.
    pub new_failures: u64,
    /// Its steps failed, and do not any more.
    pub mended: u64,
    /// Nothing would be sent any more.
    pub filtered: u64,
    /// Where there is an error, nothing was run.
    pub problems: Vec<WorkspaceProblem>,
    /// The first 50.
    pub examples: Vec<PreviewExample>,
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewExample {
    pub event: String,
    pub destination: String,
    /// `changed`, `new-failure`, `mended`, `now-filtered` or `now-sent`.
    pub outcome: String,
    /// The body that was made then; null where there was none.
    pub before: Option<String>,
    /// The body that would be made now.
    pub after: Option<String>,
    /// Why it fails or is filtered now, or why it failed before it was mended.
    pub error: Option<String>,
    pub diff: Vec<FieldChange>,
}
