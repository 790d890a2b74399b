//! A disk in memory: it remembers every change that SQLite made to its files, in order, and fails where it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// One change of a file, or the promise that its changes are on the platter.
#[derive(Clone, Debug)]
pub struct Op {
    pub file: Arc<str>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Create,
    Write {
        at: usize,
        bytes: Arc<[u8]>,
    },
    Truncate(usize),
    Sync,
    /// `durable`: the folder is synced with it.
    Delete {
        durable: bool,
    },
}

/// What a call is, to the disk that may refuse it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Open,
    Create,
    Read,
    Write,
    Truncate,
    Sync,
    Size,
    Delete,
    Exists,
    /// The WAL's index grows: shared memory that takes room on the disk too.
    Share,
}

impl Call {
    fn takes_room(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Share)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EIO: any call.
    Io,
    /// ENOSPC: calls that may take room.
    NoSpace,
    /// Half of the bytes are written, then ENOSPC.
    Short,
}

/// The `at`-th call that this kind can hit fails; with `for_ever`, all later ones too.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    pub at: u64,
    pub for_ever: bool,
}

/// What a call was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Io,
    NoSpace,
    NotThere,
}

pub type Files = BTreeMap<Arc<str>, Vec<u8>>;

#[derive(Default)]
struct State {
    files: Files,
    log: Vec<Op>,
    recording: bool,
    fault: Option<Fault>,
    /// Calls so far that can fail with EIO, and of these the ones that take room.
    calls: (u64, u64),
    fired: Vec<Call>,
    /// Handles whose sync has failed.
    failed_syncs: BTreeSet<u64>,
    synced_after_failure: bool,
}

/// Lives in the folder [`Disk::dir`] of the VFS `torture`, which no real disk has.
pub struct Disk {
    number: u64,
    state: Mutex<State>,
}

static DISKS: AtomicU64 = AtomicU64::new(1);

