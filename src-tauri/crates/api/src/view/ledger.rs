//! Whether the ledger takes events.

use signalbox_store::{Store, StoreError};

use crate::dto::live::{LedgerState, LedgerWord};

pub(crate) fn state(store: &dyn Store) -> LedgerState {
    let trouble = store.trouble();
    let state = match &trouble {
        None => LedgerWord::Ok,
        Some(StoreError::DiskFull) => LedgerWord::DiskFull,
        Some(_) => LedgerWord::Sealed,
    };
    LedgerState { state, text: trouble.map(|trouble| format!("{}.", capital(&trouble.to_string()))) }
}

/// A sentence of its own begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
