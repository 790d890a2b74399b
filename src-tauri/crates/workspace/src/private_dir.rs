//! `.signalbox/`: what belongs to this machine and not into git — ledger, token, lock.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[error("{} cannot be made: {reason}. Signalbox needs to write in the workspace", path.display())]
pub struct PrivateDirError {
    pub path: PathBuf,
    /// Told in the sentence, hence no source of its own: a chain would say it twice.
    pub reason: io::Error,
}

/// Where the private folder of the workspace at `dir` is, whether it exists or not.
pub fn private_dir(dir: &Path) -> PathBuf {
    dir.join(".signalbox")
}

/// Makes the private folder where it is missing, with mode 0700 and a `.gitignore` that covers all of it.
///
/// # Errors
/// The folder or the file cannot be made: a read-only or a full disk.
pub fn make_private_dir(dir: &Path) -> Result<PathBuf, PrivateDirError> {
    let path = private_dir(dir);
    let wrong = |path: &Path, reason| PrivateDirError { path: path.to_owned(), reason };
    fs::create_dir_all(&path).map_err(|error| wrong(&path, error))?;
    keep_private(&path);
    let ignore = path.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n").map_err(|error| wrong(&ignore, error))?;
    }
    Ok(path)
}

/// A folder of another owner, as in a container's volume, is used as it is; the files in it are private by themselves.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
        if open && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o700)) {
            tracing::warn!(%error, path = %path.display(), "others may list this folder");
        }
    }
}
