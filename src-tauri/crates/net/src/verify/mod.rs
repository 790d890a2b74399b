//! Knowing who sent a request: the schemes of [`signalbox_model::verify`] carried out.
//!
//! Rules that hold for all of them: the raw bytes are signed, never a parsed form; a given signature is decoded and
//! compared in constant time; one of several secrets is enough (rotation); a timestamp is judged after the signature, so
//! that a forger learns nothing from it; whatever fails, the sender gets the same 401 and only the operator the reason.

mod credentials;
mod github;
mod headers;
mod hmac;
mod hubspot;
mod jwt;
mod mac;
mod refusal;
mod salesforce_outbound;
mod shopify;
pub mod sign;
mod slack;
mod standard_webhooks;
mod stripe;
#[cfg(test)]
mod testing;
mod twilio;

use std::time::Duration;

use aws_lc_rs::hmac as aws_hmac;
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use signalbox_model::Timestamp;
use signalbox_model::organization::OrganizationId;
use signalbox_model::verify::{Scheme, SignatureEncoding, Verify};

use credentials::Credentials;
use mac::Keys;
pub(crate) use mac::{decode as decode_signature, encode as encode_signature};
pub use refusal::Refusal;

/// A request as it came in, before anything has parsed it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub method: &'a str,
    /// The source's `public_url`: the URL that the vendor calls. HubSpot and Twilio sign it. Where it has no query, the
    /// request's own is appended.
    pub public_url: Option<&'a str>,
    /// `scheme://host/path?query` as received; stands in for a missing `public_url`.
    pub url_seen: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Incoming<'_> {
    /// The URL that the vendor called, as far as we know it.
    fn called_url(&self) -> String {
        let Some(public) = self.public_url else { return self.url_seen.to_owned() };
        match self.url_seen.split_once('?') {
            Some((_, query)) if !public.contains('?') => format!("{public}?{query}"),
            _ => public.to_owned(),
        }
    }
}

/// A request whose signature or credential is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The scheme's own id, for dedupe; see [`scheme_id`].
    pub id: Option<String>,
    /// Which of the secrets matched: 0 is the newest.
    pub secret_index: usize,
    /// When the sender signed, where the scheme says so.
    pub timestamp: Option<Timestamp>,
}

/// The secrets do not fit the scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    #[error("the scheme needs a secret and none is given")]
    NoSecret,
    #[error("secret {number} is empty")]
    EmptySecret { number: usize },
    #[error(
        "secret {number} is not a Standard Webhooks secret: it must be 'whsec_' followed by base64, as the vendor shows it"
    )]
    NotBase64 { number: usize },
    #[error("secret {number} is an ed25519 key; this program verifies the symmetric kind, which begins with 'whsec_'")]
    Asymmetric { number: usize },
    #[error("the message uses {{{placeholder}}}, so {key} must say which header it comes from")]
    HeaderNotNamed { placeholder: &'static str, key: &'static str },
    #[error("the key {key} of the pinned keys cannot be used: {problem}")]
    Key { key: String, problem: String },
}

enum Check {
    StandardWebhooks(Keys),
    Stripe(Keys),
    Github(Keys),
    Shopify(Keys),
    Slack(Keys),
    Hubspot(Keys),
    Twilio(Keys),
    Bearer(Credentials),
    Basic { username: String, passwords: Credentials },
    ApiKey { header: String, keys: Credentials },
    Hmac { scheme: signalbox_model::verify::HmacScheme, keys: Keys },
    Jwt(jwt::Tokens),
    SalesforceOutbound(Vec<OrganizationId>),
    Nothing,
}

/// A source's `verify` table with its secrets, ready to judge requests.
pub struct Verifier {
    check: Check,
    tolerance: Duration,
    warnings: Vec<String>,
}

impl Verifier {
    /// `secrets` in the order of [`Verify::secrets`]; the schemes that take none ignore them.
    pub fn new(verify: &Verify, secrets: Vec<SecretString>) -> Result<Self, VerifierError> {
        let scheme = &verify.scheme;
        let mut warnings = Vec::new();
        let mut keys = Vec::with_capacity(secrets.len());
        if scheme.takes_secrets() {
            if secrets.is_empty() {
                return Err(VerifierError::NoSecret);
            }
            for (index, secret) in secrets.iter().enumerate() {
                let (number, text) = (index + 1, secret.expose_secret());
                if text.is_empty() {
                    return Err(VerifierError::EmptySecret { number });
                }
                let key = numbered_key(scheme, text, number)?;
                let least =
                    if *scheme == Scheme::StandardWebhooks { standard_webhooks::LEAST_SECRET } else { SHORT_SECRET };
                if key.len() < least {
                    let length = key.len();
                    warnings.push(format!(
                        "secret {number} is short ({length} bytes; {least} or more are safe against guessing)"
                    ));
                }
                if text.trim() != text {
                    warnings
                        .push(format!("secret {number} begins or ends with white space, which counts as part of it"));
                }
                keys.push(key);
            }
        }
        match scheme {
            Scheme::Hmac(scheme) => warnings.extend(hmac::check(scheme)?),
            Scheme::SalesforceOutbound { .. } => warnings.push(salesforce_outbound::NO_SIGNATURE.to_owned()),
            _ => {}
        }
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        Ok(Self { check: check(scheme, &keys)?, tolerance: verify.tolerance, warnings })
    }

