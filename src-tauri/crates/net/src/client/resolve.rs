//! Name resolution with the address policy inside: the addresses that were judged are those that are dialled.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolving};

use super::SendError;
use super::error::Phase;
use crate::address::AddressPolicy;
use crate::url_policy::{self, AddressRefused};

const TIMEOUT: Duration = Duration::from_secs(5);
/// More answers than this are a trick.
const MAX_ADDRESSES: usize = 16;

/// The seam to the world's names.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, each with `port` (0 where it is not known).
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

async fn bounded(resolver: &dyn Resolve, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(TIMEOUT, resolver.resolve(host, port))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("no answer for {host} within 5 s")))??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")));
    }
    Ok(found)
}

/// For the client's own questions; the policy is not applied.
pub(super) async fn look_up(resolver: &dyn Resolve, host: &str, port: u16) -> Result<Vec<SocketAddr>, SendError> {
    bounded(resolver, host, port).await.map_err(|error| SendError::Network {
        phase: Phase::Resolve,
        message: format!("the name of the system cannot be resolved: {error}"),
    })
}

/// One denied address among the answers refuses the name: which of them is dialled is not ours to choose.
fn judged(host: &str, found: &[SocketAddr], policy: AddressPolicy) -> Result<(), AddressRefused> {
    if found.len() > MAX_ADDRESSES {
        return Err(AddressRefused::TooManyAddresses { host: host.to_owned(), limit: MAX_ADDRESSES });
    }
    found.iter().try_for_each(|address| url_policy::check_address(host, address.ip(), policy))
}

/// What the HTTP client resolves names by.
pub(super) struct Guard {
    resolver: Arc<dyn Resolve>,
    policy: AddressPolicy,
}

impl Guard {
    pub(super) fn new(resolver: Arc<dyn Resolve>, policy: AddressPolicy) -> Self {
        Self { resolver, policy }
    }
}

impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.resolver);
        let policy = self.policy;
        Box::pin(async move {
            // The port is not known here and comes from the URL.
            let found = bounded(resolver.as_ref(), name.as_str(), 0).await?;
            judged(name.as_str(), &found, policy)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_denied_address_refuses_the_whole_name() {
        let strict = AddressPolicy { allow_private: false };
        let addresses = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        assert!(judged("a", &addresses(&["93.184.215.14:0", "[2606:4700::1111]:0"]), strict).is_ok());
        for denied in ["127.0.0.1:0", "[::1]:0", "[::ffff:10.0.0.1]:0", "169.254.169.254:0", "[fe80::1]:0"] {
            let refused = judged("a", &addresses(&["93.184.215.14:0", denied]), strict).unwrap_err();
            assert_eq!(refused.code(), "address-refused", "{denied}");
        }
        let many = vec!["93.184.215.14:0".parse().unwrap(); 17];
        assert_eq!(judged("a", &many, strict).unwrap_err().code(), "too-many-addresses");
    }
}
