//! Makes a new workspace: empty, or one of the examples.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use crate::read::suggest::{list, nearest};

/// A file of an example: its path in the workspace and its text.
pub type ExampleFile = (&'static str, &'static str);

const EXAMPLES: [(&str, &[ExampleFile]); 2] = [
    (
        "webhook-to-http",
        &[
            ("integrations/orders.toml", include_str!("../examples/webhook-to-http/integrations/orders.toml")),
            ("systems/shop.toml", include_str!("../examples/webhook-to-http/systems/shop.toml")),
        ],
    ),
    (
        "crm-sync",
        &[
            ("integrations/crm-sync.toml", include_str!("../examples/crm-sync/integrations/crm-sync.toml")),
            ("systems/hubspot.toml", include_str!("../examples/crm-sync/systems/hubspot.toml")),
            ("systems/crm.toml", include_str!("../examples/crm-sync/systems/crm.toml")),
            ("schemas/contact.json", include_str!("../examples/crm-sync/schemas/contact.json")),
        ],
    ),
];

#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error("there is no example '{name}'{}: use {known}", suggestion.as_ref().map_or_else(String::new, |word| format!("; did you mean '{word}'?")))]
    UnknownExample { name: String, known: String, suggestion: Option<String> },
    #[error("{} is there already; nothing was written", path.display())]
    Exists { path: PathBuf },
    #[error("'{file}' is not a path inside of a workspace")]
    Outside { file: String },
    #[error("{} cannot be made: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// The names that [`init`] takes.
pub fn example_names() -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().map(|(name, _)| *name)
}

/// Makes the folders of a workspace at `dir`, with the files of an example where one is named. Says what it has made.
///
/// # Errors
/// There is no such example, one of its files is there already (then nothing is written), or the folder cannot be
/// written.
pub fn init(dir: &Path, example: Option<&str>) -> Result<Vec<PathBuf>, InitError> {
    let files = match example {
        None => &[],
        Some(name) => EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, files)| *files).ok_or_else(|| {
            let suggestion = nearest(name, example_names());
            InitError::UnknownExample { name: name.to_owned(), known: list(example_names()), suggestion }
        })?,
    };
    refuse_existing(dir, files)?;
    let mut made = Vec::new();
    for folder in ["integrations", "systems"] {
        let path = dir.join(folder);
        if !path.is_dir() {
            fs::create_dir_all(&path).map_err(|source| InitError::Io { path: path.clone(), source })?;
            made.push(path);
        }
    }
    made.extend(write_new_files(dir, files)?);
    Ok(made)
}

/// Writes files into a workspace, and replaces none. Says what it has written.
///
/// # Errors
/// As for [`init`].
pub fn write_new_files(dir: &Path, files: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Vec<PathBuf>, InitError> {
    refuse_existing(dir, files)?;
    let mut made = Vec::new();
    for (file, text) in files {
        let path = dir.join(file.as_ref());
        let wrong = |source| InitError::Io { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        // Still refuses a file that has appeared since the look at the start.
        let mut new = OpenOptions::new().write(true).create_new(true).open(&path).map_err(wrong)?;
        new.write_all(text.as_ref().as_bytes()).map_err(wrong)?;
        made.push(path);
    }
    Ok(made)
}

fn refuse_existing(dir: &Path, files: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<(), InitError> {
    for (file, _) in files {
        let file = file.as_ref();
        let path = Path::new(file);
        if file.is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(InitError::Outside { file: file.to_owned() });
        }
        let path = dir.join(path);
        if path.symlink_metadata().is_ok() {
            return Err(InitError::Exists { path });
        }
    }
    Ok(())
}
