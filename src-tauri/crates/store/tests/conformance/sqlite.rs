//! What only the SQLite store can show: its file, its errors, its settings.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use signalbox_model::SystemClock;
use signalbox_store::event::Fate;
use signalbox_store::observe::NoObserver;
use signalbox_store::sqlite::{FILE, SqliteOptions, SqliteStore, check};
use signalbox_store::{Deliveries, Events, Lanes, Reads, StoreError};
use sqlx::ConnectOptions;

use crate::intake::futures;
use crate::support::{bench, request};

async fn open(dir: &Path) -> Result<Arc<SqliteStore>, StoreError> {
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
    assert!(Reads::delivery(&*store, id).await.unwrap().is_some());
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
async fn the_whole_check_finds_a_body_that_was_changed_in_an_event_and_in_a_revision() {
    let bench = bench().await;
    let remapped = Fate::Send(request(&bytes::Bytes::from_static(b"mapped")));
    let (mapped, _) = bench.event().ending_as(bench.lane, remapped).await;
    bench.queue(bench.lane, "003").await;
    bench.sqlite.close().await;
    let file = bench.dir.path().join(FILE);
    let look = || async { check(bench.dir.path(), false, Arc::new(SystemClock)).await.unwrap() };
    assert_eq!(look().await, Vec::<String>::new());
    assert!(try_change(&file, "UPDATE revision SET body = x'6d617070656421' WHERE body IS NOT NULL").await);
    assert_eq!(look().await, [format!("revision 1 of the delivery {mapped} is not what was to be sent")]);
    assert!(try_change(&file, "UPDATE event_body SET body = x'00'").await);
    let found = look().await;
    let of = |what: &str| found.iter().filter(|problem| problem.starts_with(what)).count();
    assert_eq!(
        (of("the body of the event"), of("revision 1")),
        (2, 2),
        "a revision may be its event's own bytes: {found:?}"
    );
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest() {
    let bench = bench().await;
    let (id, _) = bench.event().to(bench.lane).await;
    bench.sqlite.close().await;
    let options = SqliteOptions { max_pages: Some(120), ..SqliteOptions::default() };
    let dir = bench.dir.path();
    let store = SqliteStore::open(dir, options, Arc::new(SystemClock), Arc::new(NoObserver)).await.unwrap();
    let large: &'static [u8] = Box::leak(vec![b'x'; 200_000].into_boxed_slice());
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(Events::accept(&*store, bench.event().body(large).fates(vec![])).await);
    }
    assert!(answers[0].is_ok(), "{:?}", answers[0]);
    assert!(matches!(answers[4], Err(StoreError::DiskFull)), "{:?}", answers[4]);
    assert_eq!(store.sealed(), None, "there may be room again later");
    assert_eq!(store.recover(bench.now()).await.unwrap(), 0, "small writes still fit");
    assert!(Reads::delivery(&*store, id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lock_of_another_process_makes_writes_busy_and_turns_intake_away_before_memory_grows() {
    let bench = bench().await;
    bench.sqlite.close().await;
    let options = SqliteOptions { busy_timeout: Duration::from_millis(200), ..SqliteOptions::default() };
    let dir = bench.dir.path();
    let store = SqliteStore::open(dir, options, Arc::new(SystemClock), Arc::new(NoObserver)).await.unwrap();
    let mut other = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join(FILE)).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let event = |_| Events::accept(&*store, bench.event().fates(vec![]));
    let answers = futures((0..4_000).map(event)).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Busy))));
    assert!(bench.dir.path().join(FILE).exists());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(event(0).await.is_ok(), "the lock is gone");
}

#[tokio::test]
async fn a_damaged_page_under_a_write_seals_the_ledger() {
    let bench = bench().await;
    let id = bench.queue(bench.lane, "003").await;
    bench.sqlite.close().await;
    let file = bench.dir.path().join(FILE);
    let page = root_page(&file, "delivery").await;
    damage(&file, page..page + 1);
    let store = open(bench.dir.path()).await.unwrap();
    assert!(matches!(Reads::delivery(&*store, id).await, Err(StoreError::Corrupt(_))), "a reader seals nothing");
    assert_eq!(store.sealed(), None);
    let lane = store.ensure_lane("crm-sync", "hubspot", "hubspot").await.unwrap().id;
    let event = bench.event().fates(vec![(lane, Fate::Send(request(&"x".into())))]);
    let result = Events::accept(&*store, event).await;
    assert!(matches!(result, Err(StoreError::Sealed(_))), "{result:?}");
    assert!(matches!(store.recover(bench.now()).await, Err(StoreError::Sealed(_))), "it stays sealed");
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_what_to_do() {
    let bench = bench().await;
    bench.sqlite.close().await;
    let file = bench.dir.path().join(FILE);
    let pages = std::fs::metadata(&file).unwrap().len() / 4_096;
    damage(&file, 2..pages);
    let found = reason(open(bench.dir.path()).await);
    assert!(found.contains("damaged") && found.contains("backup"), "{found}");
}

/// The pages become noise, as a dying disk would read them back. The first page has number 1.
fn damage(file: &Path, pages: std::ops::Range<u64>) {
    let mut bytes = std::fs::read(file).unwrap();
    let range = (pages.start - 1) as usize * 4_096..(pages.end - 1) as usize * 4_096;
    bytes[range].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

async fn root_page(file: &Path, table: &str) -> u64 {
    use sqlx::Row;
    let mut conn = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
    let row = sqlx::query(sql).bind(table.to_owned()).fetch_one(&mut conn).await.unwrap();
    row.get::<i64, _>(0) as u64
}

/// Through a connection of its own, while the store is closed.
async fn try_change(file: &Path, sql: &str) -> bool {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut conn = options.connect().await.unwrap();
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
    conn.close().await.unwrap();
    done.is_ok()
}

async fn change(file: &Path, sql: &str) {
    assert!(try_change(file, sql).await, "{sql}");
}
