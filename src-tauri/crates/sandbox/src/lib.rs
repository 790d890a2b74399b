//! The sandbox: a simulated Salesforce, HubSpot and custom CRM on this computer, with dials that break them and a
//! ledger of what arrived. The first run, the demo and the test bench all use it.
//!
//! Everything follows one seed: the contacts, their changes, the faults and the credentials. The listeners are bound
//! to 127.0.0.1; nothing here reaches another computer.

mod crm;
mod dials;
mod faults;
mod front;
mod hubspot;
mod port;
mod post;
mod prng;
mod query;
mod received;
mod records;
mod salesforce;
mod sandbox;
mod secrets;
mod workspace;

pub use faults::{
    Faults, FaultsError, FaultsPatch, MAX_LATENCY_MS, MAX_RETRY_AFTER_S, PER_SECOND, Rate429, Rate429Patch, Share,
};
pub use received::{MAX_ITEMS, Received, ReceivedItem};
pub use salesforce::Sent;
pub use sandbox::{Ports, Sandbox, SandboxConfig, SandboxError};
pub use workspace::{CASE_STUDY, WorkspaceError};