    /// With keys as they enter the computation, whatever text they were written as; see [`key_of`].
    pub(crate) fn with_keys(scheme: &Scheme, tolerance: Duration, keys: &[&[u8]]) -> Option<Self> {
        Some(Self { check: check(scheme, keys).ok()?, tolerance, warnings: Vec::new() })
    }

    /// What is weak about the set-up without being wrong. Vendors' secrets have the length that they have.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    pub fn verify(&self, request: &Incoming<'_>, now: Timestamp) -> Result<Verified, Refusal> {
        let tolerance = self.tolerance;
        match &self.check {
            Check::StandardWebhooks(keys) => standard_webhooks::verify(keys, request, now, tolerance),
            Check::Stripe(keys) => stripe::verify(keys, request, now, tolerance),
            Check::Github(keys) => github::verify(keys, request),
            Check::Shopify(keys) => shopify::verify(keys, request),
            Check::Slack(keys) => slack::verify(keys, request, now, tolerance),
            Check::Hubspot(keys) => hubspot::verify(keys, request, now, tolerance),
            Check::Twilio(keys) => twilio::verify(keys, request),
            Check::Bearer(secrets) => credentials::verify_bearer(secrets, request),
            Check::Basic { username, passwords } => credentials::verify_basic(username, passwords, request),
            Check::ApiKey { header, keys } => credentials::verify_api_key(header, keys, request),
            Check::Hmac { scheme, keys } => hmac::verify(scheme, keys, request, now, tolerance),
            Check::Jwt(tokens) => tokens.verify(request, now, tolerance),
            Check::SalesforceOutbound(known) => salesforce_outbound::verify(known, request),
            Check::Nothing => Ok(Verified { id: None, secret_index: 0, timestamp: None }),
        }
    }
}

/// Bytes below which a secret is called short: 128 bits.
const SHORT_SECRET: usize = 16;

/// The key that a secret's text is under a scheme.
pub(crate) fn key_of(scheme: &Scheme, secret: &str) -> Result<Vec<u8>, VerifierError> {
    numbered_key(scheme, secret, 1)
}

fn numbered_key(scheme: &Scheme, secret: &str, number: usize) -> Result<Vec<u8>, VerifierError> {
    match scheme {
        Scheme::StandardWebhooks => standard_webhooks::decode_secret(secret, number),
        _ => Ok(secret.as_bytes().to_vec()),
    }
}

fn check(scheme: &Scheme, keys: &[&[u8]]) -> Result<Check, VerifierError> {
    let macs = |algorithm| Keys::new(algorithm, keys.iter().copied());
    let sha256 = || macs(aws_hmac::HMAC_SHA256);
    Ok(match scheme {
        Scheme::StandardWebhooks => Check::StandardWebhooks(sha256()),
        Scheme::Stripe => Check::Stripe(sha256()),
        Scheme::Github => Check::Github(sha256()),
        Scheme::Shopify => Check::Shopify(sha256()),
        Scheme::Slack => Check::Slack(sha256()),
        Scheme::Hubspot => Check::Hubspot(sha256()),
        Scheme::Twilio => Check::Twilio(macs(aws_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)),
        Scheme::Bearer => Check::Bearer(Credentials::new(keys)),
        Scheme::Basic { username } => Check::Basic { username: username.clone(), passwords: Credentials::new(keys) },
        Scheme::ApiKey { header } => Check::ApiKey { header: header.clone(), keys: Credentials::new(keys) },
        Scheme::Hmac(scheme) => Check::Hmac { scheme: scheme.clone(), keys: macs(mac::algorithm(scheme.algorithm)) },
        Scheme::Jwt(scheme) => Check::Jwt(jwt::Tokens::new(scheme, keys)?),
        Scheme::SalesforceOutbound { organizations } => Check::SalesforceOutbound(organizations.clone()),
        Scheme::None => Check::Nothing,
    })
}

/// Where and how a scheme writes its signature.
pub(crate) struct SignaturePlace {
    /// Lower case.
    pub header: String,
    pub prefix: String,
    pub encoding: SignatureEncoding,
}

