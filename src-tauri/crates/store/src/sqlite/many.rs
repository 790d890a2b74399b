//! One statement for many rows.

use std::sync::{Arc, OnceLock};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};

use super::args::Args;
use super::fault::Outcome;

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
        let mut args = Args::with_capacity(size * self.columns);
        for row in rows {
            bind(&mut args, row);
        }
        args.done()
    }
}
