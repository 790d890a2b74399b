//! A request to this program's own listener would come back as an event for ever.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use url::Url;

use super::SendError;
use super::resolve::{Resolve, look_up};
use crate::url_policy::{self, AddressRefused};

/// Names are resolved only where the port is one of ours, which is rare.
pub(super) async fn refuse(url: &Url, listeners: &[SocketAddr], resolver: &dyn Resolve) -> Result<(), SendError> {
    let Some(port) = url.port_or_known_default() else { return Ok(()) };
    if !listeners.iter().any(|listener| listener.port() == port) {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    let addresses = match url_policy::literal(url) {
        Some(address) => vec![SocketAddr::new(address, port)],
        None => look_up(resolver, host, port).await?,
    };
    for address in addresses {
        let ip = address.ip().to_canonical();
        if listeners.iter().any(|listener| listener.port() == port && reaches(ip, listener.ip().to_canonical())) {
            return Err(AddressRefused::OwnListener { host: host.to_owned(), address: ip }.into());
        }
    }
    Ok(())
}

/// A listener on the unspecified address answers at every address of this machine.
fn reaches(address: IpAddr, listener: IpAddr) -> bool {
    address == listener || (listener.is_unspecified() && is_of_this_machine(address))
}

/// Only an address of one's own can be bound.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_those_of_this_machine_only() {
        let any: IpAddr = "0.0.0.0".parse().unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(reaches("127.8.8.8".parse().unwrap(), any));
        assert!(!reaches("192.0.2.1".parse().unwrap(), any));
        assert!(reaches(loopback, loopback));
        assert!(!reaches("127.0.0.2".parse().unwrap(), loopback));
    }
}
