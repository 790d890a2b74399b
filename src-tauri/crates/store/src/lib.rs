//! The ledger: small traits per aggregate, what a commit tells its observer, and the SQLite implementation.
//!
//! Every write is one command to one writer, which commits commands in batches and answers each after the commit.
//! A command answers with what happened, as a type, never with a bool.

pub mod delivery;
pub mod error;
pub mod event;
pub mod lane;
pub mod observe;
pub mod read;
pub mod replay;
pub mod series;
pub mod sqlite;

use std::future::Future;
use std::pin::Pin;

pub use delivery::Deliveries;
pub use error::StoreError;
pub use event::Events;
pub use lane::{Lane, LaneId, Lanes};
pub use observe::{Change, Observer};
pub use read::Reads;
pub use replay::Replays;
pub use series::SeriesStore;

/// What a store's method returns: boxed, so that the runtime holds `Arc<dyn Store>`.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Everything that the runtime needs of a ledger.
pub trait Store: Lanes + Events + Deliveries + Replays + Reads + SeriesStore {}

impl<S: Lanes + Events + Deliveries + Replays + Reads + SeriesStore> Store for S {}
