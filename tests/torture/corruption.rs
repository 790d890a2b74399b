//! A ledger that is not what was written: flipped bits, a WAL that is gone, cut off or damaged, a copy made while the
//! program ran, a newer schema. Each is noticed and said, or does no harm; wrong bytes are never served.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use signalbox_model::filter::Filter;
use signalbox_model::{Clock as _, DeliveryId, EventId};
use signalbox_store::read::ListQuery;
use signalbox_store::sqlite::{FILE, SqliteOptions, SqliteStore, check};
use signalbox_store::{Deliveries as _, Lanes as _, Reads as _, StoreError};

use crate::disk::{Disk, Files};
use crate::seed::{Dice, count, seed};
use crate::workload::{self, CountingClock, Nobody, Workload};

const PAGE: usize = 4_096;
const STEPS: usize = 60;

/// Bytes that people and destinations are shown.
#[derive(Default, PartialEq)]
struct Served {
    bodies: BTreeMap<EventId, Vec<u8>>,
    requests: BTreeMap<(DeliveryId, u32), Vec<u8>>,
}

/// Everything that can be read; an error is a damage that was noticed.
async fn served(store: &SqliteStore, clock: &CountingClock) -> Result<Served, StoreError> {
    let mut served = Served::default();
    let mut cursor = None;
    loop {
        let gates = Default::default();
        let query = ListQuery { filter: Filter::default(), now: clock.now(), gates, cursor, limit: 500 };
        let page = store.list(query).await?;
        for row in &page.items {
            store.attempts(row.id).await?;
            store.event(row.event).await?;
            if let Some(body) = store.event_body(row.event).await? {
                served.bodies.insert(row.event, body.to_vec());
            }
            for revision in store.revisions(row.id).await? {
                served.requests.insert((row.id, revision.number), revision.request.body.to_vec());
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(served);
        }
    }
}

/// What would be sent now.
async fn claimed(
    store: &SqliteStore,
    clock: &CountingClock,
) -> Result<BTreeMap<(DeliveryId, u32), Vec<u8>>, StoreError> {
    let mut claimed = BTreeMap::new();
    for lane in store.lanes().await? {
        for open in store.open_due(lane.id, 256, clock.now()).await?.rows {
            claimed.insert((open.id, open.revision), open.request.body.to_vec());
        }
    }
    Ok(claimed)
}

/// A ledger with some of everything, closed.
async fn ledger(seed: u64) -> Files {
    let (disk, clock) = (Disk::new(Files::new()), CountingClock::new());
    let store = workload::open(&disk, clock.clone(), true).await.unwrap();
    let mut work = Workload::start(store, clock, seed).await.unwrap();
    for _ in 0..STEPS {
        work.step().await.unwrap();
    }
    work.store.close().await;
    disk.files()
}

/// By the first byte of a page, <https://www.sqlite.org/fileformat2.html#b_tree_pages>; overflow and free pages have none.
fn class(page: usize, bytes: &[u8]) -> &'static str {
    match (page, bytes[0]) {
        (0, _) => "header",
        (_, 2) => "index, inner",
        (_, 5) => "table, inner",
        (_, 10) => "index, leaf",
        (_, 13) => "table, leaf",
        _ => "overflow or free",
    }
}

#[derive(Debug, PartialEq)]
enum Found {
    Noticed,
    Harmless,
    Wrong(String),
}

async fn open_damaged(files: Files, right: &Served) -> Found {
    let (disk, clock) = (Disk::new(files), CountingClock::new());
    let store = match workload::open(&disk, clock.clone(), true).await {
        Ok(store) => store,
        Err(_) => return Found::Noticed,
    };
    let (read, open) = (served(&store, &clock).await, claimed(&store, &clock).await);
    store.close().await;
    let mut noticed = false;
    match &read {
        Err(_) => noticed = true,
        Ok(read) => {
            if let Some((id, _)) = read.bodies.iter().find(|(id, body)| right.bodies.get(id) != Some(body)) {
                return Found::Wrong(format!("the body of {id}"));
            }
            if let Some((id, _)) = read.requests.iter().find(|(id, body)| right.requests.get(id) != Some(body)) {
                return Found::Wrong(format!("revision {} of {}", id.1, id.0));
            }
        }
    }
    match &open {
        Err(_) => noticed = true,
        Ok(open) => {
            if let Some((id, _)) = open.iter().find(|(id, body)| right.requests.get(id) != Some(body)) {
                return Found::Wrong(format!("what {} would send", id.0));
            }
        }
    }
    if noticed { Found::Noticed } else { Found::Harmless }
}

#[tokio::test]
async fn a_flipped_byte_is_noticed_or_harmless_and_never_served() {
    let (seed, flips) = (seed(), count("FLIPS", 120, 10_000));
    let whole = ledger(seed).await;
    let right = {
        let (disk, clock) = (Disk::new(whole.clone()), CountingClock::new());
        let store = workload::open(&disk, clock.clone(), true).await.unwrap();
        let right = served(&store, &clock).await.unwrap();
        store.close().await;
        right
    };
    assert!(right.bodies.len() > 20 && right.requests.len() > 20);
    let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, page) in whole[FILE].chunks(PAGE).enumerate() {
        classes.entry(class(number, page)).or_default().push(number);
    }
    let classes: Vec<(&str, Vec<usize>)> = classes.into_iter().collect();
    let (mut dice, mut tally) = (Dice::new(seed), BTreeMap::<(&str, &str), u32>::new());
    for flip in 0..flips {
        let (name, pages) = &classes[usize::try_from(flip).unwrap() % classes.len()];
        let (page, at, bit) = (pages[dice.below(pages.len())], dice.below(PAGE), dice.roll(8));
        let mut files = whole.clone();
        files.get_mut(FILE).unwrap()[page * PAGE + at] ^= 1 << bit;
        let word = match open_damaged(files, &right).await {
            Found::Wrong(what) => {
                panic!("seed {seed}, flip {flip}: bit {bit} of byte {at} in page {page} ({name}): {what}")
            }
            Found::Noticed => "noticed",
            Found::Harmless => "harmless",
        };
        *tally.entry((name, word)).or_default() += 1;
    }
    println!("flips: {flips}, 0 wrong bytes served: {tally:?} (seed {seed})");
}

