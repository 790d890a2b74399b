//! The simulated systems' credentials: made from the seed, so that they are the same at each start and never stored.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(crate) const SIGNING: &str = "salesforce-signing";
pub(crate) const SALESFORCE_TOKEN: &str = "salesforce-token";
pub(crate) const SALESFORCE_CLIENT: &str = "salesforce-client-secret";
pub(crate) const HUBSPOT_TOKEN: &str = "hubspot-token";
pub(crate) const HUBSPOT_REFRESH: &str = "hubspot-refresh-token";
pub(crate) const HUBSPOT_CLIENT: &str = "hubspot-client-secret";
pub(crate) const CRM_KEY: &str = "crm-key";

#[derive(Clone)]
pub(crate) struct Secrets {
    seed: u64,
}

impl Secrets {
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        digest(&SHA256, format!("signalbox sandbox {} {name}", self.seed).as_bytes()).as_ref().to_vec()
    }

    fn hex(&self, name: &str) -> String {
        hex(self.bytes(name).get(..16).unwrap_or_default())
    }

    /// The key behind the `whsec_` secret: 32 bytes.
    pub fn signing_key(&self) -> Vec<u8> {
        self.bytes(SIGNING)
    }

    pub fn value(&self, name: &str) -> String {
        match name {
            SIGNING => format!("whsec_{}", STANDARD.encode(self.signing_key())),
            SALESFORCE_TOKEN => format!("00Dsandbox!{}", self.hex(name)),
            HUBSPOT_TOKEN => format!("pat-sandbox-{}", self.hex(name)),
            CRM_KEY => format!("crm-sandbox-{}", self.hex(name)),
            _ => self.hex(name),
        }
    }

    pub fn all(&self) -> BTreeMap<String, String> {
        [SIGNING, SALESFORCE_TOKEN, SALESFORCE_CLIENT, HUBSPOT_TOKEN, HUBSPOT_REFRESH, HUBSPOT_CLIENT, CRM_KEY]
            .into_iter()
            .map(|name| (name.to_owned(), self.value(name)))
            .collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_follow_the_seed() {
        assert_eq!(Secrets::new(7).all(), Secrets::new(7).all());
        assert_ne!(Secrets::new(7).value(CRM_KEY), Secrets::new(8).value(CRM_KEY));
        let distinct: std::collections::BTreeSet<_> = Secrets::new(7).all().into_values().collect();
        assert_eq!(distinct.len(), 7);
    }

    #[test]
    fn the_signing_secret_is_a_standard_webhooks_one() {
        let secret = Secrets::new(7).value(SIGNING);
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(key, Secrets::new(7).signing_key());
        assert!((24..=64).contains(&key.len()));
    }
}
