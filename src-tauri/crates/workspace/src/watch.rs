//! Notices edits of a workspace by looking: sizes and times of its files, four times a second.
//!
//! Looking costs less than one thousandth of a core for a hundred files and works wherever files do, on network and
//! container mounts too, where change notifications get lost. It also settles: an editor that writes a file in parts,
//! or several files, is reported once, when a look finds what the last one found.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A folder with more is not a workspace; the rest of it is not watched.
const MOST_ENTRIES: usize = 10_000;
const DEEPEST: usize = 8;

type Digest = [u8; 32];

/// Looks as long as it lives.
pub struct Watcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Calls `on_change` after files of `dir` were added, changed or removed and then left alone for a quarter of a second.
/// Hidden files and folders, `.signalbox/` and `.git/` among them, do not count.
///
/// # Errors
/// No thread could be started.
pub fn watch(dir: &Path, mut on_change: impl FnMut() + Send + 'static) -> io::Result<Watcher> {
    let (stop, stopped) = channel();
    let dir = dir.to_owned();
    let mut looks = Looks::starting_at(look(&dir));
    let thread = std::thread::Builder::new().name("workspace-watch".to_owned()).spawn(move || {
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if looks.settled(look(&dir)) {
                on_change();
            }
        }
    })?;
    Ok(Watcher { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the watcher of the workspace had stopped");
        }
    }
}

struct Looks {
    reported: Digest,
    last: Digest,
}

impl Looks {
    fn starting_at(now: Digest) -> Self {
        Self { reported: now, last: now }
    }

    /// Whether there is a change to report: something differs from what was reported, and two looks agree on it.
    fn settled(&mut self, now: Digest) -> bool {
        let agree = std::mem::replace(&mut self.last, now) == now;
        let report = agree && now != self.reported;
        if report {
            self.reported = now;
        }
        report
    }
}

fn look(dir: &Path) -> Digest {
    let mut seen: Vec<(PathBuf, [u8; 40])> = Vec::new();
    visit(dir, 0, &mut seen);
    seen.sort();
    let mut hasher = blake3::Hasher::new();
    for (path, stamp) in seen {
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update(&[0]);
        hasher.update(&stamp);
    }
    *hasher.finalize().as_bytes()
}

/// A folder that cannot be read looks empty; the reload that follows says why.
fn visit(dir: &Path, depth: usize, seen: &mut Vec<(PathBuf, [u8; 40])>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if seen.len() >= MOST_ENTRIES {
            return;
        }
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // Links to folders are not followed: they may lead in circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEPEST {
                visit(&path, depth + 1, seen);
            }
        } else if let Ok(metadata) = std::fs::metadata(&path) {
            seen.push((path, stamp(&metadata)));
        }
    }
}

/// Size and times; the inode and its change time too, since an editor may set the modification time back.
fn stamp(metadata: &Metadata) -> [u8; 40] {
    let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    #[cfg(unix)]
    let (inode, changed) = {
        use std::os::unix::fs::MetadataExt;
        (metadata.ino(), metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let (inode, changed) = (0_u64, 0_i64);
    let mut stamp = [0; 40];
    let (size, rest) = stamp.split_at_mut(8);
    size.copy_from_slice(&metadata.len().to_le_bytes());
    let (time, rest) = rest.split_at_mut(16);
    time.copy_from_slice(&modified.as_nanos().to_le_bytes());
    let (node, change) = rest.split_at_mut(8);
    node.copy_from_slice(&inode.to_le_bytes());
    change.copy_from_slice(&changed.to_le_bytes());
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_change_is_reported_once_and_only_when_two_looks_agree() {
        let (a, b, c) = ([1; 32], [2; 32], [3; 32]);
        let mut looks = Looks::starting_at(a);
        let reports: Vec<bool> = [a, b, c, c, c, a, a].into_iter().map(|now| looks.settled(now)).collect();
        assert_eq!(reports, [false, false, false, true, false, false, true]);
    }

    #[test]
    fn edits_renames_and_removals_are_seen_and_hidden_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("integrations/a.toml");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::create_dir(dir.path().join(".signalbox")).unwrap();
        let mut last = look(dir.path());
        let mut differs = || {
            let now = look(dir.path());
            std::mem::replace(&mut last, now) != now
        };
        fs::write(&file, "a").unwrap();
        assert!(differs());
        fs::write(dir.path().join(".signalbox/ledger.db"), "rows").unwrap();
        fs::write(dir.path().join(".hidden"), "x").unwrap();
        assert!(!differs());
        fs::rename(&file, file.with_file_name("b.toml")).unwrap();
        assert!(differs());
        fs::write(dir.path().join("new"), "a").unwrap();
        fs::rename(dir.path().join("new"), file.with_file_name("b.toml")).unwrap();
        assert!(differs(), "an editor that replaces the file by one of the same size");
        fs::remove_file(file.with_file_name("b.toml")).unwrap();
        assert!(differs());
    }

    #[test]
    fn the_callback_comes_after_an_edit() {
        let dir = tempfile::tempdir().unwrap();
        let (said, heard) = channel();
        let watcher = watch(dir.path(), move || said.send(()).unwrap()).unwrap();
        fs::write(dir.path().join("a.jq"), ".").unwrap();
        heard.recv_timeout(Duration::from_secs(20)).expect("a change was reported");
        drop(watcher);
        assert!(heard.recv().is_err(), "a dropped watcher lets its callback go");
    }
}
