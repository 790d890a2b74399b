//! What the connections to one file share: its locks, and the WAL's index with the locks of its own.

use std::collections::BTreeMap;

use libsqlite3_sys as ffi;
use parking_lot::Mutex;

/// Bytes of a region, as SQLite asks for them.
const REGION: usize = 32 * 1024;
const SLOTS: usize = ffi::SQLITE_SHM_NLOCK as usize;

#[derive(Default)]
struct Shared {
    readers: u32,
    /// Who writes, and up to which level.
    writer: Option<(u64, i32)>,
    /// Leaked while the disk lives; SQLite itself orders what its connections do with them.
    regions: Vec<Box<[u64; REGION / 8]>>,
    slots: [Slot; SLOTS],
    users: u32,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    shared: u32,
    exclusive: Option<u64>,
}

static SHARED: Mutex<BTreeMap<(u64, String), Shared>> = Mutex::new(BTreeMap::new());

/// One connection's view.
pub struct Locks {
    key: (u64, String),
    handle: u64,
    level: i32,
    slots: [u8; SLOTS],
    maps: bool,
}

const NONE: u8 = 0;
const SHARED_SLOT: u8 = 1;
const EXCLUSIVE_SLOT: u8 = 2;

impl Locks {
    pub fn new(disk: u64, path: &str, handle: u64) -> Self {
        Self { key: (disk, path.to_owned()), handle, level: 0, slots: [NONE; SLOTS], maps: false }
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Self, &mut Shared) -> T) -> T {
        let mut all = SHARED.lock();
        let shared = all.entry(self.key.clone()).or_default();
        work(self, shared)
    }

    /// <https://www.sqlite.org/lockingv3.html>
    pub fn lock(&mut self, level: i32) -> bool {
        self.with(|mine, shared| {
            if mine.level >= level {
                return true;
            }
            let other = shared.writer.filter(|(handle, _)| *handle != mine.handle);
            if level == ffi::SQLITE_LOCK_SHARED {
                if other.is_some_and(|(_, level)| level >= ffi::SQLITE_LOCK_PENDING) {
                    return false;
                }
                shared.readers += 1;
            } else {
                if other.is_some() {
                    return false;
                }
                if level == ffi::SQLITE_LOCK_EXCLUSIVE && shared.readers > 1 {
                    shared.writer = Some((mine.handle, ffi::SQLITE_LOCK_PENDING));
                    return false;
                }
                shared.writer = Some((mine.handle, level));
            }
            mine.level = level;
            true
        })
    }

    pub fn unlock(&mut self, level: i32) {
        self.with(|mine, shared| {
            if shared.writer.is_some_and(|(handle, _)| handle == mine.handle) && level <= ffi::SQLITE_LOCK_SHARED {
                shared.writer = None;
            }
            if level == ffi::SQLITE_LOCK_NONE && mine.level >= ffi::SQLITE_LOCK_SHARED {
                shared.readers -= 1;
            }
            mine.level = mine.level.min(level);
        });
    }

    pub fn reserved(&mut self) -> bool {
        self.with(|_, shared| shared.writer.is_some())
    }

    /// The start of a region; null where it is not there and shall not be made.
    pub fn map(&mut self, region: usize, extend: impl FnOnce() -> bool) -> Option<*mut u64> {
        self.with(|mine, shared| {
            if !mine.maps {
                (mine.maps, shared.users) = (true, shared.users + 1);
            }
            if shared.regions.len() <= region {
                if !extend() {
                    return None;
                }
                shared.regions.resize_with(region + 1, || Box::new([0; REGION / 8]));
            }
            Some(shared.regions[region].as_mut_ptr())
        })
    }

    pub fn has_region(&mut self, region: usize) -> bool {
        self.with(|_, shared| shared.regions.len() > region)
    }

    pub fn slots(&mut self, from: usize, count: usize, flags: i32) -> bool {
        let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        let unlock = flags & ffi::SQLITE_SHM_UNLOCK != 0;
        self.with(|mine, shared| {
            let range = from..from + count;
            if unlock {
                for at in range {
                    shared.slots[at].leave(mine.slots[at]);
                    mine.slots[at] = NONE;
                }
                return true;
            }
            let free = range.clone().all(|at| shared.slots[at].admits(exclusive, mine.handle, mine.slots[at]));
            if free {
                for at in range {
                    shared.slots[at].enter(exclusive, mine.handle, mine.slots[at]);
                    mine.slots[at] = if exclusive { EXCLUSIVE_SLOT } else { SHARED_SLOT };
                }
            }
            free
        })
    }

    /// The index goes with its last user, as the file does.
    pub fn unmap(&mut self) {
        self.slots(0, SLOTS, ffi::SQLITE_SHM_UNLOCK);
        self.with(|mine, shared| {
            if std::mem::take(&mut mine.maps) {
                shared.users -= 1;
                if shared.users == 0 {
                    shared.regions.clear();
                }
            }
        });
    }
}

impl Slot {
    fn admits(&self, exclusive: bool, handle: u64, mine: u8) -> bool {
        let others = self.shared - u32::from(mine == SHARED_SLOT);
        self.exclusive.is_none_or(|holder| holder == handle) && (!exclusive || others == 0)
    }

    fn enter(&mut self, exclusive: bool, handle: u64, mine: u8) {
        if exclusive {
            self.exclusive = Some(handle);
        } else if mine != SHARED_SLOT {
            self.shared += 1;
        }
    }

    fn leave(&mut self, mine: u8) {
        match mine {
            SHARED_SLOT => self.shared -= 1,
            EXCLUSIVE_SLOT => self.exclusive = None,
            _ => {}
        }
    }
}

pub fn forget(disk: u64) {
    SHARED.lock().retain(|(of, _), _| *of != disk);
}
