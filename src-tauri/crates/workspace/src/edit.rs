//! The files of one integration as a person edits them: read, tried without being saved, and saved.
//!
//! Text stays exactly as it is given, comments included. Nothing outside of the workspace is read or written, and of the
//! workspace only the integration's own file and the schemas and programs that it names.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Component, Path};

use crate::folder;
use crate::problem::{Problem, Severity};
use crate::read::files::References;
use crate::read::names::is_name;
use crate::read::report::Report;
use crate::read::suggest::nearest;
use crate::read::{integration, parse};
use crate::workspace::{Integration, Workspace};

/// An integration's own file first, then those that it names, as they are on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationFiles {
    /// Changes with every byte, comments too: what an edit is based on.
    pub version: String,
    pub files: Vec<(String, String)>,
}

/// Changed files by their paths in the workspace.
pub type ChangedFiles = BTreeMap<String, String>;

/// What the changed files would be.
pub struct Tried {
    /// `None`: something in them is wrong.
    pub integration: Option<Integration>,
    /// Warnings too.
    pub problems: Vec<Problem>,
}

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("there is no file {0} in this workspace")]
    Missing(String),
    #[error("the files of this integration have changed since they were read; read them again and repeat the edit")]
    Changed,
    #[error("the files have errors, so nothing was saved")]
    Wrong(Vec<Problem>),
    #[error("{0} is not a file of this integration: only its own file and those that it names can be saved")]
    NotItsFile(String),
    #[error("{file} cannot be saved: {source}")]
    Io { file: String, source: io::Error },
}

fn own_file(name: &str) -> String {
    format!("integrations/{name}.toml")
}

/// `None`: there is no such integration.
pub fn integration_files(workspace: &Workspace, name: &str) -> Option<IntegrationFiles> {
    if !is_name(name) {
        return None;
    }
    let file = own_file(name);
    let text = folder::read(&workspace.dir, &file, &workspace.dir.join(&file)).ok()?;
    let named = {
        let report = Report::new(&file, &text);
        let references = References::new(&workspace.dir);
        if let Some(table) = parse(&report) {
            integration::read(&report, &table, name, &references);
        }
        references.used()
    };
    let mut files = vec![(file, text)];
    files.extend(named);
    Some(IntegrationFiles { version: version(&files), files })
}

/// Checked as `check` does it, with `changed` in place of what is on the disk. Nothing is written.
pub fn try_files(workspace: &Workspace, name: &str, changed: &ChangedFiles) -> Tried {
    let file = own_file(name);
    let text = match changed.get(&file) {
        Some(text) => text.clone(),
        None => match folder::read(&workspace.dir, &file, &workspace.dir.join(&file)) {
            Ok(text) => text,
            Err(problem) => return Tried { integration: None, problems: vec![problem] },
        },
    };
    let report = Report::new(&file, &text);
    let references = References::changed(&workspace.dir, changed);
    let table = parse(&report);
    let read = table.as_ref().map(|table| integration::read(&report, table, name, &references));
    let mut tried = Tried { integration: None, problems: Vec::new() };
    if let Some(read) = read {
        for (system, span) in &read.systems {
            if !workspace.systems.contains_key(system) {
                let shown: String = system.chars().take(64).collect();
                let suggestion = nearest(system, workspace.systems.keys().map(String::as_str));
                let message = format!("there is no system '{shown}' that can be used");
                report.say(Severity::Error, span.clone(), "unknown-system", message, suggestion);
            }
        }
        let others = workspace.integrations.values().filter(|other| other.name != name);
        if let Some((path, span)) = &read.path
            && let Some(owner) = others.into_iter().find(|other| other.webhook_path() == path)
        {
            let message = format!("the path '{path}' belongs to integrations/{}.toml already", owner.name);
            report.error(span.clone(), "duplicate-path", message);
        }
        tried.integration = read.integration;
    }
    tried.problems = report.into_problems();
    if tried.problems.iter().any(Problem::is_error) {
        tried.integration = None;
    }
    tried
}

/// Writes those that differ, each as a whole: a reader sees the old text or the new one. `version` is the one that the
/// edit began with.
///
/// # Errors
/// [`SaveError`]; then nothing is written, unless the disk itself fails between two files.
pub fn save_files(
    workspace: &Workspace,
    name: &str,
    changed: &ChangedFiles,
    based_on: &str,
) -> Result<IntegrationFiles, SaveError> {
    let current = integration_files(workspace, name).ok_or_else(|| SaveError::Missing(own_file(name)))?;
    if current.version != based_on {
        return Err(SaveError::Changed);
    }
    let tried = try_files(workspace, name, changed);
    let Some(integration) = tried.integration else { return Err(SaveError::Wrong(tried.problems)) };
    for file in changed.keys() {
        let named = integration.files.iter().any(|(known, _)| known == file);
        if !named || !may_be_written(file, name) {
            return Err(SaveError::NotItsFile(file.clone()));
        }
    }
    // The integration's own file comes last: what it names is there before it names it.
    let own = own_file(name);
    let (last, first): (Vec<_>, Vec<_>) = changed.iter().partition(|(file, _)| **file == own);
    for (file, text) in first.into_iter().chain(last) {
        if current.files.iter().any(|(known, old)| known == file && old == text) {
            continue;
        }
        write(&workspace.dir, file, text).map_err(|source| SaveError::Io { file: file.clone(), source })?;
    }
    integration_files(workspace, name).ok_or(SaveError::Missing(own))
}

/// Never a system, another integration, or a hidden file, whatever the integration names.
fn may_be_written(file: &str, name: &str) -> bool {
    let path = Path::new(file);
    let plain = path.components().all(|part| match part {
        Component::Normal(part) => !part.to_string_lossy().starts_with('.'),
        _ => false,
    });
    let reserved = path.starts_with("systems") || path.starts_with("integrations");
    plain && (!reserved || file == own_file(name))
}

fn write(dir: &Path, file: &str, text: &str) -> io::Result<()> {
    let outside =
        || io::Error::new(io::ErrorKind::PermissionDenied, "it leads out of the workspace by a symbolic link");
    let path = dir.join(file);
    let (Some(parent), Some(file_name)) = (path.parent(), path.file_name()) else { return Err(outside()) };
    let mut there = parent;
    while !there.exists() {
        there = there.parent().ok_or_else(outside)?;
    }
    if !there.canonicalize()?.starts_with(dir) {
        return Err(outside());
    }
    fs::create_dir_all(parent)?;
    if fs::symlink_metadata(&path).is_ok_and(|found| found.file_type().is_symlink()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is a symbolic link; edit what it leads to"));
    }
    // Hidden, so that the watcher does not take it for an integration.
    let new = parent.join(format!(".{}.new", file_name.to_string_lossy()));
    let written = File::create(&new).and_then(|mut target| {
        target.write_all(text.as_bytes())?;
        target.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&new, &path));
    if renamed.is_err() {
        let _gone = fs::remove_file(&new);
    }
    renamed?;
    File::open(parent)?.sync_all()
}

fn version(files: &[(String, String)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in files.iter().flat_map(|(file, text)| [file, text]) {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(12).collect()
}