#[tokio::test]
async fn without_its_sum_a_changed_body_would_be_served() {
    let whole = ledger(seed()).await;
    let (disk, clock) = (Disk::new(whole.clone()), CountingClock::new());
    let store = workload::open(&disk, clock.clone(), true).await.unwrap();
    let right = served(&store, &clock).await.unwrap();
    store.close().await;
    let mut noticed = 0;
    // Letters in the middle of bodies: nothing of SQLite's own structure is harmed.
    for at in (0..whole[FILE].len()).filter(|at| whole[FILE][*at..].starts_with(b"{\"number\":")).take(20) {
        let mut files = whole.clone();
        files.get_mut(FILE).unwrap()[at + 2] ^= 1;
        noticed += u32::from(open_damaged(files, &right).await == Found::Noticed);
    }
    assert!(noticed >= 10, "only {noticed} of 20 changed bodies were noticed");
}

async fn open(dir: &Path) -> Result<Arc<SqliteStore>, StoreError> {
    SqliteStore::open(dir, SqliteOptions::default(), CountingClock::new(), Arc::new(Nobody)).await
}

/// As `kill -9` leaves it: a copy of the files while they are in use.
async fn killed() -> tempfile::TempDir {
    let (live, dead) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(live.path()).await.unwrap();
    let mut work = Workload::start(store, CountingClock::new(), seed()).await.unwrap();
    for _ in 0..30 {
        work.step().await.unwrap();
    }
    for file in [FILE, "ledger.db-wal"] {
        std::fs::copy(live.path().join(file), dead.path().join(file)).unwrap();
    }
    work.store.close().await;
    dead
}

async fn refusal(dir: &Path) -> String {
    match open(dir).await {
        Err(error @ StoreError::Open { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it opened as if nothing had happened"),
    }
}

#[tokio::test]
async fn what_a_kill_leaves_opens_without_a_word() {
    let dir = killed().await;
    let store = open(dir.path()).await.unwrap();
    store.close().await;
    assert_eq!(check(dir.path(), false, CountingClock::new()).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_ledger_whose_wal_is_gone_or_empty_is_refused_with_what_to_do() {
    for emptied in [false, true] {
        let dir = killed().await;
        // So that the database's own file says that it is open, as it does after any checkpoint.
        open(dir.path()).await.unwrap().close().await;
        let store = open(dir.path()).await.unwrap();
        drop(crate::sqlite::Ledger::in_folder(dir.path()).unwrap().texts("PRAGMA wal_checkpoint(PASSIVE)").unwrap());
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(dir.path().join(FILE), copy.path().join(FILE)).unwrap();
        if emptied {
            std::fs::write(copy.path().join("ledger.db-wal"), b"").unwrap();
        }
        store.close().await;
        let told = refusal(copy.path()).await;
        assert!(told.contains("ledger.db-wal") && told.contains("accept-loss"), "{told}");
        check(copy.path(), true, CountingClock::new()).await.unwrap();
        open(copy.path()).await.unwrap().close().await;
    }
}

#[tokio::test]
async fn a_damaged_wal_is_refused_with_what_to_do() {
    for at in [20, 32 + 24 + 100] {
        let dir = killed().await;
        let wal = dir.path().join("ledger.db-wal");
        let mut bytes = std::fs::read(&wal).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&wal, bytes).unwrap();
        let told = refusal(dir.path()).await;
        assert!(told.contains("ledger.db-wal") && told.contains("damaged"), "byte {at}: {told}");
    }
}

#[tokio::test]
async fn a_ledger_that_is_cut_off_is_refused_with_what_to_do() {
    let dir = killed().await;
    open(dir.path()).await.unwrap().close().await;
    let file = dir.path().join(FILE);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - PAGE]).unwrap();
    let told = refusal(dir.path()).await;
    assert!(told.contains("cut off") && told.contains("backup"), "{told}");
}

#[tokio::test]
async fn the_whole_check_finds_a_changed_body() {
    let dir = killed().await;
    open(dir.path()).await.unwrap().close().await;
    assert_eq!(check(dir.path(), false, CountingClock::new()).await.unwrap(), [""; 0]);
    let file = dir.path().join(FILE);
    let mut bytes = std::fs::read(&file).unwrap();
    // Every body has one; some of these are in requests and not in events.
    for at in 0..bytes.len() - 10 {
        if bytes[at..].starts_with(b"{\"number\":") {
            bytes[at + 2] ^= 1;
        }
    }
    std::fs::write(&file, bytes).unwrap();
    let found = check(dir.path(), false, CountingClock::new()).await.unwrap();
    assert!(found.iter().any(|problem| problem.contains("not what was accepted")), "{found:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_ledgers_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), b"").unwrap();
    std::fs::set_permissions(dir.path().join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
    let options = SqliteOptions { ballast: 64 << 10, ..SqliteOptions::default() };
    let store = SqliteStore::open(dir.path(), options, CountingClock::new(), Arc::new(Nobody)).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    store.close().await;
}
