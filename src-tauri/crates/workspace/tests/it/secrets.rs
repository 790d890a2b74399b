//! Environment first, then the keyring; no plaintext, no hang, no panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use keyring_core::{CredentialStore, Error, mock};
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::{Clock, SecretName, Timestamp};
use signalbox_workspace::{EnvThenKeyring, Keyring, KeyringError, MapSecrets, SecretPlace, Secrets};

#[derive(Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.0.load(Ordering::SeqCst))
    }
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A keyring in memory, and how often it was opened.
fn keyring(opened: &Arc<AtomicUsize>) -> Keyring {
    let store: Arc<CredentialStore> = mock::Store::new().unwrap();
    let opened = opened.clone();
    Keyring::new("signalbox:test", move || {
        opened.fetch_add(1, Ordering::SeqCst);
        Ok(store.clone())
    })
}

fn value(secrets: &dyn Secrets, of: &str) -> Option<String> {
    secrets.get(&name(of)).unwrap().map(|value| value.expose_secret().to_owned())
}

#[test]
fn the_environment_wins_and_the_keyring_is_not_even_opened() {
    let opened = Arc::default();
    let variables = environment(&[("SIGNALBOX_SECRET_HUBSPOT_TOKEN", "from-env"), ("HOME", "/root")]);
    let secrets = EnvThenKeyring::new(variables, Some(keyring(&opened)), Arc::new(HandClock::default()));
    assert_eq!(value(&secrets, "hubspot-token").as_deref(), Some("from-env"));
    assert_eq!(secrets.place(&name("hubspot-token")).unwrap(), Some(SecretPlace::Environment));
    assert_eq!(opened.load(Ordering::SeqCst), 0);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let secrets = EnvThenKeyring::new(environment(&[("SIGNALBOX_SECRET_A", "")]), None, Arc::new(HandClock::default()));
    assert_eq!(value(&secrets, "a"), None);
}

#[test]
fn a_value_is_set_replaced_read_and_removed_in_the_keyring() {
    let opened = Arc::default();
    let keyring = keyring(&opened);
    assert!(keyring.get(&name("a")).unwrap().is_none());
    keyring.set(&name("a"), &SecretString::from("one")).unwrap();
    keyring.set(&name("a"), &SecretString::from("two")).unwrap();
    assert_eq!(keyring.get(&name("a")).unwrap().unwrap().expose_secret(), "two");
    assert!(keyring.remove(&name("a")).unwrap());
    assert!(!keyring.remove(&name("a")).unwrap());
    assert_eq!(opened.load(Ordering::SeqCst), 1, "one connection serves them all");
}

#[test]
fn a_value_that_is_set_while_running_is_in_use_soon_and_without_waiting() {
    let opened = Arc::default();
    let keyring = keyring(&opened);
    let clock = Arc::new(HandClock::default());
    let secrets = EnvThenKeyring::new([], Some(keyring.clone()), clock.clone());
    assert_eq!(value(&secrets, "a"), None);
    keyring.set(&name("a"), &SecretString::from("new")).unwrap();
    assert_eq!(value(&secrets, "a"), None, "the answer is kept for a while");
    clock.0.store(60, Ordering::SeqCst);
    // The first question after that while starts a thread that asks again; its answer comes when it comes.
    while value(&secrets, "a").is_none() {
        std::thread::yield_now();
    }
    assert_eq!(secrets.place(&name("a")).unwrap(), Some(SecretPlace::Keyring));
}

#[test]
fn no_keyring_is_a_clear_error_that_names_the_variable() {
    let gone = Keyring::new("signalbox:test", || Err(Error::PlatformFailure("no bus".into())));
    let secrets = EnvThenKeyring::new([], Some(gone), Arc::new(HandClock::default()));
    let error = secrets.get(&name("hubspot-token")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret 'hubspot-token' could not be read: no keyring can be reached (no bus). \
         Set the environment variable SIGNALBOX_SECRET_HUBSPOT_TOKEN instead"
    );
}

#[test]
fn a_keyring_that_waits_for_its_password_is_left_behind_after_the_deadline() {
    let (release, released) = channel::<()>();
    let released = parking_lot::Mutex::new(released);
    let keyring = Keyring::new("signalbox:test", move || {
        // Like a prompt that nobody answers.
        released.lock().recv().ok();
        Err(Error::NoDefaultStore)
    })
    .with_deadline(Duration::from_millis(20));
    assert!(matches!(keyring.get(&name("a")), Err(KeyringError::TimedOut(_))));
    assert!(matches!(keyring.get(&name("a")), Err(KeyringError::TimedOut(_))), "no second thread waits with it");
    drop(release);
    // Once the prompt is gone, questions are asked again.
    while matches!(keyring.get(&name("a")), Err(KeyringError::TimedOut(_))) {
        std::thread::yield_now();
    }
}

#[test]
fn a_keyring_whose_client_panics_is_an_error() {
    let keyring = Keyring::new("signalbox:test", || panic!("as its client does on a poisoned lock"));
    assert!(matches!(keyring.get(&name("a")), Err(KeyringError::Failed(_))));
}

#[test]
fn values_are_in_no_debug_text() {
    let secrets = MapSecrets::from_iter([(name("a"), "very-secret".to_owned())]);
    assert!(!format!("{:?}", secrets.get(&name("a"))).contains("very-secret"));
}

#[test]
#[ignore = "needs an unlocked Secret Service; `make test-keyring` brings one"]
fn the_keyring_of_the_desktop_keeps_a_value_per_workspace() {
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mine, other) = (Keyring::of_workspace(mine.path()), Keyring::of_workspace(other.path()));
    mine.set(&name("b"), &SecretString::from("value of b")).unwrap();
    mine.set(&name("a"), &SecretString::from("old")).unwrap();
    mine.set(&name("a"), &SecretString::from("value of a")).unwrap();
    assert_eq!(mine.get(&name("a")).unwrap().unwrap().expose_secret(), "value of a");
    assert_eq!(mine.list().unwrap(), [name("a"), name("b")]);
    assert!(other.get(&name("a")).unwrap().is_none());
    assert!(other.list().unwrap().is_empty());
    assert!(mine.remove(&name("a")).unwrap() && mine.remove(&name("b")).unwrap());
    assert!(mine.list().unwrap().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_session_bus_the_desktops_keyring_fails_quickly() {
    let dir = tempfile::tempdir().unwrap();
    // A desktop that runs this test has a bus; then there is nothing to fail.
    if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() {
        let error = Keyring::of_workspace(dir.path()).get(&name("a")).unwrap_err();
        assert!(matches!(error, KeyringError::Unavailable(_)), "{error:?}");
    }
}
