//! Figures per lane and bucket, kept so that charts survive a restart.

use signalbox_model::Timestamp;

use crate::{LaneId, StoreFuture};

/// Width of a bucket.
pub const BUCKET_SECONDS: i64 = 30;

pub trait SeriesStore: Send + Sync {
    /// Upserts whole rows; a row that is saved again replaces itself.
    fn save_series(&self, rows: Vec<SeriesRow>) -> StoreFuture<'_, ()>;
    /// Buckets in `from..to`, oldest first.
    fn load_series(&self, from: Timestamp, to: Timestamp) -> StoreFuture<'_, Vec<SeriesRow>>;
    /// Removes buckets older than `before`.
    fn prune_series(&self, before: Timestamp) -> StoreFuture<'_, u64>;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeriesRow {
    /// Start of the bucket, seconds since the epoch, a multiple of [`BUCKET_SECONDS`].
    pub bucket: i64,
    pub lane: LaneId,
    /// Deliveries created.
    pub accepted: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub dead: u64,
    /// Failed attempts in the order of `FailureKind::ALL`.
    pub failures: [u64; 7],
    pub queue_depth: Option<u64>,
    pub oldest_age_ms: Option<u64>,
    /// HdrHistogram V2 of accept → confirmed, milliseconds; empty: none.
    pub latency: Vec<u8>,
}