impl Disk {
    pub fn new(files: Files) -> Arc<Self> {
        let disk = Arc::new(Self {
            number: DISKS.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State { files, ..State::default() }),
        });
        crate::sqlite::mount(disk.number, &disk);
        disk
    }

    pub fn recording() -> Arc<Self> {
        let disk = Self::new(Files::new());
        disk.state.lock().recording = true;
        disk
    }

    pub fn dir(&self) -> std::path::PathBuf {
        format!("/{}", self.number).into()
    }

    /// From now on; counting starts again.
    pub fn fail(&self, fault: Option<Fault>) {
        let mut state = self.state.lock();
        (state.fault, state.calls) = (fault, (0, 0));
    }

    /// How many calls EIO and ENOSPC could have hit.
    pub fn calls(&self) -> (u64, u64) {
        self.state.lock().calls
    }

    pub fn fired(&self) -> Vec<Call> {
        self.state.lock().fired.clone()
    }

    /// A file was synced again through a handle whose sync had failed: the kernel may have forgotten the pages.
    pub fn synced_after_failure(&self) -> bool {
        self.state.lock().synced_after_failure
    }

    /// Changes so far.
    pub fn position(&self) -> usize {
        self.state.lock().log.len()
    }

    pub fn log(&self) -> Vec<Op> {
        self.state.lock().log.clone()
    }

    /// What a process that starts now would find.
    pub fn files(&self) -> Files {
        self.state.lock().files.clone()
    }

    fn call(&self, call: Call) -> (parking_lot::MutexGuard<'_, State>, Option<Kind>) {
        let mut state = self.state.lock();
        state.calls.0 += 1;
        if call.takes_room() {
            state.calls.1 += 1;
        }
        let fault = state.fault.filter(|fault| {
            let count = if fault.kind == Kind::Io { state.calls.0 } else { state.calls.1 };
            let hits = fault.kind == Kind::Io || call.takes_room();
            hits && (count == fault.at || fault.for_ever && count > fault.at)
        });
        if fault.is_some() {
            state.fired.push(call);
        }
        (state, fault.map(|fault| fault.kind))
    }

    pub(crate) fn open(&self, file: &Arc<str>, create: bool) -> Result<(), Refused> {
        let there = self.state.lock().files.contains_key(file);
        let call = if there { Call::Open } else { Call::Create };
        let (mut state, fault) = self.call(call);
        refuse(fault)?;
        if !there {
            if !create {
                return Err(Refused::NotThere);
            }
            state.files.insert(file.clone(), Vec::new());
            state.note(file, What::Create);
        }
        Ok(())
    }

    /// Bytes that were there to be read.
    pub(crate) fn read(&self, file: &str, at: usize, into: &mut [u8]) -> Result<usize, Refused> {
        let (state, fault) = self.call(Call::Read);
        refuse(fault)?;
        let bytes = state.files.get(file).ok_or(Refused::NotThere)?;
        let found = bytes.get(at..).unwrap_or_default();
        let count = found.len().min(into.len());
        into[..count].copy_from_slice(&found[..count]);
        into[count..].fill(0);
        Ok(count)
    }

    pub(crate) fn write(&self, file: &Arc<str>, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        let (mut state, fault) = self.call(Call::Write);
        match fault {
            Some(Kind::Short) => {
                state.put(file, at, &bytes[..bytes.len() / 2])?;
                Err(Refused::NoSpace)
            }
            other => {
                refuse(other)?;
                state.put(file, at, bytes)
            }
        }
    }

    pub(crate) fn truncate(&self, file: &Arc<str>, len: usize) -> Result<(), Refused> {
        let (mut state, fault) = self.call(Call::Truncate);
        refuse(fault)?;
        state.files.get_mut(file).ok_or(Refused::NotThere)?.resize(len, 0);
        state.note(file, What::Truncate(len));
        Ok(())
    }

    pub(crate) fn sync(&self, file: &Arc<str>, handle: u64) -> Result<(), Refused> {
        let (mut state, fault) = self.call(Call::Sync);
        if state.failed_syncs.contains(&handle) {
            state.synced_after_failure = true;
        }
        if fault.is_some() {
            state.failed_syncs.insert(handle);
        }
        refuse(fault)?;
        state.note(file, What::Sync);
        Ok(())
    }

    pub(crate) fn size(&self, file: &str) -> Result<usize, Refused> {
        let (state, fault) = self.call(Call::Size);
        refuse(fault)?;
        state.files.get(file).map(Vec::len).ok_or(Refused::NotThere)
    }

    pub(crate) fn delete(&self, file: &Arc<str>, durable: bool) -> Result<(), Refused> {
        let (mut state, fault) = self.call(Call::Delete);
        refuse(fault)?;
        state.files.remove(file).ok_or(Refused::NotThere)?;
        state.note(file, What::Delete { durable });
        Ok(())
    }

    pub(crate) fn exists(&self, file: &str) -> Result<bool, Refused> {
        let (state, fault) = self.call(Call::Exists);
        refuse(fault)?;
        Ok(state.files.contains_key(file))
    }

    pub(crate) fn share(&self) -> Result<(), Refused> {
        refuse(self.call(Call::Share).1)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        crate::sqlite::unmount(self.number);
    }
}

impl State {
    fn note(&mut self, file: &Arc<str>, what: What) {
        if self.recording {
            self.log.push(Op { file: file.clone(), what });
        }
    }

    fn put(&mut self, file: &Arc<str>, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        write_into(self.files.get_mut(file).ok_or(Refused::NotThere)?, at, bytes);
        self.note(file, What::Write { at, bytes: bytes.into() });
        Ok(())
    }
}

/// As a file system does: what lies between the old end and the new bytes reads as zeros.
pub fn write_into(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

fn refuse(fault: Option<Kind>) -> Result<(), Refused> {
    match fault {
        None => Ok(()),
        Some(Kind::Io) => Err(Refused::Io),
        Some(Kind::NoSpace | Kind::Short) => Err(Refused::NoSpace),
    }
}
