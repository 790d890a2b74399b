//! The words of the product as types: ids, times, states, failure kinds, policies.
//!
//! Everything here is pure. The seams [`Clock`] and [`Random`] are declared here so that every other crate takes
//! time and chance as parameters; their system implementations live in the composition root's reach and tests bring
//! their own.

pub mod auth;
pub mod breaker;
pub mod filter;
pub mod id;
pub mod jwt;
pub mod kind;
pub mod limits;
pub mod organization;
pub mod outcome;
pub mod replay;
pub mod retry;
pub mod seam;
pub mod secret;
pub mod state;
pub mod time;
pub mod units;
pub mod verify;

pub use id::{AttemptId, DeliveryId, DiscardId, EventId, GroupId, IdSource, RejectedId, ReplayId};
pub use kind::{FailureKind, Stage};
pub use seam::{Clock, Random, SystemClock};
pub use secret::SecretName;
pub use state::{DeliveryState, HeldReason};
pub use time::Timestamp;
