//! Lanes, kept versions.

use signalbox_model::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Outcome;
use super::ledger::Ledger;
use super::sql::{Args, Columns, corrupt, execute, optional, rows};
use crate::{Lane, LaneId};

pub(super) async fn ensure(ledger: &mut Ledger, input: &(String, String, String)) -> Outcome<Lane> {
    let (integration, destination, system) = input;
    let mut args = Args::default();
    args.text(integration).text(destination).text(system);
    let sql = "INSERT INTO lane (integration, destination, system) VALUES (?, ?, ?)
               ON CONFLICT (integration, destination) DO UPDATE SET system = excluded.system
               RETURNING id, integration, destination, system";
    let row = optional(&mut ledger.conn, sql, args).await?;
    lane(&row.ok_or_else(|| corrupt("a lane"))?)
}

pub(super) async fn all(conn: &mut SqliteConnection) -> Outcome<Vec<Lane>> {
    let sql = "SELECT id, integration, destination, system FROM lane ORDER BY id";
    rows(conn, sql, Args::default()).await?.iter().map(lane).collect()
}

fn lane(row: &SqliteRow) -> Outcome<Lane> {
    Ok(Lane {
        id: LaneId(row.get_int(0)?),
        integration: row.get_text(1)?,
        destination: row.get_text(2)?,
        system: row.get_text(3)?,
    })
}

pub(super) struct Version {
    pub integration: String,
    pub version: String,
    pub at: Timestamp,
    pub files: Vec<(String, String)>,
}

/// A version's name is made of its content, so the first copy is as good as any.
pub(super) async fn save_version(ledger: &mut Ledger, input: &Version) -> Outcome<()> {
    let mut args = Args::default();
    args.text(&input.integration).text(&input.version).time(input.at).pairs(&input.files);
    let sql = "INSERT INTO version (integration, version, at, files) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    execute(&mut ledger.conn, sql, args).await?;
    Ok(())
}

pub(super) async fn version_files(
    conn: &mut SqliteConnection,
    integration: &str,
    version: &str,
) -> Outcome<Option<Vec<(String, String)>>> {
    let mut args = Args::default();
    args.text(integration).text(version);
    let sql = "SELECT files FROM version WHERE integration = ? AND version = ?";
    optional(conn, sql, args).await?.map(|row| row.get_pairs(0)).transpose()
}
