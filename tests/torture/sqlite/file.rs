//! An open file: `sqlite3_io_methods`, <https://www.sqlite.org/c3ref/io_methods.html>.

use std::ffi::{c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use libsqlite3_sys as ffi;

use super::shared::Locks;
use crate::disk::{Disk, Refused};

/// What SQLite allocates for us; its first field is what SQLite knows.
#[repr(C)]
pub struct Handle {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

pub struct Open {
    pub disk: Arc<Disk>,
    pub name: Arc<str>,
    pub number: u64,
    pub locks: Locks,
    pub delete_on_close: bool,
}

impl Handle {
    /// # Safety
    /// `file` has room for a `Handle`, as `szOsFile` says.
    pub unsafe fn write(file: *mut ffi::sqlite3_file, open: Option<Open>) {
        let methods: *const ffi::sqlite3_io_methods = if open.is_some() { &METHODS } else { std::ptr::null() };
        let open = open.map_or(std::ptr::null_mut(), |open| Box::into_raw(Box::new(open)));
        let handle = Self { base: ffi::sqlite3_file { pMethods: methods }, open };
        // SAFETY: the caller says that there is room.
        unsafe { file.cast::<Self>().write(handle) };
    }
}

/// # Safety
/// `file` was written by [`Handle::write`] with an open file and is not closed yet.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: as said above; SQLite uses one handle from one thread at a time.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

fn code(result: Result<(), Refused>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refused::NoSpace) => ffi::SQLITE_FULL,
        Err(Refused::Io | Refused::NotThere) => otherwise,
    }
}

fn offset(at: ffi::sqlite3_int64) -> usize {
    usize::try_from(at).expect("SQLite's offsets are not negative")
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a handle once; the box is not used afterwards.
    let mut open = unsafe { Box::from_raw((*file.cast::<Handle>()).open) };
    open.locks.unmap();
    open.locks.unlock(ffi::SQLITE_LOCK_NONE);
    if open.delete_on_close {
        let _gone = open.disk.delete(&open.name, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, len: c_int, at: i64) -> c_int {
    // SAFETY: SQLite gives a buffer of `len` bytes.
    let (open, into) = unsafe { (opened(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), offset(len.into()))) };
    match open.disk.read(&open.name, offset(at), into) {
        Ok(count) if count == into.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, len: c_int, at: i64) -> c_int {
    // SAFETY: SQLite gives a buffer of `len` bytes.
    let (open, from) = unsafe { (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), offset(len.into()))) };
    code(open.disk.write(&open.name, offset(at), from), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    // SAFETY: an open handle.
    let open = unsafe { opened(file) };
    code(open.disk.truncate(&open.name, offset(len)), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open handle.
    let open = unsafe { opened(file) };
    // A sync that fails for want of room is an error of the sync, as in SQLite's own file layer.
    open.disk.sync(&open.name, open.number).map_or(ffi::SQLITE_IOERR_FSYNC, |()| ffi::SQLITE_OK)
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, into: *mut i64) -> c_int {
    // SAFETY: an open handle, and a place for the answer.
    let (open, into) = unsafe { (opened(file), &mut *into) };
    match open.disk.size(&open.name) {
        Ok(size) => {
            *into = i64::try_from(size).unwrap_or(i64::MAX);
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

fn busy_unless(granted: bool) -> c_int {
    if granted { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open handle.
    busy_unless(unsafe { opened(file) }.locks.lock(level))
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open handle.
    unsafe { opened(file) }.locks.unlock(level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn reserved(file: *mut ffi::sqlite3_file, into: *mut c_int) -> c_int {
    // SAFETY: an open handle, and a place for the answer.
    unsafe { *into = c_int::from(opened(file).locks.reserved()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn control(_file: *mut ffi::sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    if op != ffi::SQLITE_FCNTL_MMAP_SIZE {
        return ffi::SQLITE_NOTFOUND;
    }
    // Nothing is mapped.
    // SAFETY: for this operation SQLite gives the place of a 64-bit number.
    unsafe { arg.cast::<i64>().write(0) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4_096
}

/// As SQLite's own file layer says of disks: a write does not harm the bytes beside it.
unsafe extern "C" fn characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    _size: c_int,
    extend: c_int,
    into: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open handle, and a place for the answer.
    let (open, into) = unsafe { (opened(file), &mut *into) };
    let region = offset(region.into());
    *into = std::ptr::null_mut();
    if !open.locks.has_region(region) {
        if extend == 0 {
            return ffi::SQLITE_OK;
        }
        match open.disk.share() {
            Ok(()) => {}
            Err(Refused::NoSpace) => return ffi::SQLITE_IOERR_SHMSIZE,
            Err(_) => return ffi::SQLITE_IOERR_SHMMAP,
        }
    }
    if let Some(start) = open.locks.map(region, || extend != 0) {
        *into = start.cast();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, from: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: an open handle.
    busy_unless(unsafe { opened(file) }.locks.slots(offset(from.into()), offset(count.into()), flags))
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open handle.
    unsafe { opened(file) }.locks.unmap();
    ffi::SQLITE_OK
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
