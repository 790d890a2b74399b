//! Everything that crosses the network: the hardened accept loop, the only outbound HTTP client with its address
//! policy, and the signature schemes, inbound and outbound.

pub mod address;
pub mod auth;
pub mod client;
pub mod doctor;
pub mod quota;
pub mod retry_after;
pub mod serve;
pub mod url_policy;
pub mod verify;

pub use client::{Answer, Client, Outbound, SendError};
pub use serve::{ServeLimits, read_body, serve};
pub use verify::{Incoming, Refusal, Verified, Verifier, sign};
