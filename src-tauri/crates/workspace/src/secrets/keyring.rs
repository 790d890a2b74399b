//! The keyring of the operating system (the Secret Service on Linux). It is asked on a thread of its own with a
//! deadline: a prompt may stay open for ever, and its D-Bus client must not run inside an async runtime.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use keyring_core::{CredentialStore, Error};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::SecretName;

const DEADLINE: Duration = Duration::from_secs(10);

type Open = dyn Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync;

/// The entries of one workspace.
#[derive(Clone)]
pub struct Keyring {
    /// The `service` attribute of every entry; the user is the secret's name.
    service: String,
    open: Arc<Open>,
    deadline: Duration,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    store: Mutex<Option<Arc<CredentialStore>>>,
    /// Questions that ran over their deadline and have not come back.
    abandoned: AtomicUsize,
}

/// One question, as its thread and the one who waits for it see it. Whoever sets `ended` second knows that the other
/// was there before.
struct Question {
    shared: Arc<Shared>,
    ended: AtomicBool,
}

impl Question {
    /// Counts the question as abandoned, unless its thread has ended this very moment.
    fn abandon(&self) {
        self.shared.abandoned.fetch_add(1, Ordering::AcqRel);
        self.end();
    }

    fn end(&self) {
        if self.ended.swap(true, Ordering::AcqRel) {
            self.shared.abandoned.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Ends the question however its thread ends: the keyring's client may panic.
struct Thread(Arc<Question>);

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Texts only, so that it can be kept and shown again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("no keyring can be reached ({0})")]
    Unavailable(String),
    #[error("the keyring is locked or refused access ({0})")]
    Locked(String),
    #[error("the keyring did not answer within {} s; it may be waiting for its password", .0.as_secs())]
    TimedOut(Duration),
    #[error("the keyring holds several entries for it; remove them and set it again")]
    Ambiguous,
    #[error("the keyring's entry is not text")]
    NotText,
    #[error("the keyring failed ({0})")]
    Failed(String),
}

impl Keyring {
    /// Entries scoped to the folder `dir`, in the keyring of this desktop session. Nothing is asked yet.
    pub fn of_workspace(dir: &Path) -> Self {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        Self::new(format!("signalbox:{}", dir.display()), open_system_store)
    }

    /// `open` connects to a store; it is called at the first question and again after a failure.
    pub fn new(
        service: impl Into<String>,
        open: impl Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync + 'static,
    ) -> Self {
        Self { service: service.into(), open: Arc::new(open), deadline: DEADLINE, shared: Arc::default() }
    }

    /// 10 s unless set.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// # Errors
    /// The keyring cannot be reached, is locked, or holds something else than text.
    pub fn get(&self, name: &SecretName) -> Result<Option<SecretString>, KeyringError> {
        let name = name.clone();
        self.ask(move |store, service| match store.build(service, name.as_str(), None)?.get_password() {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Makes the entry or replaces its value.
    ///
    /// # Errors
    /// The keyring cannot be reached, is locked, or refuses the value.
    pub fn set(&self, name: &SecretName, value: &SecretString) -> Result<(), KeyringError> {
        let (name, value) = (name.clone(), value.clone());
        self.ask(move |store, service| {
            let label = format!("Signalbox secret {name}");
            let entry = store.build(service, name.as_str(), Some(&HashMap::from([("label", label.as_str())])));
            // A store without labels is as good.
            let entry = entry.or_else(|_| store.build(service, name.as_str(), None))?;
            entry.set_password(value.expose_secret())
        })
    }

    /// Whether there was an entry to remove.
    ///
    /// # Errors
    /// The keyring cannot be reached or is locked.
    pub fn remove(&self, name: &SecretName) -> Result<bool, KeyringError> {
        let name = name.clone();
        self.ask(move |store, service| match store.build(service, name.as_str(), None)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// The names of this workspace's entries, sorted. Values are not read.
    ///
    /// # Errors
    /// The keyring cannot be reached, is locked, or cannot search.
    pub fn list(&self) -> Result<Vec<SecretName>, KeyringError> {
        self.ask(|store, service| {
            let entries = store.search(&HashMap::from([("service", service)]))?;
            let users = entries.iter().filter_map(keyring_core::Entry::get_specifiers).map(|(_, user)| user);
            let mut names: Vec<SecretName> = users.filter_map(|user| SecretName::new(user).ok()).collect();
            names.sort();
            names.dedup();
            Ok(names)
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&CredentialStore, &str) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<T, KeyringError> {
        // One thread that waits for a prompt is enough.
        if self.shared.abandoned.load(Ordering::Acquire) > 0 {
            return Err(KeyringError::TimedOut(self.deadline));
        }
        let (answer, answers) = sync_channel(1);
        let Self { service, open, shared, .. } = self.clone();
        let asked = Arc::new(Question { shared: shared.clone(), ended: AtomicBool::new(false) });
        let ends = Thread(asked.clone());
        let thread = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let _ends = ends;
            let result = shared.open(&*open).and_then(|store| question(&*store, &service));
            if matches!(result, Err(Error::PlatformFailure(_))) {
                // The connection may be dead: the next question makes a new one.
                *shared.store.lock() = None;
            }
            if answer.send(result).is_err() {
                tracing::debug!("the keyring answered after its deadline");
            }
        });
        thread.map_err(|error| KeyringError::Failed(error.to_string()))?;
        match answers.recv_timeout(self.deadline) {
            Ok(result) => result.map_err(KeyringError::from),
            Err(RecvTimeoutError::Timeout) => {
                asked.abandon();
                Err(KeyringError::TimedOut(self.deadline))
            }
            Err(RecvTimeoutError::Disconnected) => Err(KeyringError::Failed("its client stopped".to_owned())),
        }
    }
}

impl Shared {
    fn open(&self, open: &Open) -> keyring_core::Result<Arc<CredentialStore>> {
        let mut store = self.store.lock();
        match &*store {
            Some(open) => Ok(open.clone()),
            None => Ok(store.insert(open()?).clone()),
        }
    }
}

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::PlatformFailure(source) => Self::Unavailable(source.to_string()),
            Error::NoStorageAccess(source) => Self::Locked(source.to_string()),
            Error::NoDefaultStore => Self::Unavailable("this system has none that is supported".to_owned()),
            Error::Ambiguous(_) => Self::Ambiguous,
            // Their texts would carry the bytes of the value.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => Self::NotText,
            other => Self::Failed(other.to_string()),
        }
    }
}

#[cfg(target_os = "linux")]
fn open_system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(not(target_os = "linux"))]
fn open_system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}
