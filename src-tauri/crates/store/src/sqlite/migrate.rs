//! The schema's versions. `PRAGMA user_version` counts those that are in the file; each runs in one transaction with
//! its number, so that a kill in between leaves the version before.

use sqlx::sqlite::SqliteConnection;

use super::connect::APPLICATION_ID;
use super::fault::Outcome;
use super::sql::{Args, Columns, rows, safe};

/// In the order in which they came; a file's number only names it.
const MIGRATIONS: [&str; 10] = [
    include_str!("../../migrations/sqlite/0001_ledger.sql"),
    include_str!("../../migrations/sqlite/0002_split.sql"),
    include_str!("../../migrations/sqlite/0004_batches.sql"),
    include_str!("../../migrations/sqlite/0006_fewer_index_entries.sql"),
    include_str!("../../migrations/sqlite/0007_doctor.sql"),
    include_str!("../../migrations/sqlite/0005_replays.sql"),
    include_str!("../../migrations/sqlite/0008_sums.sql"),
    include_str!("../../migrations/sqlite/0009_replays_wait.sql"),
    include_str!("../../migrations/sqlite/0010_restored.sql"),
    include_str!("../../migrations/sqlite/0011_gate_spans.sql"),
];

pub(super) async fn run(conn: &mut SqliteConnection) -> Result<(), String> {
    let (found, application) = versions(conn).await.map_err(super::fault::plain)?;
    let newest = MIGRATIONS.len();
    if application != 0 && application != APPLICATION_ID || application == 0 && found != 0 {
        return Err("it belongs to another program. Move it away, or choose another workspace".to_owned());
    }
    let have = usize::try_from(found).unwrap_or(usize::MAX);
    if have > newest {
        return Err(format!(
            "it has schema version {found}, and this program knows up to {newest}. Use the newer Signalbox that wrote it"
        ));
    }
    bring_to(conn, have, newest).await
}

async fn bring_to(conn: &mut SqliteConnection, have: usize, wanted: usize) -> Result<(), String> {
    for (at, migration) in MIGRATIONS.iter().enumerate().take(wanted).skip(have) {
        let number = at + 1;
        let script = format!(
            "BEGIN IMMEDIATE; {migration}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        );
        if let Err(error) = sqlx::raw_sql(safe(script)).execute(&mut *conn).await {
            // The transaction may be gone already; either way the version before is what stays.
            let _ended = sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await;
            return Err(format!("its schema could not be brought to version {number}: {error}"));
        }
    }
    Ok(())
}

async fn versions(conn: &mut SqliteConnection) -> Outcome<(i64, i64)> {
    let sql = "SELECT user_version, application_id FROM pragma_user_version, pragma_application_id";
    let answer = rows(conn, sql, Args::default()).await?;
    let row = answer.first().ok_or_else(|| super::sql::corrupt("the schema's version"))?;
    Ok((row.get_int(0)?, row.get_int(1)?))
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn a_gate_that_is_closed_at_the_upgrade_is_closed_since_then_in_the_history() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.expect("a ledger");
        bring_to(&mut conn, 0, 9).await.expect("the versions before");
        let gates = "INSERT INTO gate (scope, name, reason, since, until, explain) VALUES
            ('system', 'open', 'breaker', 1, NULL, '{\"state\":\"open\",\"reason\":\"\"}'),
            ('system', 'forced', 'breaker', 2, NULL, '{\"state\":\"forced-closed\",\"reason\":\"\"}'),
            ('lane', 'sync/shop', 'rate', 3, 30, '429'),
            ('integration', 'sync', 'pause', 4, NULL, '')";
        sqlx::raw_sql(gates).execute(&mut conn).await.expect("what an older program wrote");
        run(&mut conn).await.expect("the upgrade");
        let spans =
            "SELECT name || ' ' || reason || ' ' || since || ' ' || ifnull(until, '-') FROM gate_span ORDER BY since";
        let spans: Vec<String> = sqlx::query_scalar(spans).fetch_all(&mut conn).await.expect("the history");
        assert_eq!(
            spans,
            ["open breaker 1 -", "sync/shop rate 3 30", "sync pause 4 -"],
            "one forced closed holds nothing"
        );
    }
}
