//! Small tools over sqlx: positional arguments, typed columns, statements for many rows.

use std::sync::{Arc, OnceLock};

use signalbox_model::{
    AttemptId, DeliveryId, DeliveryState, DiscardId, EventId, FailureKind, GroupId, RejectedId, ReplayId, Stage,
    Timestamp,
};
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Row, Sqlite};

use super::fault::{Fault, Outcome};
use crate::{LaneId, StoreError};

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

/// A statement's text: written here, or built of parts that are written here.
pub(super) fn safe(text: impl Into<String>) -> AssertSqlSafe<String> {
    AssertSqlSafe(text.into())
}

pub(super) async fn execute(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<u64> {
    Ok(sqlx::query_with(sql, args.done()?).execute(conn).await?.rows_affected())
}

pub(super) async fn rows(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<Vec<SqliteRow>> {
    Ok(sqlx::query_with(sql, args.done()?).fetch_all(conn).await?)
}

pub(super) async fn optional(conn: &mut SqliteConnection, sql: &'static str, args: Args) -> Outcome<Option<SqliteRow>> {
    Ok(sqlx::query_with(sql, args.done()?).fetch_optional(conn).await?)
}

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

pub(super) fn corrupt(what: &str) -> Fault {
    Fault::Refused(StoreError::Corrupt(format!("{what} is not as it was written")))
}

/// Row counts for which a statement is prepared: few, so that all of them stay in the statement cache.
const SIZES: [usize; 5] = [128, 32, 8, 2, 1];

/// A statement over many rows: `head`, then `(?, …), (?, …)`, then `tail`.
pub(super) struct Many {
    head: &'static str,
    tail: &'static str,
    columns: usize,
    texts: [OnceLock<Arc<str>>; SIZES.len()],
}

impl Many {
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, tail, columns, texts: [const { OnceLock::new() }; SIZES.len()] }
    }

    fn text(&self, size: usize) -> Arc<str> {
        let build = || -> Arc<str> {
            let row = format!("({})", vec!["?"; self.columns].join(","));
            format!("{} {} {}", self.head, vec![row.as_str(); size].join(","), self.tail).into()
        };
        let at = SIZES.iter().position(|known| *known == size);
        match at.and_then(|at| self.texts.get(at)) {
            Some(text) => Arc::clone(text.get_or_init(build)),
            None => build(),
        }
    }

    /// Exactly these rows, in as few statements as the prepared sizes allow. Answers the rows affected.
    pub async fn insert<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<u64> {
        let mut rest = rows;
        let mut affected = 0;
        while !rest.is_empty() {
            let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
            let (now, later) = rest.split_at(size);
            rest = later;
            let arguments = self.arguments(now, size, &bind)?;
            affected +=
                sqlx::query_with(AssertSqlSafe(self.text(size)), arguments).execute(&mut *conn).await?.rows_affected();
        }
        Ok(affected)
    }

    /// For statements that join the rows: arguments that are not bound are NULL and match nothing, so that the next
    /// larger prepared size serves.
    pub async fn query<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<Vec<SqliteRow>> {
        let mut answers = Vec::new();
        let largest = SIZES.first().copied().unwrap_or(1);
        for now in rows.chunks(largest) {
            let size = SIZES.into_iter().rev().find(|size| *size >= now.len()).unwrap_or(largest);
            let arguments = self.arguments(now, size, &bind)?;
            answers.extend(sqlx::query_with(AssertSqlSafe(self.text(size)), arguments).fetch_all(&mut *conn).await?);
        }
        Ok(answers)
    }

    /// As [`Many::query`], for statements that answer nothing. Answers the rows affected.
    pub async fn update<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<u64> {
        let mut affected = 0;
        let largest = SIZES.first().copied().unwrap_or(1);
        for now in rows.chunks(largest) {
            let size = SIZES.into_iter().rev().find(|size| *size >= now.len()).unwrap_or(largest);
            let arguments = self.arguments(now, size, &bind)?;
            affected +=
                sqlx::query_with(AssertSqlSafe(self.text(size)), arguments).execute(&mut *conn).await?.rows_affected();
        }
        Ok(affected)
    }

    fn arguments<R>(&self, rows: &[R], size: usize, bind: &impl Fn(&mut Args, &R)) -> Outcome<SqliteArguments> {
        let mut args = Args::default();
        args.inner.reserve(size * self.columns, 0);
        for row in rows {
            bind(&mut args, row);
        }
        args.done()
    }
}

/// Rows that keep later ones of their key waiting; word for word as in the index.
macro_rules! blocks {
    () => {
        "key IS NOT NULL AND (state IN ('queued', 'sending', 'retrying', 'held') OR (state = 'dead' AND park = 1))"
    };
}

/// The row of a key that is on its way; word for word as in the index.
macro_rules! active {
    () => {
        "key IS NOT NULL AND state IN ('queued', 'retrying', 'sending')"
    };
}

pub(super) use {active, blocks};
