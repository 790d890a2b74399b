//! Several deliveries in one request, and one outcome for each.
//!
//! | part | what it does |
//! |---|---|
//! | `compose` | which rows go together, in which order, under which idempotency key; the request they make |
//! | `record` | a record as the presets see it, and what an answer says of it |
//! | `hubspot`, `salesforce`, `custom` | from an answer to one outcome per record |
//! | `judge` | from an answer to the end of each delivery's attempt |
//! | `linger`, `send` | when a lane's batch goes, and how |
//!
//! A delivery stays one row with its own retry state. Rows of one key never meet in a batch, since only the first of a
//! key is ready.

mod compose;
mod custom;
mod hubspot;
mod judge;
mod linger;
mod record;
mod salesforce;
mod send;

/// The most of a batch's answer that is read: vendors repeat every record in it.
const RESPONSE_MAX: usize = 8 << 20;

pub use linger::Linger;
