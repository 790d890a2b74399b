//! One process per workspace: two would send everything twice.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::private_dir::{PrivateDirError, make_private_dir};

/// The lock on `.signalbox/lock`. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// Holds the lock as long as it is open. The file stays behind: removing it would race with the next process.
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "the workspace {} is in use by {}: stop it first, or choose another --workspace",
        dir.display(),
        holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Held { dir: PathBuf, holder: Option<u32> },
    #[error(transparent)]
    PrivateDir(#[from] PrivateDirError),
    #[error("the lock {} cannot be taken: {reason}", path.display())]
    Io { path: PathBuf, reason: io::Error },
}

impl Lock {
    /// Takes the lock for the process `pid`, and makes `.signalbox/` where it is missing.
    ///
    /// # Errors
    /// Another process holds it, or the folder cannot be written.
    pub fn take(dir: &Path, pid: u32) -> Result<Self, LockError> {
        let path = make_private_dir(dir)?.join("lock");
        let wrong = |reason| LockError::Io { path: path.clone(), reason };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { dir: dir.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(wrong(source)),
        }
        file.set_len(0).map_err(wrong)?;
        file.write_all(format!("{pid}\n").as_bytes()).map_err(wrong)?;
        file.flush().map_err(wrong)?;
        Ok(Self { _file: file })
    }
}

/// The process that wrote its id into the lock. One that took it this very moment may not have written it yet, hence
/// the second looks.
fn holder(file: &mut File) -> Option<u32> {
    for _ in 0..1_000 {
        let mut text = String::new();
        file.rewind().ok()?;
        Read::by_ref(file).take(32).read_to_string(&mut text).ok()?;
        if let Ok(pid) = text.trim().parse() {
            return Some(pid);
        }
        std::thread::yield_now();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_refused_with_the_pid_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path(), 4_242).unwrap();
        let refused = Lock::take(dir.path(), 7).unwrap_err();
        assert!(matches!(refused, LockError::Held { holder: Some(4_242), .. }), "{refused:?}");
        assert!(refused.to_string().contains("in use by process 4242"), "{refused}");
        drop(first);
        let _second = Lock::take(dir.path(), 7).unwrap();
        assert!(matches!(Lock::take(dir.path(), 8), Err(LockError::Held { holder: Some(7), .. })));
    }

    #[test]
    fn the_private_folder_is_for_this_person_only_and_ignored_by_git() {
        let dir = tempfile::tempdir().unwrap();
        let _lock = Lock::take(dir.path(), 1).unwrap();
        let private = dir.path().join(".signalbox");
        assert_eq!(std::fs::read_to_string(private.join(".gitignore")).unwrap(), "*\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }
}
