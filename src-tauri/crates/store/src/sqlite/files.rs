//! The ledger's files before SQLite opens them: they hold payloads, so only their owner may read them.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

/// The database and what SQLite keeps beside it.
pub(super) fn beside(file: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal", "-shm"].into_iter().map(move |suffix| {
        let mut path = file.to_path_buf().into_os_string();
        path.push(suffix);
        path.into()
    })
}

/// Makes the file where it is not there, since SQLite gives what it makes beside it the same rights. Files of an
/// earlier version, which everyone could read, become private too.
pub(super) fn prepare(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // Never opened once it is there: closing any handle of a file drops SQLite's locks on it.
    options.write(true).create_new(true);
    private(&mut options);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => beside(file).try_for_each(|path| restrict(&path)),
        Err(error) => Err(error),
    }
}

/// New files for their owner alone.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _rights_come_from_the_folder = options;
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(found) = path.metadata() else { return Ok(()) };
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)) {
        // A file of another owner, as in a container's volume, is used as it is.
        tracing::warn!(%error, path = %path.display(), "others may read this file");
    }
    Ok(())
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}
