//! The file layer: `sqlite3_vfs`, <https://www.sqlite.org/c3ref/vfs.html>.

use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use libsqlite3_sys as ffi;

use super::file::{Handle, Open};
use super::mounted;
use super::shared::Locks;

/// The name for `SqliteOptions::vfs`.
pub const VFS: &str = "torture";

static HANDLES: AtomicU64 = AtomicU64::new(1);

pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the system's own layer is there for the whole process; ours is leaked, as SQLite keeps it.
        let registered = unsafe {
            let system = &*ffi::sqlite3_vfs_find(std::ptr::null());
            let ours = ffi::sqlite3_vfs {
                szOsFile: c_int::try_from(size_of::<Handle>()).unwrap_or(c_int::MAX),
                pNext: std::ptr::null_mut(),
                zName: c"torture".as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_path),
                // Time, chance and sleep are the system's.
                ..*system
            };
            ffi::sqlite3_vfs_register(Box::leak(Box::new(ours)), 0)
        };
        assert_eq!(registered, ffi::SQLITE_OK);
    });
}

/// # Safety
/// SQLite's paths end with a zero and live as long as the call.
unsafe fn text<'a>(path: *const c_char) -> &'a str {
    // SAFETY: as said above.
    unsafe { CStr::from_ptr(path) }.to_str().expect("these tests' paths are ASCII")
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let number = HANDLES.fetch_add(1, Ordering::Relaxed);
    // SAFETY: `file` has `szOsFile` bytes; a path without a name is a temporary file, which these tests do not have.
    unsafe {
        Handle::write(file, None);
        if path.is_null() {
            return ffi::SQLITE_CANTOPEN;
        }
        let path = text(path);
        let Some((disk_number, disk)) = mounted(path) else { return ffi::SQLITE_CANTOPEN };
        let name: Arc<str> = short(path).into();
        if disk.open(&name, flags & ffi::SQLITE_OPEN_CREATE != 0).is_err() {
            return ffi::SQLITE_CANTOPEN;
        }
        if !flags_out.is_null() {
            *flags_out = flags;
        }
        let locks = Locks::new(disk_number, &name, number);
        let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        Handle::write(file, Some(Open { disk, name, number, locks, delete_on_close }));
    }
    ffi::SQLITE_OK
}

/// The name in its folder.
fn short(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

unsafe extern "C" fn delete(_vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's path.
    let path = unsafe { text(path) };
    let Some((_, disk)) = mounted(path) else { return ffi::SQLITE_IOERR_DELETE };
    match disk.delete(&short(path).into(), sync != 0) {
        Ok(()) => ffi::SQLITE_OK,
        Err(crate::disk::Refused::NotThere) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    into: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's path, and a place for the answer.
    let (path, into) = unsafe { (text(path), &mut *into) };
    *into = 0;
    let Some((_, disk)) = mounted(path) else { return ffi::SQLITE_OK };
    match disk.exists(short(path)) {
        Ok(there) => {
            *into = c_int::from(there);
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_ACCESS,
    }
}

unsafe extern "C" fn full_path(
    _vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    into: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's path, and `room` bytes for the answer.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or(0) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), into, bytes.len());
    }
    ffi::SQLITE_OK
}
