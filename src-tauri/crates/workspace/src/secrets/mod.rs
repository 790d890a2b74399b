//! Values of secrets: from the environment, else from the keyring of the operating system, else a clear error.

mod environment;
mod input;
mod keyring;
mod map;

use secrecy::SecretString;
use signalbox_model::SecretName;

pub use environment::{EnvThenKeyring, SecretPlace};
pub use input::{InputError, read_value};
pub use keyring::{Keyring, KeyringError};
pub use map::MapSecrets;

/// Where secrets come from.
pub trait Secrets: Send + Sync + 'static {
    /// The value, or none where nobody has set one. The first question for a name may block for up to 10 s, while the
    /// keyring asks the person at the desk; ask from a thread that may wait.
    ///
    /// # Errors
    /// The place that may hold the value could not be asked.
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, SecretError>;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret '{name}' could not be read: {source}. Set the environment variable {} instead", name.env_var())]
pub struct SecretError {
    pub name: SecretName,
    pub source: KeyringError,
}
