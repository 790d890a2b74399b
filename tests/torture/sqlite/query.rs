//! Questions to a ledger past the store, so that what the store says can be compared with what is there.

use std::ffi::{CStr, CString};
use std::path::Path;

use libsqlite3_sys as ffi;

use super::vfs::VFS;

/// A connection for reading.
pub struct Ledger(*mut ffi::sqlite3);

impl Ledger {
    /// On a [`crate::disk::Disk`].
    pub fn on_disk(dir: &Path) -> Result<Self, String> {
        Self::open(dir, Some(VFS))
    }

    /// On a real one.
    pub fn in_folder(dir: &Path) -> Result<Self, String> {
        Self::open(dir, None)
    }

    fn open(dir: &Path, vfs: Option<&str>) -> Result<Self, String> {
        let path = CString::new(dir.join("ledger.db").to_string_lossy().into_owned()).map_err(|e| e.to_string())?;
        let vfs = vfs.map(|name| CString::new(name).expect("a name without zeros"));
        let vfs = vfs.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
        let mut raw = std::ptr::null_mut();
        // SAFETY: texts end with a zero; SQLite fills `raw`, which the value returned closes.
        let opened = unsafe { ffi::sqlite3_open_v2(path.as_ptr(), &mut raw, ffi::SQLITE_OPEN_READWRITE, vfs) };
        let ledger = Self(raw);
        if opened == ffi::SQLITE_OK { Ok(ledger) } else { Err(ledger.error()) }
    }

    fn error(&self) -> String {
        // SAFETY: an open connection; the text is copied before the next call.
        unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.0)) }.to_string_lossy().into_owned()
    }

    /// All rows, each column as its bytes with its type before them.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<Vec<u8>>>, String> {
        let mut rows = Vec::new();
        self.each(sql, |columns| {
            rows.push(columns.map(|(kind, bytes)| [&[kind], bytes].concat()).collect());
        })?;
        Ok(rows)
    }

    /// Shows each row's columns, type and bytes, where SQLite has them.
    pub fn each(&self, sql: &str, mut show: impl FnMut(&mut dyn Iterator<Item = (u8, &[u8])>)) -> Result<(), String> {
        let text = CString::new(sql).map_err(|error| error.to_string())?;
        let mut statement = std::ptr::null_mut();
        // SAFETY: the statement is finalized below, on every way out; columns are gone before the next step.
        unsafe {
            if ffi::sqlite3_prepare_v2(self.0, text.as_ptr(), -1, &mut statement, std::ptr::null_mut())
                != ffi::SQLITE_OK
            {
                return Err(self.error());
            }
            let ended = loop {
                let step = ffi::sqlite3_step(statement);
                if step != ffi::SQLITE_ROW {
                    break step;
                }
                let columns = ffi::sqlite3_column_count(statement);
                show(&mut (0..columns).map(|at| column(statement, at)));
            };
            let error = (ended != ffi::SQLITE_DONE).then(|| self.error());
            ffi::sqlite3_finalize(statement);
            error.map_or(Ok(()), Err)
        }
    }

    /// One text of each row.
    pub fn texts(&self, sql: &str) -> Result<Vec<String>, String> {
        let rows = self.rows(sql)?;
        let text = |row: Vec<Vec<u8>>| row.first().map(|bytes| String::from_utf8_lossy(&bytes[1..]).into_owned());
        Ok(rows.into_iter().filter_map(text).collect())
    }
}

/// # Safety
/// The statement stands on a row and has this column, and what is returned is not used after the next step.
unsafe fn column<'row>(statement: *mut ffi::sqlite3_stmt, at: i32) -> (u8, &'row [u8]) {
    // SAFETY: as said above.
    unsafe {
        let kind = u8::try_from(ffi::sqlite3_column_type(statement, at)).unwrap_or(0);
        let start = ffi::sqlite3_column_blob(statement, at).cast::<u8>();
        let len = usize::try_from(ffi::sqlite3_column_bytes(statement, at)).unwrap_or(0);
        (kind, if start.is_null() { &[] } else { std::slice::from_raw_parts(start, len) })
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // SAFETY: nothing of this connection is used any more.
        unsafe { ffi::sqlite3_close(self.0) };
    }
}
