//! From a folder to a [`Workspace`], and from an older workspace and the folder to a newer one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::folder::{self, TomlFile};
use crate::problem::{LoadError, Problem, Severity};
use crate::read::destination::NamedSystem;
use crate::read::files::References;
use crate::read::report::Report;
use crate::read::suggest::nearest;
use crate::read::{integration, parse, system};
use crate::version::version_of;
use crate::workspace::{Integration, System, Workspace};

/// Reads the workspace at `dir`. Blocks for a few reads per file.
///
/// A broken file is no error: its integration is in [`Workspace::broken`], and everything that is wrong is in
/// [`Workspace::problems`].
///
/// # Errors
/// The folder is missing, is not a folder, or cannot be read.
pub fn load(dir: &Path) -> Result<Workspace, LoadError> {
    build(dir, None)
}

/// Reads the folder of `previous` again. What has become wrong keeps its previous version; what has not changed is the
/// same [`Arc`] as before.
///
/// # Errors
/// As for [`load`]; then `previous` is to be kept.
pub fn reload(previous: &Workspace) -> Result<Workspace, LoadError> {
    build(&previous.dir, Some(previous))
}

/// An integration as its kept files say, to recompute what an older version did. None where they cannot be read any
/// more: this program may have become stricter.
pub fn integration_from_files(name: &str, files: &[(String, String)]) -> Option<Integration> {
    let (file, text) = files.first()?;
    let report = Report::new(file, text);
    let references = References::kept(files);
    parse(&report).and_then(|table| integration::read(&report, &table, name, &references).integration)
}

/// One integration file after it was read and before it was compared with the others.
struct Candidate {
    name: String,
    file: String,
    text: String,
    integration: Option<Integration>,
    path: Option<(String, Range<usize>)>,
    systems: Vec<NamedSystem>,
    problems: Vec<Problem>,
}

fn build(dir: &Path, previous: Option<&Workspace>) -> Result<Workspace, LoadError> {
    let dir = folder::resolve(dir)?;
    let name = dir.file_name().map_or_else(|| "workspace".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut problems = folder::misnamed(&dir);
    let system_files = folder::toml_files(&dir, "systems", &mut problems)?;
    let integration_files = folder::toml_files(&dir, "integrations", &mut problems)?;

    let known: BTreeSet<String> = system_files.iter().map(|file| file.stem.clone()).collect();
    let mut systems = read_systems(&dir, system_files, previous, &mut problems);
    let mut candidates: Vec<Candidate> =
        integration_files.into_iter().map(|file| read_integration(&dir, file)).collect();
    refuse_missing_systems(&mut candidates, &systems, &known);
    refuse_shared_paths(&mut candidates, previous);

    let mut integrations = BTreeMap::new();
    let mut broken = BTreeMap::new();
    let mut broken_paths = BTreeMap::new();
    let mut said_of = BTreeMap::new();
    for candidate in candidates {
        let old = previous.and_then(|previous| previous.integrations.get(&candidate.name));
        let right = !candidate.has_errors();
        match (candidate.integration, old) {
            (Some(new), Some(old)) if right && new.version == old.version => {
                integrations.insert(candidate.name.clone(), old.clone());
            }
            (Some(new), _) if right => {
                integrations.insert(candidate.name.clone(), Arc::new(new));
            }
            (_, Some(old)) => {
                integrations.insert(candidate.name.clone(), old.clone());
            }
            (_, None) => {
                let read = candidate.path.as_ref().map(|(path, _)| path.clone());
                if let Some(path) = read.or_else(|| path_line(&candidate.text)) {
                    broken_paths.insert(candidate.name.clone(), path);
                }
                broken.insert(candidate.name.clone(), candidate.problems.clone());
            }
        }
        problems.extend(candidate.problems.iter().cloned());
        said_of.insert(candidate.name, candidate.problems);
    }
    keep_used_systems(&mut systems, &integrations, previous);
    problems.sort_by(|a, b| (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code)));
    // Two integrations may name one broken `.jq` file.
    problems.dedup();
    Ok(Workspace { dir, name, systems, integrations, broken, broken_paths, problems, said_of })
}

