//! How Signalbox identifies itself to a system: the kinds as data. `net` carries them out.

use crate::SecretName;
use crate::verify::HmacScheme;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    #[default]
    None,
    Bearer {
        secret: SecretName,
    },
    Basic {
        username: String,
        secret: SecretName,
    },
    ApiKey {
        place: ApiKeyPlace,
        secret: SecretName,
    },
    /// Signs each request as Standard Webhooks 1.0.0 does: same id on every attempt, new timestamp.
    StandardWebhooks {
        secret: SecretName,
        /// In a rotation: the secret before it. Each request then carries a signature of either.
        old: Option<SecretName>,
    },
    Hmac {
        scheme: HmacScheme,
        secret: SecretName,
        /// In a rotation: signs where the new one is not set yet, since the header holds one signature.
        old: Option<SecretName>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKeyPlace {
    Header(String),
    Query(String),
}

impl Auth {
    pub fn secret(&self) -> Option<&SecretName> {
        match self {
            Self::None => None,
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::ApiKey { secret, .. }
            | Self::StandardWebhooks { secret, .. }
            | Self::Hmac { secret, .. } => Some(secret),
        }
    }

    /// [`Auth::secret`], and in a rotation the one before it.
    pub fn secrets(&self) -> Vec<&SecretName> {
        let old = match self {
            Self::StandardWebhooks { old, .. } | Self::Hmac { old, .. } => old.as_ref(),
            _ => None,
        };
        self.secret().into_iter().chain(old).collect()
    }

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer { .. } => "bearer",
            Self::Basic { .. } => "basic",
            Self::ApiKey { .. } => "api-key",
            Self::StandardWebhooks { .. } => "standard-webhooks",
            Self::Hmac { .. } => "hmac",
        }
    }
}
