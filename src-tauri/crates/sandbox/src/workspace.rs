//! The case study as workspace files: written where a folder is empty, and kept pointing at the sandbox's ports.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Value};

/// The files of the case study by their path in the workspace. The systems' URLs still lack their ports.
pub const CASE_STUDY: [(&str, &str); 5] = [
    ("integrations/crm-sync.toml", include_str!("../case-study/integrations/crm-sync.toml")),
    ("systems/salesforce.toml", include_str!("../case-study/systems/salesforce.toml")),
    ("systems/hubspot.toml", include_str!("../case-study/systems/hubspot.toml")),
    ("systems/crm.toml", include_str!("../case-study/systems/crm.toml")),
    ("schemas/contact.json", include_str!("../case-study/schemas/contact.json")),
];

/// The comment behind a `base_url` that follows the sandbox. Without it the URL is the person's own.
const MARK: &str = "follows the sandbox";

#[derive(Debug, thiserror::Error)]
#[error("the sandbox's workspace file {path} could not be {what}: {source}; check that the folder is yours to write")]
pub struct WorkspaceError {
    pub path: PathBuf,
    what: &'static str,
    source: io::Error,
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WorkspaceError {
    move |source| WorkspaceError { path: path.to_owned(), what, source }
}

/// Writes the case study where `dir` has no integration and no system yet, then points the systems that follow the
/// sandbox at `urls`. Everything else that people changed stays.
pub(crate) fn write(dir: &Path, urls: &BTreeMap<String, String>) -> Result<(), WorkspaceError> {
    if !has_files(&dir.join("integrations"))? && !has_files(&dir.join("systems"))? {
        for (name, text) in CASE_STUDY {
            let path = dir.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(failed("made", folder))?;
            }
            if !path.exists() {
                fs::write(&path, text).map_err(failed("written", &path))?;
            }
        }
    }
    for (system, url) in urls {
        let path = dir.join("systems").join(format!("{system}.toml"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Taken away by a person, who may.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("read", &path)(error)),
        };
        if let Some(next) = pointed(&text, url) {
            replace(&path, &next)?;
        }
    }
    Ok(())
}

fn has_files(folder: &Path) -> Result<bool, WorkspaceError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("read", folder)(error)),
    }
}

/// The file with `base_url` set to `url`; None where nothing is to change, or where the file is broken: the check of
/// the workspace says so better than this could.
fn pointed(text: &str, url: &str) -> Option<String> {
    let mut file: DocumentMut = text.parse().ok()?;
    let value = file.as_table_mut().get_mut("base_url").and_then(Item::as_value_mut)?;
    let follows = value.decor().suffix().and_then(toml_edit::RawString::as_str).is_some_and(|text| text.contains(MARK));
    if !follows || value.as_str() == Some(url) {
        return None;
    }
    let decor = value.decor().clone();
    *value = Value::from(url);
    *value.decor_mut() = decor;
    Some(file.to_string())
}

/// By a rename, so that a program that watches the folder never reads half a file.
fn replace(path: &Path, text: &str) -> Result<(), WorkspaceError> {
    let next = path.with_extension("toml.next");
    fs::write(&next, text).map_err(failed("written", &next))?;
    fs::rename(&next, path).map_err(failed("replaced", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(port: u16) -> BTreeMap<String, String> {
        ["salesforce", "hubspot", "crm"].map(|name| (name.to_owned(), format!("http://127.0.0.1:{port}"))).into()
    }

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join(name)).unwrap()
    }

    #[test]
    fn an_empty_folder_becomes_the_case_study() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &urls(4_001)).unwrap();
        for (name, _) in CASE_STUDY {
            assert!(dir.path().join(name).is_file(), "{name}");
        }
        for system in ["salesforce", "hubspot", "crm"] {
            let text = read(dir.path(), &format!("systems/{system}.toml"));
            assert!(text.contains(r#"base_url = "http://127.0.0.1:4001" # follows the sandbox"#), "{text}");
        }
    }

    #[test]
    fn a_new_start_moves_the_urls_and_keeps_what_people_changed() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &urls(4_001)).unwrap();
        let hubspot = dir.path().join("systems/hubspot.toml");
        let edited = read(dir.path(), "systems/hubspot.toml").replace(r#"timeout = "10s""#, "# mine\ntimeout = \"3s\"");
        fs::write(&hubspot, &edited).unwrap();
        fs::remove_file(dir.path().join("systems/salesforce.toml")).unwrap();
        let sync = dir.path().join("integrations/crm-sync.toml");
        fs::write(&sync, "title = \"mine\"\n").unwrap();

        write(dir.path(), &urls(4_002)).unwrap();
        assert_eq!(read(dir.path(), "systems/hubspot.toml"), edited.replace("4001", "4002"));
        assert_eq!(read(dir.path(), "integrations/crm-sync.toml"), "title = \"mine\"\n");
        assert!(!dir.path().join("systems/salesforce.toml").exists(), "what was taken away stays away");
        let left: Vec<_> = fs::read_dir(dir.path().join("systems")).unwrap().collect();
        assert_eq!(left.len(), 2, "no file is left behind: {left:?}");
    }

    #[test]
    fn a_url_of_ones_own_is_left_alone() {
        let own = "base_url = \"https://api.hubapi.com\"\n";
        assert_eq!(pointed(own, "http://127.0.0.1:1"), None);
        assert_eq!(pointed("base_url = \"http://127.0.0.1:9\" # mine\n", "http://127.0.0.1:1"), None);
        assert_eq!(pointed("title = 7 =", "http://127.0.0.1:1"), None);
        assert_eq!(
            pointed("base_url = 7 # follows the sandbox", "http://x").as_deref(),
            Some("base_url = \"http://x\" # follows the sandbox\n")
        );
    }

    #[test]
    fn a_folder_with_a_system_of_its_own_is_not_filled() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("systems")).unwrap();
        fs::write(dir.path().join("systems/hubspot.toml"), "base_url = \"https://api.hubapi.com\"\n").unwrap();
        write(dir.path(), &urls(4_001)).unwrap();
        assert_eq!(read(dir.path(), "systems/hubspot.toml"), "base_url = \"https://api.hubapi.com\"\n");
        assert!(!dir.path().join("integrations").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("integrations"), "a file where a folder should be").unwrap();
        let error = write(dir.path(), &urls(4_001)).unwrap_err().to_string();
        assert!(error.contains("integrations"), "{error}");
    }
}