fn read_systems(
    dir: &Path,
    files: Vec<TomlFile>,
    previous: Option<&Workspace>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Arc<System>> {
    let mut systems = BTreeMap::new();
    for TomlFile { stem, file, path } in files {
        let old = previous.and_then(|previous| previous.systems.get(&stem));
        let (system, said) = match folder::read(dir, &file, &path) {
            Ok(text) => read_system(&file, &text, &stem),
            Err(problem) => (None, vec![problem]),
        };
        let wrong = said.iter().any(Problem::is_error);
        problems.extend(said);
        let used = match (system, old) {
            (_, Some(old)) if wrong => Some(old.clone()),
            (Some(new), Some(old)) if new.version == old.version => Some(old.clone()),
            (Some(new), _) => Some(Arc::new(new)),
            (None, old) => old.cloned(),
        };
        if let Some(system) = used {
            systems.insert(stem, system);
        }
    }
    systems
}

fn read_system(file: &str, text: &str, stem: &str) -> (Option<System>, Vec<Problem>) {
    let report = Report::new(file, text);
    let system = parse(&report).and_then(|table| {
        let version = version_of(&table, &[]);
        system::read(&report, &table, stem, version)
    });
    (system, report.into_problems())
}

fn read_integration(dir: &Path, toml: TomlFile) -> Candidate {
    let TomlFile { stem: name, file, path } = toml;
    let mut candidate = Candidate {
        name,
        file,
        text: String::new(),
        integration: None,
        path: None,
        systems: Vec::new(),
        problems: Vec::new(),
    };
    match folder::read(dir, &candidate.file, &path) {
        Ok(text) => candidate.text = text,
        Err(problem) => {
            candidate.problems.push(problem);
            return candidate;
        }
    }
    let report = Report::new(&candidate.file, &candidate.text);
    let files = References::new(dir);
    let read = parse(&report).map(|table| integration::read(&report, &table, &candidate.name, &files));
    let problems = report.into_problems();
    if let Some(read) = read {
        candidate.integration = read.integration;
        candidate.path = read.path;
        candidate.systems = read.systems;
    }
    candidate.problems = problems;
    candidate
}

impl Candidate {
    fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    fn refuse(&mut self, span: Range<usize>, code: &'static str, message: String, suggestion: Option<String>) {
        let report = Report::new(&self.file, &self.text);
        report.say(Severity::Error, span, code, message, suggestion);
        self.problems.extend(report.into_problems());
    }
}

/// `known` are the systems that have a file, right or wrong.
fn refuse_missing_systems(
    candidates: &mut [Candidate],
    systems: &BTreeMap<String, Arc<System>>,
    known: &BTreeSet<String>,
) {
    for candidate in candidates {
        for (system, span) in std::mem::take(&mut candidate.systems) {
            if known.contains(&system) && !systems.contains_key(&system) {
                let message = format!("the system '{system}' cannot be used: systems/{system}.toml has errors");
                candidate.refuse(span, "broken-system", message, None);
            } else if !known.contains(&system) {
                let shown: String = system.chars().take(64).collect();
                let suggestion = nearest(&system, known.iter().map(String::as_str));
                let message = format!("there is no system '{shown}': it would be the file systems/{shown}.toml");
                candidate.refuse(span, "unknown-system", message, suggestion);
            }
        }
    }
}

/// One path belongs to one integration: to the one that is running with it, else to the first by name.
///
/// An integration that is refused goes on with the path of its previous version, which may take that path from another
/// one; hence the rounds. Each refuses at least one more, so there are no more rounds than integrations.
fn refuse_shared_paths(candidates: &mut [Candidate], previous: Option<&Workspace>) {
    let mut refused: BTreeSet<String> = BTreeSet::new();
    loop {
        let owners = owners_of_paths(candidates, previous);
        let mut another_round = false;
        for candidate in candidates.iter_mut() {
            let Some((path, span)) = candidate.path.clone() else { continue };
            if let Some(owner) = owners.get(&path)
                && *owner != candidate.name
                && refused.insert(candidate.name.clone())
            {
                let message = format!("the path '{path}' belongs to integrations/{owner}.toml already");
                candidate.refuse(span, "duplicate-path", message, None);
                another_round = true;
            }
        }
        if !another_round {
            return;
        }
    }
}

/// The path that a file names which cannot be read as a whole: the first line that looks like it. A destination's own
/// path stands inside a table, not at the start of a line.
fn path_line(text: &str) -> Option<String> {
    let value = |line: &str| {
        let value = line.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
        let path = value.get(1..)?.split(quote).next()?;
        path.starts_with('/').then(|| path.to_owned())
    };
    text.lines().find_map(value)
}

fn owners_of_paths(candidates: &[Candidate], previous: Option<&Workspace>) -> BTreeMap<String, String> {
    let old_path = |name: &str| Some(previous?.integrations.get(name)?.webhook_path().to_owned());
    let mut owners = BTreeMap::new();
    let mut own = |path: String, name: &str| {
        owners.entry(path).or_insert_with(|| name.to_owned());
    };
    for candidate in candidates {
        let old = old_path(&candidate.name);
        let new = candidate.path.as_ref().map(|(path, _)| path.clone());
        if let Some(old) = old
            && (candidate.has_errors() || new.as_deref() == Some(old.as_str()))
        {
            own(old, &candidate.name);
        }
    }
    // Those that are right come before those that cannot run anyway.
    for wrong in [false, true] {
        for candidate in candidates.iter().filter(|candidate| candidate.has_errors() == wrong) {
            if let Some((path, _)) = &candidate.path {
                own(path.clone(), &candidate.name);
            }
        }
    }
    owners
}

/// An integration that goes on in its previous version may use a system whose file was removed meanwhile.
fn keep_used_systems(
    systems: &mut BTreeMap<String, Arc<System>>,
    integrations: &BTreeMap<String, Arc<Integration>>,
    previous: Option<&Workspace>,
) {
    let Some(previous) = previous else { return };
    for destination in integrations.values().flat_map(|integration| &integration.destinations) {
        if let Some(old) = previous.systems.get(&destination.system) {
            systems.entry(destination.system.clone()).or_insert_with(|| old.clone());
        }
    }
}
