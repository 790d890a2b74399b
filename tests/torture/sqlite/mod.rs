//! The only unsafe code of these tests: SQLite's file layer over a [`Disk`], and questions to a ledger that do not go
//! through the store. Both speak to the C interface of the very copy of SQLite that the store links.
//!
//! Callbacks get pointers that SQLite owns for the length of the call; a handle's own state is a box that lives from
//! `xOpen` to `xClose`. SQLite never calls one handle from two threads at once.

#![allow(unsafe_code, reason = "SQLite's file layer is a C interface, and no safe wrapper of it records or fails")]

mod file;
mod query;
mod shared;
mod vfs;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::disk::Disk;
pub use query::Ledger;
pub use vfs::VFS;

static DISKS: Mutex<BTreeMap<u64, Weak<Disk>>> = Mutex::new(BTreeMap::new());

/// Makes the disk reachable under `/number/`.
pub fn mount(number: u64, disk: &Arc<Disk>) {
    vfs::register();
    DISKS.lock().insert(number, Arc::downgrade(disk));
}

pub fn unmount(number: u64) {
    DISKS.lock().remove(&number);
    shared::forget(number);
}

/// The disk of a path, and its number.
fn mounted(path: &str) -> Option<(u64, Arc<Disk>)> {
    let number = path.strip_prefix('/')?.split('/').next()?.parse().ok()?;
    Some((number, DISKS.lock().get(&number)?.upgrade()?))
}
