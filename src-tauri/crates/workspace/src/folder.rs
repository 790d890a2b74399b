//! The folders of a workspace: which files count, and how one of them is read.

use std::io;
use std::path::{Path, PathBuf};

use crate::problem::{LoadError, Problem, Severity};
use crate::read::files::{FileError, read_text};
use crate::read::names::{NAME_RULE, is_name};
use crate::read::position::line_and_column;
use crate::read::suggest::nearest;

const FOLDERS: [&str; 2] = ["systems", "integrations"];

/// More systems or integrations than this are not written by hand.
const MOST_FILES: usize = 1_000;

pub(crate) struct TomlFile {
    /// The name of the system or the integration.
    pub(crate) stem: String,
    /// Relative to the workspace.
    pub(crate) file: String,
    pub(crate) path: PathBuf,
}

/// `dir` as an absolute path without symbolic links.
pub(crate) fn resolve(dir: &Path) -> Result<PathBuf, LoadError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Missing { dir: dir.to_owned() },
        _ => LoadError::Unreadable { dir: dir.to_owned(), source },
    };
    let real = dir.canonicalize().map_err(unreadable)?;
    if !real.metadata().map_err(unreadable)?.is_dir() {
        return Err(LoadError::NotAFolder { dir: dir.to_owned() });
    }
    std::fs::read_dir(&real).map_err(unreadable)?;
    Ok(real)
}

/// The TOML files right in `folder`, by name. Hidden files are those of editors.
pub(crate) fn toml_files(dir: &Path, folder: &str, problems: &mut Vec<Problem>) -> Result<Vec<TomlFile>, LoadError> {
    let path = dir.join(folder);
    let unreadable = |source| LoadError::Unreadable { dir: path.clone(), source };
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(stem) = file_name.strip_suffix(".toml") else { continue };
        if file_name.starts_with('.') || path.is_dir() {
            continue;
        }
        let file = format!("{folder}/{file_name}");
        if is_name(stem) {
            files.push(TomlFile { stem: stem.to_owned(), file, path });
        } else {
            let message = format!("'{stem}' cannot be a name: {NAME_RULE}");
            problems.push(whole_file(&file, "wrong-name", message));
        }
    }
    files.sort_by(|a, b| a.stem.cmp(&b.stem));
    if files.len() > MOST_FILES {
        let message = format!("{} files; only the first {MOST_FILES} are read", files.len());
        problems.push(whole_file(folder, "too-many-files", message));
        files.truncate(MOST_FILES);
    }
    Ok(files)
}

/// A warning for each folder that was probably meant to be `systems` or `integrations`.
pub(crate) fn misnamed(dir: &Path) -> Vec<Problem> {
    let folders = std::fs::read_dir(dir).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let mut problems: Vec<Problem> = folders
        .filter_map(|folder| {
            let name = folder.file_name().to_string_lossy().into_owned();
            let meant = nearest(&name, FOLDERS).filter(|meant| *meant != name)?;
            let mut files = std::fs::read_dir(folder.path()).ok()?.flatten();
            let has_toml = files.any(|file| file.path().extension().is_some_and(|end| end == "toml"));
            has_toml.then(|| Problem {
                suggestion: Some(meant),
                severity: Severity::Warning,
                ..whole_file(&name, "misnamed-folder", format!("the files in '{name}' are not read"))
            })
        })
        .collect();
    problems.truncate(FOLDERS.len());
    problems
}

pub(crate) fn read(dir: &Path, file: &str, path: &Path) -> Result<String, Problem> {
    read_text(dir, path).map_err(|error| {
        let mut problem = whole_file(file, error.code(), format!("this file {error}"));
        if let FileError::NotText { valid } = &error {
            let (line, column) = line_and_column(&String::from_utf8_lossy(valid), valid.len());
            (problem.line, problem.column) = (line, column);
        }
        problem
    })
}

fn whole_file(file: &str, code: &'static str, message: String) -> Problem {
    Problem { file: file.to_owned(), line: 1, column: 1, code, message, suggestion: None, severity: Severity::Error }
}
