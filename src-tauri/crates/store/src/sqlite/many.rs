//! One statement for many rows.

use std::sync::{Arc, OnceLock};

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};

use super::args::Args;
use super::fault::Outcome;

// The hot path's statements are `OR FAIL`: whoever gets an error rolls the transaction or the savepoint back, so SQLite need
// not copy each page before a statement of many rows changes it.

/// Row counts for which a statement is prepared: few, so that all of them stay in the statement cache. Fewer rows than
/// that are filled up with NULLs, which cost less than a statement more.
const SIZES: [usize; 5] = [2, 8, 32, 64, 128];
const LARGEST: usize = 128;

/// A statement over many rows: `head`, then `(?, …), (?, …)`, then `tail`. A row of NULLs does nothing: an INSERT takes
/// the rows whose first column is not NULL, any other statement joins the rows with what it looks for.
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

    /// The statement for at least so many rows, and for how many it is.
    fn text(&self, rows: usize) -> (Arc<str>, usize) {
        let at = SIZES.iter().position(|size| *size >= rows).unwrap_or(SIZES.len() - 1);
        let size = SIZES.get(at).copied().unwrap_or(LARGEST);
        let build = || -> Arc<str> {
            let row = format!("({})", vec!["?"; self.columns].join(","));
            let rows = vec![row.as_str(); size].join(",");
            let (head, tail) = (self.head, self.tail);
            match head.strip_suffix("VALUES").filter(|head| head.starts_with("INSERT")) {
                Some(into) => format!("{into} SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL {tail}").into(),
                None => format!("{head} {rows} {tail}").into(),
            }
        };
        match self.texts.get(at) {
            Some(text) => (Arc::clone(text.get_or_init(build)), size),
            None => (build(), size),
        }
    }

    /// The statements for all rows, with their arguments.
    ///
    /// With `least`, for at least so many rows each: so that fewer scripts of several statements differ.
    pub fn each<R>(
        &self,
        rows: &[R],
        least: usize,
        args: &mut Args,
        bind: impl Fn(&mut Args, &R),
        mut take: impl FnMut(Arc<str>),
    ) {
        for now in rows.chunks(LARGEST) {
            let (text, size) = self.text(now.len().max(least));
            args.reserve(size * self.columns);
            for row in now {
                bind(args, row);
            }
            args.nulls((size - now.len()) * self.columns);
            take(text);
        }
    }

    /// Answers the rows affected.
    pub async fn insert<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<u64> {
        let mut affected = 0;
        for now in rows.chunks(LARGEST) {
            let (text, arguments) = self.one(now, &bind)?;
            affected += sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut *conn).await?.rows_affected();
        }
        Ok(affected)
    }

    /// For statements that answer with rows.
    pub async fn query<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<Vec<SqliteRow>> {
        let mut answers = Vec::new();
        for now in rows.chunks(LARGEST) {
            let (text, arguments) = self.one(now, &bind)?;
            answers.extend(sqlx::query_with(AssertSqlSafe(text), arguments).fetch_all(&mut *conn).await?);
        }
        Ok(answers)
    }

    /// As [`Many::insert`], for statements that change what is there.
    pub async fn update<R>(
        &self,
        conn: &mut SqliteConnection,
        rows: &[R],
        bind: impl Fn(&mut Args, &R),
    ) -> Outcome<u64> {
        self.insert(conn, rows, bind).await
    }

    fn one<R>(&self, rows: &[R], bind: &impl Fn(&mut Args, &R)) -> Outcome<(Arc<str>, SqliteArguments)> {
        let (text, size) = self.text(rows.len());
        let mut args = Args::with_capacity(size * self.columns);
        for row in rows {
            bind(&mut args, row);
        }
        // What is not bound is NULL.
        Ok((text, args.done()?))
    }
}
