//! Names of secrets. Values never pass through this crate.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `[a-z0-9-]+`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a secret's name: use a-z, 0-9 and '-', at most 64 characters")]
pub struct SecretNameError(String);

impl SecretName {
    pub fn new(name: impl Into<String>) -> Result<Self, SecretNameError> {
        let name = name.into();
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(good) {
            return Err(SecretNameError(name.chars().take(80).collect()));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The environment variable that may hold the value: `SIGNALBOX_SECRET_<NAME>`.
    pub fn env_var(&self) -> String {
        format!("SIGNALBOX_SECRET_{}", self.0.to_ascii_uppercase().replace('-', "_"))
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SecretName {
    type Error = SecretNameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}
