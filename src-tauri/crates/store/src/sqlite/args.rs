//! Arguments of a statement, by position.

use signalbox_model::{AttemptId, DeliveryId, DiscardId, EventId, GroupId, RejectedId, ReplayId, Timestamp};
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Sqlite};

use super::fault::{Fault, Outcome};
use crate::LaneId;

/// Ids as the 16 bytes that are stored.
pub(super) trait Id: Sized + Copy {
    fn bytes(self) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Id for $name {
            fn bytes(self) -> Vec<u8> {
                self.to_bytes().to_vec()
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                Self::from_slice(bytes)
            }
        }
    )*};
}
ids!(AttemptId DeliveryId DiscardId EventId GroupId RejectedId ReplayId);

/// Arguments in the order of the statement's `?`.
#[derive(Default)]
pub(super) struct Args {
    inner: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Args {
    pub fn with_capacity(values: usize) -> Self {
        let mut args = Self::default();
        args.reserve(values);
        args
    }

    pub fn reserve(&mut self, values: usize) {
        self.inner.reserve(values, 0);
    }

    pub fn nulls(&mut self, many: usize) {
        for _ in 0..many {
            self.add(None::<i64>);
        }
    }

    fn add<'t, T: sqlx::Encode<'t, Sqlite> + sqlx::Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.inner.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }

    pub fn id<I: Id>(&mut self, id: I) -> &mut Self {
        self.add(id.bytes())
    }

    pub fn opt_id<I: Id>(&mut self, id: Option<I>) -> &mut Self {
        self.add(id.map(Id::bytes))
    }

    pub fn lane(&mut self, lane: LaneId) -> &mut Self {
        self.add(lane.0)
    }

    pub fn time(&mut self, at: Timestamp) -> &mut Self {
        self.add(at.as_micros())
    }

    pub fn opt_time(&mut self, at: Option<Timestamp>) -> &mut Self {
        self.add(at.map(Timestamp::as_micros))
    }

    pub fn int(&mut self, value: impl Into<i64>) -> &mut Self {
        self.add(value.into())
    }

    pub fn opt_int(&mut self, value: Option<impl Into<i64>>) -> &mut Self {
        self.add(value.map(Into::into))
    }

    /// Counts beyond 2^63 do not happen; one that did would be stored as the largest.
    pub fn count(&mut self, value: u64) -> &mut Self {
        self.add(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub fn opt_count(&mut self, value: Option<u64>) -> &mut Self {
        self.add(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
    }

    pub fn real(&mut self, value: f64) -> &mut Self {
        self.add(value)
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.add(text.to_owned())
    }

    pub fn owned(&mut self, text: String) -> &mut Self {
        self.add(text)
    }

    pub fn opt_text(&mut self, text: Option<&str>) -> &mut Self {
        self.add(text.map(str::to_owned))
    }

    pub fn blob(&mut self, bytes: &[u8]) -> &mut Self {
        self.add(bytes.to_vec())
    }

    pub fn opt_blob(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        self.add(bytes.map(<[u8]>::to_vec))
    }

    /// A list of pairs as JSON.
    pub fn pairs(&mut self, pairs: &[(String, String)]) -> &mut Self {
        match serde_json::to_string(pairs) {
            Ok(text) => self.add(text),
            Err(error) => {
                self.failed.get_or_insert(error.into());
                self.add(String::new())
            }
        }
    }

    pub fn done(self) -> Outcome<SqliteArguments> {
        match self.failed {
            None => Ok(self.inner),
            Some(error) => Err(Fault::Sql(sqlx::Error::Encode(error))),
        }
    }
}
