//! The port through which dispatch sends, and the request as it goes on the wire.

use std::future::Future;
use std::pin::Pin;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use secrecy::SecretString;
use signalbox_model::{DeliveryId, Timestamp};
use signalbox_net::client::{Answer, Client, Outbound, SendError};
use signalbox_store::event::Request;
use signalbox_workspace::{Destination, System};
use url::Url;

use crate::hops;

/// The most of an answer that is read; a longer one is a failure.
pub const RESPONSE_MAX: usize = 1 << 20;
/// The most of an answer's body that is kept.
pub const RESPONSE_KEPT: usize = 64 << 10;

pub type DeliverFuture<'a> = Pin<Box<dyn Future<Output = Result<Answer, SendError>> + Send + 'a>>;

/// Sends one request and brings back the whole answer. Tests bring their own world behind it.
pub trait Deliver: Send + Sync + 'static {
    fn deliver(&self, outbound: Outbound) -> DeliverFuture<'_>;
}

impl Deliver for Client {
    fn deliver(&self, outbound: Outbound) -> DeliverFuture<'_> {
        Box::pin(self.send(outbound))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("'{0}' is not a method")]
    Method(String),
    #[error("the path does not fit the system's base URL: {0}")]
    Url(String),
    #[error("header {0} has a character that a header cannot carry")]
    Header(String),
    #[error(transparent)]
    Auth(#[from] signalbox_net::auth::AuthError),
}

/// What a request needs besides its bytes: system, credential, key, time.
pub struct Sender<'a> {
    pub system: &'a System,
    /// The system's base URL, or the one that stands in for it.
    pub base_url: &'a Url,
    pub destination: &'a Destination,
    /// Those that are set, the newest first.
    pub secrets: &'a [SecretString],
    /// The idempotency key.
    pub key: &'a str,
    pub now: Timestamp,
    /// The most bytes of the answer that are read.
    pub response_cap: usize,
}

/// The delivery's id for revision 1; `.r2`, `.r3` … appended for later ones, since changed bytes are a new request
/// to the receiver (draft-ietf-httpapi-idempotency-key-header-07 §2.6).
pub fn idempotency_key(delivery: DeliveryId, revision: u32) -> String {
    if revision <= 1 { delivery.to_string() } else { format!("{delivery}.r{revision}") }
}

impl Sender<'_> {
    pub fn outbound(&self, request: &Request) -> Result<Outbound, CallError> {
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| CallError::Method(request.method.clone()))?;
        let mut url = join(self.base_url, &request.path)?;
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
        for (name, value) in &request.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        let idempotency = &self.destination.idempotency;
        let key = if idempotency.quoted { format!("\"{}\"", self.key) } else { self.key.to_owned() };
        headers.insert(header_name(&idempotency.header)?, header_value(&idempotency.header, &key)?);
        headers.entry(hops::HEADER).or_insert(HeaderValue::from(u16::from(hops::next(0))));
        headers.entry("user-agent").or_insert(HeaderValue::from_static(USER_AGENT));
        signalbox_net::auth::apply(
            &self.system.auth,
            self.secrets,
            &method,
            &mut url,
            &mut headers,
            &request.body,
            &key,
            self.now,
        )?;
        Ok(Outbound {
            method,
            url: url.into(),
            headers,
            body: request.body.clone(),
            allow_private: self.system.allow_private,
            timeout: self.system.timeout,
            response_cap: self.response_cap,
        })
    }
}

const USER_AGENT: &str = concat!("signalbox/", env!("CARGO_PKG_VERSION"));

fn header_name(name: &str) -> Result<HeaderName, CallError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| CallError::Header(name.to_owned()))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(value).map_err(|_| CallError::Header(name.to_owned()))
}

/// The base URL's own path stays in front; the result must keep its origin.
pub fn join(base: &Url, path: &str) -> Result<Url, CallError> {
    let prefix = base.as_str().trim_end_matches('/');
    let slash = if path.starts_with('/') { "" } else { "/" };
    let url = Url::parse(&format!("{prefix}{slash}{path}")).map_err(|error| CallError::Url(error.to_string()))?;
    if url.origin() == base.origin() { Ok(url) } else { Err(CallError::Url("it leads to another host".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_systems_origin() {
        let base = Url::parse("https://api.example.com/v1/").expect("a URL");
        assert_eq!(
            join(&base, "/contacts/1?x=2").expect("joins").as_str(),
            "https://api.example.com/v1/contacts/1?x=2"
        );
        let bare = Url::parse("https://api.example.com").expect("a URL");
        for path in [".evil.test/", "@evil.test/", ":81/"] {
            let url = join(&bare, path);
            assert!(url.as_ref().map_or(true, |url| url.host_str() == Some("api.example.com")), "{path} {url:?}");
        }
    }
}
