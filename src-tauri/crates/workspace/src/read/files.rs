//! Reads files of a workspace: text only, of bounded size, and never from outside of its folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use crate::read::value::Text;

/// A file of a workspace is written by hand; a larger one is a mistake.
pub(crate) const LARGEST_FILE: u64 = 4 << 20;

/// The schema and `.jq` files that one integration names.
pub(crate) struct References<'a> {
    place: Place<'a>,
    used: RefCell<BTreeMap<String, String>>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    /// A folder, without symbolic links.
    Folder(&'a Path),
    /// The same, with some files as they would be.
    Changed(&'a Path, &'a BTreeMap<String, String>),
    /// Path and text of the files of a kept version.
    Kept(&'a [(String, String)]),
}

impl Place<'_> {
    fn read(self, file: &str) -> Result<String, FileError> {
        match self {
            Self::Folder(dir) => read_text(dir, &dir.join(file)),
            Self::Changed(dir, changed) => match changed.get(file) {
                Some(text) => Ok(text.clone()),
                None => read_text(dir, &dir.join(file)),
            },
            Self::Kept(files) => {
                let kept = files.iter().find(|(name, _)| name == file);
                kept.map(|(_, text)| text.clone()).ok_or(FileError::Missing)
            }
        }
    }
}

impl<'a> References<'a> {
    pub(crate) fn new(dir: &'a Path) -> Self {
        Self { place: Place::Folder(dir), used: RefCell::default() }
    }

    pub(crate) fn changed(dir: &'a Path, changed: &'a BTreeMap<String, String>) -> Self {
        Self { place: Place::Changed(dir, changed), used: RefCell::default() }
    }

    pub(crate) fn kept(files: &'a [(String, String)]) -> Self {
        Self { place: Place::Kept(files), used: RefCell::default() }
    }

    /// Path and text of the file that `named` names; the problem is said at its place otherwise.
    pub(crate) fn read(&self, named: &Text<'_>) -> Option<(String, String)> {
        let path = Path::new(named.text);
        let plain = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if named.text.is_empty() || !plain || named.text.contains('\\') {
            let message = format!("'{}' must name a file in the workspace: no '..', no '\\', not from '/'", named.name);
            named.error("outside-workspace", message);
            return None;
        }
        let parts: Vec<String> = path
            .components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let file = parts.join("/");
        if parts.first().is_some_and(|first| first == ".signalbox") {
            named.error("outside-workspace", format!("'{file}' is in .signalbox/, which is no place for your files"));
            return None;
        }
        match self.place.read(&file) {
            Ok(text) => {
                self.used.borrow_mut().insert(file.clone(), text.clone());
                Some((file, text))
            }
            Err(error) => {
                named.error(error.code(), format!("'{}': {file} {error}", named.name));
                None
            }
        }
    }

    /// Path and text of every file read so far, in the order of their paths.
    pub(crate) fn used(&self) -> Vec<(String, String)> {
        self.used.borrow().iter().map(|(file, text)| (file.clone(), text.clone())).collect()
    }
}

/// Reads as the end of a sentence that begins with the file's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("does not exist")]
    Missing,
    #[error("leads out of the workspace by a symbolic link")]
    Outside,
    #[error("is not a plain file")]
    NotAFile,
    #[error("is larger than {} MiB", LARGEST_FILE >> 20)]
    TooLarge,
    #[error("is not UTF-8 text")]
    NotText { valid: Vec<u8> },
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
}

impl FileError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing-file",
            Self::Outside => "outside-workspace",
            Self::NotAFile | Self::TooLarge | Self::Io(_) => "unreadable-file",
            Self::NotText { .. } => "not-utf8",
        }
    }
}

/// `dir` without symbolic links; `path` may have some, as long as it ends inside.
pub(crate) fn read_text(dir: &Path, path: &Path) -> Result<String, FileError> {
    let io = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => FileError::Missing,
        _ => FileError::Io(error),
    };
    let real: PathBuf = path.canonicalize().map_err(io)?;
    if !real.starts_with(dir) {
        return Err(FileError::Outside);
    }
    // Opening a named pipe would wait for a writer for ever.
    if !real.metadata().map_err(io)?.is_file() {
        return Err(FileError::NotAFile);
    }
    let mut bytes = Vec::new();
    File::open(&real).map_err(io)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(FileError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let end = error.utf8_error().valid_up_to();
        let mut valid = error.into_bytes();
        valid.truncate(end);
        FileError::NotText { valid }
    })
}
