//! What commands work on.

use std::collections::HashMap;
use std::sync::Arc;

use signalbox_model::Timestamp;
use sqlx::sqlite::SqliteConnection;

use crate::Change;

/// What a command works on: the connection inside the running transaction, and what the writer knows by heart.
pub(super) struct Ledger {
    pub conn: SqliteConnection,
    pub epoch: u64,
    /// Of the next event.
    pub next_seq: i64,
    /// When the batch began.
    pub now: Timestamp,
    /// What the observer is told after the commit.
    pub changes: Vec<Change>,
    names: HashMap<String, Arc<str>>,
}

impl Ledger {
    pub fn new(conn: SqliteConnection) -> Self {
        let now = Timestamp::default();
        Self { conn, epoch: 0, next_seq: 1, now, changes: Vec::new(), names: HashMap::new() }
    }

    /// One shared copy of an integration's name.
    pub fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        self.names.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }

    pub async fn statement(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.conn).await.map(|_| ())
    }
}
