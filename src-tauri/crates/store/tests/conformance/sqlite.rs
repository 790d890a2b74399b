//! What only the SQLite store can show: its file, its errors, its settings.

use std::sync::Arc;

use signalbox_model::SystemClock;
use signalbox_store::observe::NoObserver;
use signalbox_store::sqlite::{FILE, SqliteOptions, SqliteStore};
use signalbox_store::{Deliveries, StoreError};

use crate::support::bench;

async fn open(dir: &std::path::Path) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(dir, SqliteOptions::default(), Arc::new(SystemClock), Arc::new(NoObserver)).await
}

fn reason(result: Result<Arc<SqliteStore>, StoreError>) -> String {
    match result {
        Err(StoreError::Open { path, reason }) => {
            assert!(path.ends_with(FILE));
            reason
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_process_went_without_a_word() {
    let bench = bench().await;
    let (id, _) = bench.event().key("003").to(bench.lane).await;
    // A copy of the files as a kill leaves them: the WAL is not checkpointed.
    let copy = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = format!("{FILE}{suffix}");
        std::fs::copy(bench.dir.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let store = open(copy.path()).await.unwrap();
    assert!(signalbox_store::Reads::delivery(&*store, id).await.unwrap().is_some());
}

#[tokio::test]
async fn closing_leaves_an_empty_wal_and_refuses_what_comes_later() {
    let bench = bench().await;
    let (id, _) = bench.event().to(bench.lane).await;
    bench.sqlite.close().await;
    let wal = std::fs::metadata(bench.dir.path().join(format!("{FILE}-wal")));
    assert!(wal.map_or(0, |found| found.len()) == 0);
    assert!(matches!(bench.store.open_due(bench.lane, 1, bench.now()).await, Err(StoreError::Closed)));
    assert!(matches!(bench.store.delivery(id).await, Err(StoreError::Closed)));
    assert!(matches!(bench.store.accept(bench.event().fates(vec![])).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(FILE);
    let garbage = b"this is not a database, whatever it is called".repeat(200);
    std::fs::write(&file, &garbage).unwrap();
    assert!(reason(open(dir.path()).await).contains("not an SQLite database"));
    assert_eq!(std::fs::read(&file).unwrap(), garbage);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert!(reason(open(&dir.path().join("nowhere")).await).contains("cannot be made or opened"));
}

#[tokio::test]
async fn a_ledger_of_a_newer_program_or_of_another_one_is_refused() {
    for (pragma, expected) in [("user_version = 99", "newer"), ("application_id = 7", "another program")] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).await.unwrap().close().await;
        change(&dir.path().join(FILE), &format!("PRAGMA {pragma}")).await;
        let found = reason(open(dir.path()).await);
        assert!(found.contains(expected), "{found}");
    }
}

#[tokio::test]
async fn what_dedupe_need_not_remember_is_forgotten() {
    let bench = bench().await;
    for at in 0..10 {
        bench.event().source_id(&format!("old_{at}")).accept(vec![]).await;
    }
    bench.pass_ms(8 * 86_400_000);
    for at in 0..5 {
        bench.event().source_id(&format!("new_{at}")).accept(vec![]).await;
    }
    bench.sqlite.close().await;
    let file = bench.dir.path().join(FILE);
    assert!(try_change(&file, "CREATE TABLE five AS SELECT 1 / (count(*) = 5) AS yes FROM dedupe").await);
    change(&file, "CREATE TABLE checked (yes INTEGER NOT NULL); INSERT INTO checked SELECT yes FROM five").await;
}

#[tokio::test]
async fn the_schema_refuses_impossible_rows() {
    let bench = bench().await;
    let first = bench.queue(bench.lane, "003").await;
    bench.queue(bench.lane, "003").await;
    bench.sqlite.close().await;
    let file = bench.dir.path().join(FILE);
    let id: String = first.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let impossible = [
        "UPDATE delivery SET state = 'queued', due_at = 1 WHERE state = 'held'".to_owned(),
        format!("UPDATE delivery SET state = 'delivered' WHERE id = x'{id}'"),
        format!("UPDATE delivery SET state = 'sending' WHERE id = x'{id}'"),
        format!("UPDATE delivery SET state = 'dead', due_at = NULL, ended_at = 1 WHERE id = x'{id}'"),
        format!("UPDATE delivery SET due_at = NULL WHERE id = x'{id}'"),
        format!("UPDATE delivery SET park = 1 WHERE id = x'{id}'"),
        format!("UPDATE delivery SET state = 'lost' WHERE id = x'{id}'"),
    ];
    for sql in impossible {
        assert!(!try_change(&file, &sql).await, "{sql}");
    }
}

#[tokio::test]
async fn a_write_that_fails_on_the_disk_seals_the_ledger() {
    let bench = bench().await;
    bench.queue(bench.lane, "003").await;
    bench.sqlite.close().await;
    // The pages of the tables become noise, as a dying disk would read them back.
    let file = bench.dir.path().join(FILE);
    let mut bytes = std::fs::read(&file).unwrap();
    for byte in bytes.iter_mut().skip(4_096 * 3) {
        *byte = 0xa5;
    }
    std::fs::write(&file, bytes).unwrap();
    let store = match open(bench.dir.path()).await {
        // Some pages are read at the start already.
        Err(StoreError::Open { .. }) => return,
        Err(other) => panic!("{other}"),
        Ok(store) => store,
    };
    let result = signalbox_store::Events::accept(&*store, bench.event().fates(vec![])).await;
    assert!(matches!(result, Err(StoreError::Sealed(_))), "{result:?}");
    assert!(store.sealed().is_some());
    assert!(matches!(store.recover(bench.now()).await, Err(StoreError::Sealed(_))), "it stays sealed");
}

/// Through a connection of its own, while the store is closed.
async fn try_change(file: &std::path::Path, sql: &str) -> bool {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = options.connect().await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
    conn.close().await.unwrap();
    done.is_ok()
}

async fn change(file: &std::path::Path, sql: &str) {
    assert!(try_change(file, sql).await, "{sql}");
}
