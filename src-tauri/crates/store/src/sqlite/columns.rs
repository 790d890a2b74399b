//! Columns of a row, by position.

use bytes::Bytes;
use signalbox_model::{DeliveryId, DeliveryState, FailureKind, Stage, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::args::Id;
use super::fault::{Fault, Outcome};
use crate::{LaneId, StoreError};

/// Columns by position.
pub(super) trait Columns {
    fn get_int(&self, at: usize) -> Outcome<i64>;
    fn get_opt_int(&self, at: usize) -> Outcome<Option<i64>>;
    fn get_real(&self, at: usize) -> Outcome<f64>;
    fn get_text(&self, at: usize) -> Outcome<String>;
    fn get_opt_text(&self, at: usize) -> Outcome<Option<String>>;
    fn get_blob(&self, at: usize) -> Outcome<Vec<u8>>;
    fn get_opt_blob(&self, at: usize) -> Outcome<Option<Vec<u8>>>;

    fn get_u64(&self, at: usize) -> Outcome<u64> {
        Ok(u64::try_from(self.get_int(at)?).unwrap_or(0))
    }

    fn get_opt_u64(&self, at: usize) -> Outcome<Option<u64>> {
        Ok(self.get_opt_int(at)?.map(|value| u64::try_from(value).unwrap_or(0)))
    }

    fn get_u32(&self, at: usize) -> Outcome<u32> {
        u32::try_from(self.get_int(at)?).map_err(|_| corrupt("a count"))
    }

    fn get_status(&self, at: usize) -> Outcome<Option<u16>> {
        self.get_opt_int(at)?.map(|status| u16::try_from(status).map_err(|_| corrupt("a status"))).transpose()
    }

    fn get_flag(&self, at: usize) -> Outcome<bool> {
        Ok(self.get_int(at)? != 0)
    }

    fn get_time(&self, at: usize) -> Outcome<Timestamp> {
        self.get_int(at).map(Timestamp::from_micros)
    }

    fn get_opt_time(&self, at: usize) -> Outcome<Option<Timestamp>> {
        Ok(self.get_opt_int(at)?.map(Timestamp::from_micros))
    }

    fn get_lane(&self, at: usize) -> Outcome<LaneId> {
        self.get_int(at).map(LaneId)
    }

    fn get_id<I: Id>(&self, at: usize) -> Outcome<I> {
        I::read(&self.get_blob(at)?).ok_or_else(|| corrupt("an id"))
    }

    fn get_opt_id<I: Id>(&self, at: usize) -> Outcome<Option<I>> {
        self.get_opt_blob(at)?.map(|bytes| I::read(&bytes).ok_or_else(|| corrupt("an id"))).transpose()
    }

    /// Bytes that have the sum which they were written with; rows of older schemas have none.
    fn get_whole(&self, body: usize, sum: usize, wanted: impl Fn(&[u8]) -> [u8; 32]) -> Outcome<Bytes> {
        let (body, sum) = (self.get_blob(body)?, self.get_opt_blob(sum)?);
        match sum {
            Some(sum) if sum != wanted(&body) => Err(corrupt("a body")),
            _ => Ok(Bytes::from(body)),
        }
    }

    fn get_state(&self, at: usize) -> Outcome<DeliveryState> {
        DeliveryState::parse(&self.get_text(at)?).ok_or_else(|| corrupt("a state"))
    }

    fn get_kind(&self, at: usize) -> Outcome<Option<FailureKind>> {
        self.get_opt_text(at)?.map(|kind| FailureKind::parse(&kind).ok_or_else(|| corrupt("a kind"))).transpose()
    }

    fn get_stage(&self, at: usize) -> Outcome<Option<Stage>> {
        self.get_opt_text(at)?.map(|stage| Stage::parse(&stage).ok_or_else(|| corrupt("a stage"))).transpose()
    }

    fn get_pairs(&self, at: usize) -> Outcome<Vec<(String, String)>> {
        serde_json::from_str(&self.get_text(at)?).map_err(|_| corrupt("a list of headers"))
    }
}

impl Columns for SqliteRow {
    fn get_int(&self, at: usize) -> Outcome<i64> {
        Ok(self.try_get(at)?)
    }

    fn get_opt_int(&self, at: usize) -> Outcome<Option<i64>> {
        Ok(self.try_get(at)?)
    }

    fn get_real(&self, at: usize) -> Outcome<f64> {
        Ok(self.try_get(at)?)
    }

    fn get_text(&self, at: usize) -> Outcome<String> {
        Ok(self.try_get(at)?)
    }

    fn get_opt_text(&self, at: usize) -> Outcome<Option<String>> {
        Ok(self.try_get(at)?)
    }

    fn get_blob(&self, at: usize) -> Outcome<Vec<u8>> {
        Ok(self.try_get(at)?)
    }

    fn get_opt_blob(&self, at: usize) -> Outcome<Option<Vec<u8>>> {
        Ok(self.try_get(at)?)
    }
}

/// Of a revision: says to which delivery and number the bytes belong, too.
pub(super) fn sum(delivery: DeliveryId, number: u32, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&delivery.to_bytes()).update(&number.to_be_bytes()).update(body);
    *hasher.finalize().as_bytes()
}

pub(super) fn corrupt(what: &str) -> Fault {
    Fault::Refused(StoreError::Corrupt(format!("{what} is not as it was written")))
}
