//! Secrets held in memory: for the sandbox, which makes its own, and for tests.

use std::collections::HashMap;

use parking_lot::RwLock;
use secrecy::SecretString;
use signalbox_model::SecretName;

use crate::secrets::{SecretError, Secrets};

#[derive(Default)]
pub struct MapSecrets {
    values: RwLock<HashMap<SecretName, SecretString>>,
}

impl MapSecrets {
    pub fn set(&self, name: SecretName, value: impl Into<String>) {
        self.values.write().insert(name, SecretString::from(value.into()));
    }

    pub fn remove(&self, name: &SecretName) {
        self.values.write().remove(name);
    }
}

impl FromIterator<(SecretName, String)> for MapSecrets {
    fn from_iter<I: IntoIterator<Item = (SecretName, String)>>(values: I) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, SecretString::from(value)));
        Self { values: RwLock::new(values.collect()) }
    }
}

impl Secrets for MapSecrets {
    fn get(&self, name: &SecretName) -> Result<Option<SecretString>, SecretError> {
        Ok(self.values.read().get(name).cloned())
    }
}
