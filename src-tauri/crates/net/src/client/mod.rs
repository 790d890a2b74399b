//! The only way out: one HTTP client for every request that leaves, with the address policy, one deadline and a cap on
//! the answer.
//!
//! It follows no redirects, takes no proxy from the environment, keeps no cookies and decompresses nothing. It sends a
//! request once; trying again is the dispatcher's business.

mod answer;
mod body;
mod error;
mod own;
mod pool;
mod resolve;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Method};
use tokio::time::Instant;
use url::Url;

use crate::address::AddressPolicy;
use crate::url_policy::{self, AddressRefused};
pub use answer::Answer;
use body::{Progress, WatchedBody};
pub use error::{Phase, SendError};
use pool::Pool;
pub use resolve::{Resolve, SystemResolver};

/// The addresses at which this program itself listens, asked anew for every request: they change when listeners do.
pub type OwnListeners = Arc<dyn Fn() -> Vec<SocketAddr> + Send + Sync>;

const MAX_IDLE_PER_HOST: usize = 64;
/// Below the 60 s after which many servers close an idle connection, so that we close first.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// A connection is not used again when it is older, however busy it is.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(300);
const USER_AGENT: &str = concat!("Signalbox/", env!("CARGO_PKG_VERSION"));

/// What the connection itself says; a template must not contradict it.
const CONNECTION_HEADERS: [HeaderName; 9] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::UPGRADE,
    header::TE,
    header::TRAILER,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
];

/// One request as it is to go out.
#[derive(Clone, Debug)]
pub struct Outbound {
    pub method: Method,
    pub url: String,
    /// Those that belong to the connection (`Host`, `Content-Length` and the like) are set by the client itself.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The system's `allow_private`.
    pub allow_private: bool,
    /// One deadline for name resolution, connect, sending and the whole answer.
    pub timeout: Duration,
    /// The most bytes of the answer's body that are read.
    pub response_cap: usize,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct ClientError(#[source] reqwest::Error);

pub struct Client {
    resolver: Arc<dyn Resolve>,
    own_listeners: OwnListeners,
    /// Public addresses, https.
    strict: Pool,
    /// Private addresses too, https.
    private: Pool,
    /// Private addresses too, plain http: needs no certificates.
    plain: Pool,
}

impl Client {
    /// Fast: the machine's certificates are loaded with the first https request, and their absence is that request's error.
    pub fn new(resolver: Arc<dyn Resolve>, own_listeners: OwnListeners) -> Result<Self, ClientError> {
        Self::with_lifetime(resolver, own_listeners, CONNECTION_LIFETIME)
    }

    fn with_lifetime(
        resolver: Arc<dyn Resolve>,
        own_listeners: OwnListeners,
        lifetime: Duration,
    ) -> Result<Self, ClientError> {
        let make = |allow_private| {
            let resolver = Arc::clone(&resolver);
            move || builder(&resolver, AddressPolicy { allow_private })
        };
        let plain = make(true);
        let plain = move || plain().tls_certs_only([]).http1_only();
        // What is wrong with the settings is said at the start, not by the first request.
        plain().build().map_err(ClientError)?;
        let https = |allow_private| {
            let make = make(allow_private);
            Pool::new(lifetime, move || make().https_only(true))
        };
        let (strict, private, plain) = (https(false), https(true), Pool::new(lifetime, plain));
        Ok(Self { resolver, own_listeners, strict, private, plain })
    }

    /// Sends the request once.
    pub async fn send(&self, outbound: Outbound) -> Result<Answer, SendError> {
        let started = Instant::now();
        let timeout = outbound.timeout;
        let policy = AddressPolicy { allow_private: outbound.allow_private };
        let url = url_policy::check(&outbound.url, policy)?;
        let progress = Arc::new(Progress::default());
        let exchange = self.exchange(outbound, url, policy, &progress, started);
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(error::too_late(&progress, timeout)),
        }
    }

    async fn exchange(
        &self,
        outbound: Outbound,
        url: Url,
        policy: AddressPolicy,
        progress: &Arc<Progress>,
        started: Instant,
    ) -> Result<Answer, SendError> {
        own::refuse(&url, &(self.own_listeners)(), self.resolver.as_ref()).await?;
        let client = self.client(&url, policy).await?;
        let mut headers = outbound.headers;
        for name in &CONNECTION_HEADERS {
            headers.remove(name);
        }
        if outbound.body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&outbound.method) {
            // RFC 9110 §8.6: an empty body of these methods is said, not left out.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = reqwest::Request::new(outbound.method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = Some(reqwest::Body::wrap(WatchedBody::new(outbound.body, Arc::clone(progress))));
        let response = client.execute(request).await.map_err(|error| error::judge(error, progress))?;
        progress.answered(response.status().as_u16());
        let peer = response.remote_addr();
        if let Some(peer) = peer {
            // The resolver has refused it already; a connection that got round it must not go on.
            url_policy::check_address(response.url().host_str().unwrap_or_default(), peer.ip(), policy)?;
        }
        answer::read(response, peer, outbound.response_cap, progress, started).await
    }

    async fn client(&self, url: &Url, policy: AddressPolicy) -> Result<reqwest::Client, SendError> {
        let pool = match (url.scheme(), policy.allow_private) {
            ("http", _) => &self.plain,
            (_, true) => &self.private,
            (_, false) => &self.strict,
        };
        pool.client().await
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the client that all others are to go through")]
fn builder(resolver: &Arc<dyn Resolve>, policy: AddressPolicy) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .dns_resolver(resolve::Guard::new(Arc::clone(resolver), policy))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .user_agent(USER_AGENT)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_max_header_list_size(answer::MAX_HEADER_BYTES as u32)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
}

impl From<AddressRefused> for SendError {
    fn from(refused: AddressRefused) -> Self {
        Self::Refused(refused)
    }
}
