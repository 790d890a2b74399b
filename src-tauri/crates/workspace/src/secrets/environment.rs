//! The order in which a value is looked for: environment, then keyring.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::{Clock, SecretName, Timestamp};

use crate::secrets::{Keyring, KeyringError, SecretError, Secrets};

/// How long an answer of the keyring is taken for true. After that it is still given, while a thread asks again: only
/// the first question for a name waits, and a new value is in use soon after it was set.
const FRESH: Duration = Duration::from_secs(10);

/// The value of a variable by its name.
type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

type Answer = Result<Option<SecretString>, KeyringError>;

/// `SIGNALBOX_SECRET_<NAME>` wins; the keyring is asked only where it is not set.
#[derive(Clone)]
pub struct EnvThenKeyring {
    shared: Arc<Shared>,
}

/// Where a secret's value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    Environment,
    Keyring,
}

struct Shared {
    environment: Box<Environment>,
    keyring: Option<Keyring>,
    clock: Arc<dyn Clock>,
    answers: Mutex<HashMap<SecretName, Kept>>,
}

struct Kept {
    answer: Answer,
    at: Timestamp,
    asking_again: bool,
}

impl EnvThenKeyring {
    /// The variables of this process, asked one by one when they are needed, then `keyring`. Without a keyring only the
    /// variables count.
    pub fn of_process(keyring: Option<Keyring>, clock: Arc<dyn Clock>) -> Self {
        Self::asking(|variable| std::env::var(variable).ok(), keyring, clock)
    }

    /// As [`Self::of_process`], with variables of the caller.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        keyring: Option<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with("SIGNALBOX_SECRET_"));
        let kept: HashMap<String, SecretString> = ours.map(|(name, value)| (name, SecretString::from(value))).collect();
        Self::asking(move |name| kept.get(name).map(|value| value.expose_secret().to_owned()), keyring, clock)
    }

    fn asking(
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        keyring: Option<Keyring>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let answers = Mutex::default();
        Self { shared: Arc::new(Shared { environment: Box::new(environment), keyring, clock, answers }) }
    }

    fn in_environment(&self, name: &SecretName) -> Option<SecretString> {
        // An empty value would sign with an empty key; it counts as not set.
        (self.shared.environment)(&name.env_var()).filter(|value| !value.is_empty()).map(SecretString::from)
    }

    /// Where `name` is set, if anywhere.
    ///
    /// # Errors
    /// As for [`Secrets::get`].
    pub fn place(&self, name: &SecretName) -> Result<Option<SecretPlace>, SecretError> {
        if self.in_environment(name).is_some() {
            return Ok(Some(SecretPlace::Environment));
        }
        Ok(self.get(name)?.map(|_| SecretPlace::Keyring))
    }
}

impl Secrets for EnvThenKeyring {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, SecretError> {
        if let Some(value) = self.in_environment(name) {
            return Ok(Some(value));
        }
        let Some(keyring) = &self.shared.keyring else { return Ok(None) };
        let answer = match self.shared.kept(name) {
            Some((answer, false)) => answer,
            Some((answer, true)) => {
                self.ask_again(name, keyring);
                answer
            }
            None => self.shared.keep(name, keyring.get(name)),
        };
        answer.map_err(|source| SecretError { name: name.clone(), source })
    }
}

impl EnvThenKeyring {
    fn ask_again(&self, name: &SecretName, keyring: &Keyring) {
        let (shared, keyring, asked) = (self.shared.clone(), keyring.clone(), name.clone());
        let thread = std::thread::Builder::new().name("keyring-again".to_owned());
        let started = thread.spawn(move || {
            let answer = keyring.get(&asked);
            // A keyring that is locked for a while takes no value away that was good before.
            let answer = match (answer, shared.kept(&asked)) {
                (Err(_), Some((Ok(old), _))) => Ok(old),
                (answer, _) => answer,
            };
            let _kept = shared.keep(&asked, answer);
        });
        if let Err(error) = started {
            tracing::warn!(%error, secret = %name, "the keyring was not asked again");
            let mut answers = self.shared.answers.lock();
            if let Some(kept) = answers.get_mut(name) {
                kept.asking_again = false;
            }
        }
    }
}

impl Shared {
    /// The kept answer, and whether the caller is to ask again.
    fn kept(&self, name: &SecretName) -> Option<(Answer, bool)> {
        let now = self.clock.now();
        let mut answers = self.answers.lock();
        let kept = answers.get_mut(name)?;
        let stale = !kept.asking_again && now.since(kept.at) > FRESH;
        kept.asking_again |= stale;
        Some((kept.answer.clone(), stale))
    }

    fn keep(&self, name: &SecretName, answer: Answer) -> Answer {
        let kept = Kept { answer: answer.clone(), at: self.clock.now(), asking_again: false };
        self.answers.lock().insert(name.clone(), kept);
        answer
    }
}
