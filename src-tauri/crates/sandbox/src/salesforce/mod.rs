//! The simulated Salesforce: an org whose contacts change, told to Signalbox as an Apex callout would, and the REST
//! routes of its contacts.

mod collections;
mod contact;
mod org;
mod rest;
mod sender;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use signalbox_model::Clock;

use self::org::Org;
pub(crate) use self::sender::Sender;
pub use self::sender::Sent;
use crate::dials::Dials;
use crate::secrets::Secrets;

pub(crate) struct Salesforce {
    clock: Arc<dyn Clock>,
    dials: Arc<Dials>,
    secrets: Secrets,
    org: Mutex<Org>,
    /// Calls of the REST API, told in `Sforce-Limit-Info`.
    calls: AtomicU64,
    /// `http://127.0.0.1:port`, which the token route hands out.
    instance_url: String,
}

impl Salesforce {
    pub fn new(seed: u64, clock: Arc<dyn Clock>, dials: Arc<Dials>, instance_url: String) -> Self {
        let org = Mutex::new(Org::new(seed, clock.now()));
        Self { clock, dials, secrets: Secrets::new(seed), org, calls: AtomicU64::new(0), instance_url }
    }

    pub fn records(&self) -> (usize, String) {
        self.org.lock().records()
    }
}
