//! How a source knows that a request comes from whom it says: the schemes as data. `net` carries them out.

use std::time::Duration;

use crate::SecretName;
use crate::jwt::JwtScheme;
use crate::organization::OrganizationId;

/// A source's `verify` table. `secrets` holds one name, or several during a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    pub scheme: Scheme,
    pub secrets: Vec<SecretName>,
    /// How far a signed timestamp may be from now, either way; 300 s unless set, 30 s to 600 s.
    pub tolerance: Duration,
}

impl Verify {
    pub const TOLERANCE: Duration = Duration::from_secs(300);
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    StandardWebhooks,
    Stripe,
    Github,
    Shopify,
    Slack,
    Hubspot,
    Twilio,
    /// `Authorization: Bearer <secret>`
    Bearer,
    /// `Authorization: Basic`, password is the secret
    Basic {
        username: String,
    },
    /// The secret itself in a header
    ApiKey {
        header: String,
    },
    Hmac(HmacScheme),
    Jwt(JwtScheme),
    /// Salesforce outbound messages carry no signature: the organization named in the body is one of these. It keeps out
    /// what came to the wrong address; whoever knows the id can write it.
    SalesforceOutbound {
        organizations: Vec<OrganizationId>,
    },
    /// Only when written.
    None,
}

impl Scheme {
    /// Whether a request is judged by secrets that the source names.
    pub fn takes_secrets(&self) -> bool {
        match self {
            Self::Jwt(scheme) => scheme.is_symmetric(),
            Self::SalesforceOutbound { .. } | Self::None => false,
            _ => true,
        }
    }

    /// The header whose value would let whoever reads it send in the sender's name, where it is not one of HTTP's own:
    /// never kept.
    pub fn credential_header(&self) -> Option<&str> {
        match self {
            Self::ApiKey { header } => Some(header),
            Self::Jwt(scheme) => Some(&scheme.header),
            _ => None,
        }
    }

    /// The header in which the scheme itself names the event, lower case: what repeats are recognised by unless a
    /// source says otherwise. Standard Webhooks 1.0.0 (`svix-id` is its older name), GitHub "Validating webhook
    /// deliveries", Shopify "Verify webhook deliveries".
    pub fn id_header(&self) -> Option<&str> {
        match self {
            Self::StandardWebhooks => Some("webhook-id"),
            Self::Github => Some("x-github-delivery"),
            Self::Shopify => Some("x-shopify-webhook-id"),
            Self::Hmac(scheme) => scheme.id_header.as_deref(),
            _ => None,
        }
    }
}

/// The generic scheme: an HMAC of a message made from the request, in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacScheme {
    pub header: String,
    pub algorithm: HmacAlgorithm,
    pub encoding: SignatureEncoding,
    /// Text before the signature in the header.
    pub prefix: String,
    /// `{body}`, `{timestamp}` and `{id}` are replaced.
    pub message: String,
    pub timestamp_header: Option<String>,
    pub id_header: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacAlgorithm {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    Hex,
    Base64,
    Base64Url,
}
