//! Rows of the charts' figures.

use signalbox_model::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, Many, execute, rows};
use crate::series::SeriesRow;

static SAVE: Many = Many::new(
    "INSERT OR REPLACE INTO series (bucket, lane, accepted, attempts, delivered, dead, rejected, rate, auth, mapping, server,
     network, unknown, queue_depth, oldest_age_ms, latency) VALUES",
    16,
    "",
);

pub(super) async fn save(ledger: &mut Ledger, input: &[SeriesRow]) -> Outcome<()> {
    SAVE.insert(&mut ledger.conn, input, |args, row| {
        args.int(row.bucket)
            .lane(row.lane)
            .count(row.accepted)
            .count(row.attempts)
            .count(row.delivered)
            .count(row.dead);
        for failures in row.failures {
            args.count(failures);
        }
        args.opt_count(row.queue_depth).opt_count(row.oldest_age_ms).blob(&row.latency);
    })
    .await?;
    Ok(())
}

pub(super) async fn load(conn: &mut SqliteConnection, from: Timestamp, to: Timestamp) -> Outcome<Vec<SeriesRow>> {
    let mut args = Args::default();
    args.int(from.as_secs()).int(to.as_secs());
    let sql =
        "SELECT bucket, lane, accepted, attempts, delivered, dead, rejected, rate, auth, mapping, server, network,
               unknown, queue_depth, oldest_age_ms, latency FROM series WHERE bucket >= ? AND bucket < ?
               ORDER BY bucket, lane";
    rows(conn, sql, args).await?.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Outcome<SeriesRow> {
    let mut failures = [0; 7];
    for (at, count) in failures.iter_mut().enumerate() {
        *count = row.get_u64(6 + at)?;
    }
    Ok(SeriesRow {
        bucket: row.get_int(0)?,
        lane: row.get_lane(1)?,
        accepted: row.get_u64(2)?,
        attempts: row.get_u64(3)?,
        delivered: row.get_u64(4)?,
        dead: row.get_u64(5)?,
        failures,
        queue_depth: row.get_opt_u64(13)?,
        oldest_age_ms: row.get_opt_u64(14)?,
        latency: row.get_blob(15)?,
    })
}

pub(super) async fn prune(ledger: &mut Ledger, before: &Timestamp) -> Outcome<u64> {
    let mut args = Args::default();
    args.int(before.as_secs());
    execute(&mut ledger.conn, "DELETE FROM series WHERE bucket < ?", args).await
}