/// `None`: the scheme has no signature, or one among other things in its header.
pub(crate) fn signature_place(scheme: &Scheme, headers: &HeaderMap) -> Option<SignaturePlace> {
    use SignatureEncoding::{Base64, Hex};
    let (header, prefix, encoding) = match scheme {
        Scheme::StandardWebhooks => (standard_webhooks::names(headers).signature, standard_webhooks::VERSION, Base64),
        Scheme::Github => (github::HEADER, github::PREFIX, Hex),
        Scheme::Shopify => (shopify::HEADER, "", Base64),
        Scheme::Slack => (slack::HEADER, slack::PREFIX, Hex),
        Scheme::Hubspot => (hubspot::HEADER, "", Base64),
        Scheme::Twilio => (twilio::HEADER, "", Base64),
        Scheme::Hmac(scheme) => (scheme.header.as_str(), scheme.prefix.as_str(), scheme.encoding),
        _ => return None,
    };
    Some(SignaturePlace { header: header.to_ascii_lowercase(), prefix: prefix.to_owned(), encoding })
}

/// The id that the scheme itself puts into a header, by which repeats are known; `None` where it puts none there, or one
/// that is not 1–255 visible ASCII characters.
///
/// Stripe (`evt_…`), Slack (`event_id`) and HubSpot keep theirs in the body. Of the header ids only Standard Webhooks and
/// an `hmac` whose message has `{id}` sign it: whoever replays a captured GitHub or Shopify request can change it.
pub fn scheme_id(scheme: &Scheme, headers: &HeaderMap) -> Option<String> {
    let header = match scheme {
        Scheme::StandardWebhooks => standard_webhooks::names(headers).id,
        Scheme::Github => github::ID_HEADER,
        Scheme::Shopify => shopify::ID_HEADER,
        Scheme::Hmac(scheme) => scheme.id_header.as_deref()?,
        Scheme::Stripe
        | Scheme::Slack
        | Scheme::Hubspot
        | Scheme::Twilio
        | Scheme::Bearer
        | Scheme::Basic { .. }
        | Scheme::ApiKey { .. }
        | Scheme::Jwt(_)
        | Scheme::SalesforceOutbound { .. }
        | Scheme::None => return None,
    };
    headers::optional_id(headers, header).ok().flatten().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::testing::{headers, secrets, verify_table};
    use super::*;

    #[test]
    fn an_empty_or_missing_secret_is_refused_and_a_short_one_is_warned_of() {
        let new = |list: &[&str]| Verifier::new(&verify_table(Scheme::Github), secrets(list));
        assert_eq!(new(&[]).err(), Some(VerifierError::NoSecret));
        assert_eq!(new(&["long enough to be good", ""]).err(), Some(VerifierError::EmptySecret { number: 2 }));
        assert_eq!(new(&["short"]).unwrap().warnings().len(), 1);
        assert!(new(&["long enough to be good"]).unwrap().warnings().is_empty());
        assert_eq!(new(&["long enough to be good\n"]).unwrap().warnings().len(), 1);
    }

    #[test]
    fn no_scheme_accepts_everything_and_needs_no_secret() {
        let verifier = Verifier::new(&verify_table(Scheme::None), Vec::new()).unwrap();
        let headers = HeaderMap::new();
        let request =
            Incoming { method: "POST", public_url: None, url_seen: "http://x/", headers: &headers, body: b"" };
        assert!(verifier.verify(&request, Timestamp::from_secs(0)).is_ok());
    }

    #[test]
    fn the_query_of_the_request_belongs_to_the_called_url() {
        let headers = HeaderMap::new();
        let called = |public_url, url_seen| {
            Incoming { method: "POST", public_url, url_seen, headers: &headers, body: b"" }.called_url()
        };
        assert_eq!(called(None, "http://in/x?a=1"), "http://in/x?a=1");
        assert_eq!(called(Some("https://out/x"), "http://in/x?a=1"), "https://out/x?a=1");
        assert_eq!(called(Some("https://out/x?b=2"), "http://in/x?a=1"), "https://out/x?b=2");
        assert_eq!(called(Some("https://out/x"), "http://in/x"), "https://out/x");
    }

    #[test]
    fn the_id_of_a_scheme_is_read_from_its_header() {
        let map =
            headers(&[("svix-id", "msg_1"), ("x-github-delivery", "guid"), ("x-shopify-webhook-id", "two words")]);
        assert_eq!(scheme_id(&Scheme::StandardWebhooks, &map).as_deref(), Some("msg_1"));
        assert_eq!(scheme_id(&Scheme::Github, &map).as_deref(), Some("guid"));
        assert_eq!(scheme_id(&Scheme::Shopify, &map), None);
        assert_eq!(scheme_id(&Scheme::Stripe, &map), None);
    }
}
