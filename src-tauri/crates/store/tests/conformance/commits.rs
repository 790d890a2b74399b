//! When the writer commits, and what becomes of its WAL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signalbox_model::{DeliveryState, SystemClock};
use signalbox_store::delivery::Next;
use signalbox_store::event::Fate;
use signalbox_store::observe::NoObserver;
use signalbox_store::sqlite::{FILE, SqliteOptions, SqliteStore};
use signalbox_store::{Change, Deliveries, Events, Lanes, Observer, Reads};
use tokio::time::Instant;

use crate::support::{bench, request};

/// No commit waits so long unless it waits for nothing.
const LONG: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Commits(AtomicUsize);

impl Observer for Commits {
    fn committed(&self, _changes: &[Change]) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn ends_of_attempts_wait_for_the_next_event_and_share_its_commit() {
    let bench = bench().await;
    let rows = [bench.event().to(bench.lane).await, bench.event().to(bench.lane).await];
    bench.sqlite.close().await;
    let commits = Arc::new(Commits::default());
    let options = SqliteOptions { linger: LONG, ..SqliteOptions::default() };
    let store = SqliteStore::open(bench.dir.path(), options, bench.clock.clone(), commits.clone()).await.unwrap();
    let opened = store.open_due(bench.lane, 2, bench.now()).await.unwrap().rows;
    let ends: Vec<_> = opened.iter().map(|open| bench.completion(open.id, open.epoch, Next::Delivered)).collect();
    let before = commits.0.load(Ordering::SeqCst);
    let began = Instant::now();
    let [first, second]: [_; 2] = ends.try_into().unwrap();
    let event = bench.event().fates(vec![(bench.lane, Fate::Send(request(&"x".into())))]);
    let (first, second, event) =
        tokio::join!(store.complete(first), store.complete(second), Events::accept(&*store, event));
    assert!(first.is_ok() && second.is_ok() && event.is_ok());
    assert!(began.elapsed() < LONG / 2, "an event waits for nobody");
    assert_eq!(commits.0.load(Ordering::SeqCst) - before, 1);
    for (id, _) in rows {
        assert_eq!(Reads::delivery(&*store, id).await.unwrap().unwrap().state, DeliveryState::Delivered);
    }
}

#[tokio::test]
async fn where_a_key_waits_for_it_the_end_of_an_attempt_waits_for_nothing() {
    let bench = bench().await;
    for _ in 0..4 {
        bench.queue(bench.lane, "003").await;
    }
    bench.sqlite.close().await;
    // The first end cannot know that others wait; those after it do.
    let linger = Duration::from_secs(3);
    let options = SqliteOptions { linger, ..SqliteOptions::default() };
    let store = SqliteStore::open(bench.dir.path(), options, bench.clock.clone(), Arc::new(NoObserver)).await.unwrap();
    let mut took = Vec::new();
    for _ in 0..3 {
        let open = store.open_due(bench.lane, 1, bench.now()).await.unwrap().rows.remove(0);
        let began = Instant::now();
        store.complete(bench.completion(open.id, open.epoch, Next::Delivered)).await.unwrap();
        took.push(began.elapsed());
    }
    assert!(took[0] >= linger, "{took:?}");
    assert!(took[1] < linger && took[2] < linger, "{took:?}");
}

#[tokio::test]
async fn under_a_load_that_never_rests_the_wal_starts_again_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let store = SqliteStore::open(dir.path(), SqliteOptions::default(), clock, Arc::new(NoObserver)).await.unwrap();
    store.ensure_lane("crm-sync", "hubspot", "hubspot").await.unwrap();
    let bench = bench().await;
    let large: &'static [u8] = Box::leak(vec![b'x'; 256 << 10].into_boxed_slice());
    let (mut written, mut longest) = (0, 0);
    let wal = dir.path().join(format!("{FILE}-wal"));
    for _ in 0..1_000 {
        Events::accept(&*store, bench.event().body(large).fates(vec![])).await.unwrap();
        written += large.len() as u64;
        longest = longest.max(std::fs::metadata(&wal).unwrap().len());
    }
    assert!(longest < written / 2, "{written} bytes were written, and the WAL grew to {longest}");
    store.close().await;
}
