//! The runtime: sources hand inputs to accept, dispatch sends what the ledger holds, signals count what commits say.
//!
//! The way of an event through this crate: `sources` → `accept` (→ `steps`) → the store → `dispatch` (→ `connect`,
//! `dispatch::outcome`) → the store → `signals`. `replay` puts dead letters back onto the same way.

pub mod accept;
mod background;
pub mod connect;
mod diff;
pub mod dispatch;
mod explain;
mod fingerprint;
pub mod gates;
pub mod hops;
mod lineage;
mod masked;
mod patience;
mod reading;
pub mod replay;
mod runtime;
pub mod signals;
pub mod sources;
pub mod steps;
mod trace;
pub mod view;

pub use runtime::{Parts, Runtime};
