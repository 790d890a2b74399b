//! `.signalbox/runtime.json`: how the other commands find the running program.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::private_dir::{PrivateDirError, make_private_dir, private_dir};

/// Written when everything listens, removed when the program stops.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeFile {
    pub pid: u32,
    /// `http://host:port`
    pub api: String,
    /// `http://host:port`
    pub ingress: String,
    /// The bearer token of the API.
    pub token: String,
    /// Simulated systems, name → URL.
    #[serde(default)]
    pub sandbox: BTreeMap<String, String>,
}

impl fmt::Debug for RuntimeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeFile").field("pid", &self.pid).field("api", &self.api).finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RuntimeFileError {
    #[error(transparent)]
    PrivateDir(#[from] PrivateDirError),
    #[error("{} cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is not what a running Signalbox writes ({source}); stop Signalbox and remove the file", path.display())]
    Content { path: PathBuf, source: serde_json::Error },
}

impl RuntimeFile {
    /// At once or not at all, readable by this person only.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), RuntimeFileError> {
        let private = make_private_dir(dir)?;
        let path = private.join("runtime.json");
        let draft = private.join(format!("runtime.json.{}", self.pid));
        let wrong = |source| RuntimeFileError::Io { path: path.clone(), source };
        let text = serde_json::to_vec(self).map_err(|error| wrong(error.into()))?;
        let written = write_private(&draft, &text).and_then(|()| fs::rename(&draft, &path));
        if written.is_err() {
            // A draft that could not be written is often one that cannot be removed either; the error says enough.
            fs::remove_file(&draft).ok();
        }
        written.map_err(wrong)
    }

    /// None where no program has written one.
    ///
    /// # Errors
    /// The file cannot be read or holds something else.
    pub fn read(dir: &Path) -> Result<Option<Self>, RuntimeFileError> {
        let path = private_dir(dir).join("runtime.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| RuntimeFileError::Content { path: path.clone(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RuntimeFileError::Io { path, source }),
        }
    }

    /// Removes the file where it is the one of the process `pid`.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(dir: &Path, pid: u32) -> Result<(), RuntimeFileError> {
        if Self::read(dir)?.is_none_or(|file| file.pid != pid) {
            return Ok(());
        }
        let path = private_dir(dir).join("runtime.json");
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(RuntimeFileError::Io { path, source }),
            _ => Ok(()),
        }
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A draft left by a crash may have another mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(pid: u32) -> RuntimeFile {
        RuntimeFile {
            pid,
            api: "http://127.0.0.1:7420".to_owned(),
            ingress: "http://127.0.0.1:7421".to_owned(),
            token: "very-secret".to_owned(),
            sandbox: BTreeMap::from([("hubspot".to_owned(), "http://127.0.0.1:9000".to_owned())]),
        }
    }

    #[test]
    fn what_is_written_is_read_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(RuntimeFile::read(dir.path()).unwrap(), None);
        running(1).write(dir.path()).unwrap();
        running(2).write(dir.path()).unwrap();
        assert_eq!(RuntimeFile::read(dir.path()).unwrap(), Some(running(2)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = dir.path().join(".signalbox/runtime.json").metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names: Vec<_> =
            fs::read_dir(dir.path().join(".signalbox")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "no draft is left: {names:?}");
    }

    #[test]
    fn a_process_removes_its_own_file_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        running(1).write(dir.path()).unwrap();
        RuntimeFile::remove(dir.path(), 2).unwrap();
        assert!(RuntimeFile::read(dir.path()).unwrap().is_some());
        RuntimeFile::remove(dir.path(), 1).unwrap();
        assert!(RuntimeFile::read(dir.path()).unwrap().is_none());
        RuntimeFile::remove(dir.path(), 1).unwrap();
    }

    #[test]
    fn the_token_is_not_in_the_debug_text() {
        assert!(!format!("{:?}", running(1)).contains("very-secret"));
    }

    #[test]
    fn another_content_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        make_private_dir(dir.path()).unwrap();
        fs::write(dir.path().join(".signalbox/runtime.json"), "{").unwrap();
        let error = RuntimeFile::read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("runtime.json"), "{error}");
    }
}
