//! Several statements in one call.
//!
//! A call to the connection's thread costs two switches of threads and a channel, more than many a statement does by
//! itself. The hot commands put all statements that do not wait for an answer of each other into one script. Its text
//! is the key of the statement cache, so scripts are made of few sizes of few statements (see [`Many`]).

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Either, Executor};

use super::args::Args;
use super::fault::Outcome;
use super::many::Many;

/// Statements in their order, with their arguments.
#[derive(Default)]
pub(super) struct Script {
    text: String,
    args: Args,
    statements: usize,
    /// The most rows of a statement so far.
    rows: usize,
}

/// Which statements of a script one question was made of.
#[derive(Clone, Copy)]
pub(super) struct Part {
    from: usize,
    to: usize,
}

impl Script {
    /// One statement; its arguments go to [`Script::args`] right after.
    pub fn add(&mut self, sql: &str) -> Part {
        let from = self.statements;
        self.text.push_str(sql);
        self.text.push_str(";\n");
        self.statements += 1;
        Part { from, to: self.statements }
    }

    pub fn args(&mut self) -> &mut Args {
        &mut self.args
    }

    /// A statement over many rows; no rows, no statement.
    pub fn many<R>(&mut self, many: &Many, rows: &[R], bind: impl Fn(&mut Args, &R)) -> Part {
        let from = self.statements;
        self.rows = self.rows.max(rows.len());
        let Self { text, args, statements, rows: least } = self;
        many.each(rows, *least, args, bind, |sql| {
            text.push_str(&sql);
            text.push_str(";\n");
            *statements += 1;
        });
        Part { from, to: self.statements }
    }

    /// Ends at the first error, which leaves the transaction to the caller.
    pub async fn run(self, conn: &mut SqliteConnection) -> Outcome<Answers> {
        let mut answers = Answers(Vec::with_capacity(self.statements));
        if self.statements == 0 {
            return Ok(answers);
        }
        let mut rows = Vec::new();
        let mut stream = conn.fetch_many(sqlx::query_with(AssertSqlSafe(self.text), self.args.done()?));
        while let Some(next) = stream.try_next().await? {
            match next {
                Either::Right(row) => rows.push(row),
                Either::Left(done) => answers.0.push((std::mem::take(&mut rows), done.rows_affected())),
            }
        }
        Ok(answers)
    }
}

/// What each statement answered: its rows, and how many it changed.
pub(super) struct Answers(Vec<(Vec<SqliteRow>, u64)>);

impl Answers {
    pub fn rows(&mut self, part: Part) -> Vec<SqliteRow> {
        let mut rows = Vec::new();
        for (answered, _) in self.0.iter_mut().take(part.to).skip(part.from) {
            rows.append(answered);
        }
        rows
    }

    pub fn affected(&self, part: Part) -> u64 {
        self.0.iter().take(part.to).skip(part.from).map(|(_, affected)| affected).sum()
    }
}
