//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use super::ServeLimits;

#[derive(Default)]
struct Counts {
    /// Without those from this machine.
    remote: usize,
    loopback: usize,
    per_ip: HashMap<IpAddr, usize>,
}

#[derive(Clone)]
pub(super) struct Admission {
    max_connections: usize,
    max_per_ip: usize,
    max_loopback: usize,
    counts: Arc<Mutex<Counts>>,
}

/// A place among the connections, given back when dropped.
pub(super) struct Permit {
    admission: Admission,
    ip: IpAddr,
}

impl Admission {
    pub(super) fn new(limits: &ServeLimits) -> Self {
        Self {
            max_connections: limits.max_connections,
            max_per_ip: limits.max_per_ip,
            max_loopback: limits.max_loopback,
            counts: Arc::default(),
        }
    }

    pub(super) fn admit(&self, ip: IpAddr) -> Option<Permit> {
        let ip = ip.to_canonical();
        let mut counts = self.counts.lock();
        if ip.is_loopback() {
            if counts.loopback >= self.max_loopback {
                return None;
            }
            counts.loopback += 1;
        } else {
            let from_ip = counts.per_ip.get(&ip).copied().unwrap_or(0);
            if counts.remote >= self.max_connections || from_ip >= self.max_per_ip {
                return None;
            }
            counts.remote += 1;
            counts.per_ip.insert(ip, from_ip + 1);
        }
        Some(Permit { admission: self.clone(), ip })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.admission.counts.lock();
        if self.ip.is_loopback() {
            counts.loopback = counts.loopback.saturating_sub(1);
            return;
        }
        counts.remote = counts.remote.saturating_sub(1);
        match counts.per_ip.get_mut(&self.ip) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                counts.per_ip.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_cannot_take_all_places() {
        let limits = ServeLimits { max_connections: 3, max_per_ip: 2, max_loopback: 1, ..ServeLimits::default() };
        let admission = Admission::new(&limits);
        let first = admission.admit(ip("192.0.2.1"));
        let second = admission.admit(ip("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(admission.admit(ip("192.0.2.1")).is_none());
        let third = admission.admit(ip("192.0.2.2"));
        assert!(third.is_some());
        assert!(admission.admit(ip("192.0.2.3")).is_none(), "all places are taken");
        let local = admission.admit(ip("127.0.0.1"));
        assert!(local.is_some() && admission.admit(ip("::1")).is_none());
        drop((first, second, third, local));
        assert!(admission.admit(ip("192.0.2.1")).is_some());
        assert!(admission.counts.lock().per_ip.is_empty(), "nothing is left of those that went");
    }
}
