//! Makes a ledger of many deliveries to measure starts and lists on: two lanes of the integration `bench`, a week of
//! history, one delivery in fifty a dead letter and one in a thousand waiting for its next try in a day. With
//! `--backlog` all of them wait, behind a pause.
//!
//! `cargo run --release -p signalbox-store --example fill_ledger -- FOLDER DELIVERIES [--backlog]`

#![allow(clippy::print_stdout, reason = "a tool that speaks to the person who runs it")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use signalbox_model::{Clock, SystemClock};
use signalbox_store::Lanes;
use signalbox_store::observe::NoObserver;
use signalbox_store::sqlite::{FILE, SqliteOptions, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

/// The number of each delivery, `i`, its lane, its event's number, its time and the ids of both (RFC 9562 §5.7).
const NUMBERS: &str = "
CREATE TEMP VIEW numbers AS
WITH RECURSIVE count (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM count WHERE i + 1 < (SELECT deliveries FROM asked)),
timed AS (SELECT i, i / 2 AS e, until - 604800000000 + (i / 2) * (604800000000 / (deliveries / 2 + 1)) AS at FROM count, asked)
SELECT i, e, 1 + i % 2 AS lane, at,
       unhex(printf('%012x70008%015x', at / 1000, e)) AS event, unhex(printf('%012x70018%015x', at / 1000, i)) AS id,
       printf('003%08x', (e * 2654435761) % 4294967296) AS key,
       CASE WHEN backlog THEN 'queued' WHEN i % 50 = 7 THEN 'dead' WHEN i % 1000 = 13 THEN 'retrying' ELSE 'delivered' END AS state,
       unhex(printf('%032x', 1 + (i / 50) % 20)) AS grp, until
FROM timed, asked";

const EVENTS: &str = "
INSERT INTO event (seq, id, integration, version, received_at, source_id, event_type, key, method, path, headers,
                   content_type, size, body_hash, notes, unplanned, boots, boot_epoch)
SELECT e + 1, event, 'bench', 'v1', at, 'msg_' || e, 'contact.changed', key, 'POST', '/hooks/bench',
       '[[\"content-type\",\"application/json\"]]', 'application/json', 64, zeroblob(32), '', 0, 0, 1
FROM numbers WHERE i % 2 = 0";

const BODIES: &str = "
INSERT INTO event_body (seq, body) SELECT e + 1, CAST(printf('{\"data\":{\"Email\":\"p%d@acme.test\",\"LastName\":\"Doe\"}}', e) AS BLOB)
FROM numbers WHERE i % 2 = 0";

const DELIVERIES: &str = "
INSERT INTO delivery (id, event, lane, state, key, event_type, accepted_at, due_at, ended_at, attempts, tries_before,
                      round_started_at, revision, epoch, kind, stage, status, message, grp, park, latency_us)
SELECT id, event, lane, state, key, 'contact.changed', at,
       CASE state WHEN 'queued' THEN at WHEN 'retrying' THEN until + 86400000000 END,
       iif(state IN ('delivered', 'dead'), at + 20000, NULL),
       iif(state = 'queued', 0, 1), 0, at, 1, 1,
       CASE state WHEN 'dead' THEN iif(i % 100 = 7, 'server', 'rejected') WHEN 'retrying' THEN 'network' END,
       CASE state WHEN 'dead' THEN 'deliver' WHEN 'retrying' THEN 'deliver' END,
       CASE state WHEN 'delivered' THEN 200 WHEN 'dead' THEN iif(i % 100 = 7, 500, 422) END,
       CASE state WHEN 'dead' THEN 'the destination said no' WHEN 'retrying' THEN 'connection refused' END,
       iif(state = 'dead', grp, NULL), 0, iif(state = 'delivered', 20000 + i % 5000, NULL)
FROM numbers";

const REVISIONS: &str = "
INSERT INTO revision (delivery, number, origin, created_at, method, path, headers, body)
SELECT id, 1, 'mapped', at, 'POST', '/', '[[\"content-type\",\"application/json\"]]',
       CAST(printf('{\"email\":\"p%d@acme.test\",\"lastname\":\"Doe\"}', e) AS BLOB)
FROM numbers";

const ATTEMPTS: &str = "
INSERT INTO attempt (delivery, number, id, revision, started_at, ended_at, status, kind, wait_us, total_us, url)
SELECT id, 1, id, 1, at, at + 20000, CASE state WHEN 'delivered' THEN 200 WHEN 'dead' THEN iif(i % 100 = 7, 500, 422) END,
       CASE state WHEN 'dead' THEN iif(i % 100 = 7, 'server', 'rejected') WHEN 'retrying' THEN 'network' END,
       15000, 20000, 'http://127.0.0.1:9/'
FROM numbers WHERE state <> 'queued'";

/// As an operator's pause of the integration is kept.
const PAUSE: &str = "
INSERT INTO gate (scope, name, reason, since, until, explain)
SELECT 'integration', 'bench', 'pause', until, NULL, 'paused to measure' FROM asked";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "fill_ledger FOLDER DELIVERIES [--backlog]";
    let dir = PathBuf::from(args.next().ok_or(usage)?);
    let deliveries: u32 = args.next().ok_or(usage)?.parse()?;
    let backlog = args.next().is_some_and(|word| word == "--backlog");
    std::fs::create_dir_all(&dir)?;
    let started = tokio::time::Instant::now();
    let store = SqliteStore::open(&dir, SqliteOptions::default(), Arc::new(SystemClock), Arc::new(NoObserver)).await?;
    for destination in ["first", "second"] {
        store.ensure_lane("bench", destination, destination).await?;
    }
    store.close().await;
    fill(&dir, deliveries, backlog).await?;
    println!("{deliveries} deliveries in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

async fn fill(dir: &Path, deliveries: u32, backlog: bool) -> Result<(), Box<dyn Error>> {
    // Nothing here needs to outlive a crash.
    let mut conn = SqliteConnectOptions::new()
        .filename(dir.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", "-262144")
        .pragma("temp_store", "FILE")
        .connect()
        .await?;
    run(&mut conn, "CREATE TEMP TABLE asked (deliveries INTEGER, until INTEGER, backlog INTEGER)").await?;
    let until = SystemClock.now().as_micros();
    run(&mut conn, &format!("INSERT INTO asked VALUES ({deliveries}, {until}, {})", i64::from(backlog))).await?;
    run(&mut conn, NUMBERS).await?;
    // Built at once afterwards, sorted, instead of row by row.
    let sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
               AND tbl_name IN ('delivery', 'event', 'revision', 'attempt')";
    let indexes = sqlx::query(sql).fetch_all(&mut conn).await?;
    for index in &indexes {
        run(&mut conn, &format!("DROP INDEX {}", index.get::<String, _>(0))).await?;
    }
    for part in [EVENTS, BODIES, DELIVERIES, REVISIONS, ATTEMPTS] {
        run(&mut conn, part).await?;
    }
    for index in &indexes {
        run(&mut conn, &index.get::<String, _>(1)).await?;
    }
    if backlog {
        run(&mut conn, PAUSE).await?;
    }
    run(&mut conn, "PRAGMA wal_checkpoint(TRUNCATE)").await?;
    conn.close().await?;
    Ok(())
}

async fn run(conn: &mut SqliteConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql.to_owned())).execute(conn).await.map(|_| ())
}
