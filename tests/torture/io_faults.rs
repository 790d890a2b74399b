//! Every call that SQLite makes of the disk fails: with EIO, without room, half done; once, and for ever.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use signalbox_store::StoreError;

use crate::disk::{Disk, Fault, Kind};
use crate::oracle;
use crate::seed::{is_long, seed};
use crate::sqlite::Ledger;
use crate::workload::{self, CountingClock, Promises, Workload};

const STEPS: usize = 24;

/// From an empty disk to a clean stop: migrate, ingest, deliver, replay, checkpoint.
async fn live(disk: &Arc<Disk>, seed: u64, promises: &mut Promises) -> Result<(), StoreError> {
    let clock = CountingClock::new();
    let store = workload::open(disk, clock.clone(), true).await?;
    let mut work = Workload::start(store.clone(), clock, seed).await;
    if let Ok(work) = &mut work {
        for _ in 0..STEPS {
            match work.step().await {
                // The disk may have room again for the next one.
                Ok(())
                | Err(StoreError::DiskFull | StoreError::Busy | StoreError::Corrupt(_) | StoreError::Database(_)) => {}
                Err(_) => break,
            }
        }
    }
    store.close().await;
    *promises = work?.promises;
    Ok(())
}

/// Everything that was promised is in what the disk holds.
fn kept(disk: &Disk, promises: &Promises) -> Result<(), String> {
    let ledger = Ledger::on_disk(&disk.dir())?;
    let hex = |column: &str, table: &str| -> Result<std::collections::BTreeSet<String>, String> {
        Ok(ledger.texts(&format!("SELECT {column} FROM {table}"))?.into_iter().collect())
    };
    let events = hex("hex(e.id) || hex(b.body)", "event e JOIN event_body b ON b.seq = e.seq")?;
    for (id, body) in &promises.events {
        if !events.contains(&(to_hex(&id.to_bytes()) + &to_hex(body))) {
            return Err(format!("the event {id} was acknowledged and is lost"));
        }
    }
    let deliveries = hex("hex(id)", "delivery")?;
    if let Some(id) = promises.deliveries.iter().find(|id| !deliveries.contains(&to_hex(&id.to_bytes()))) {
        return Err(format!("the delivery {id} was acknowledged and is lost"));
    }
    let attempts = hex("hex(delivery) || hex(id)", "attempt")?;
    for (delivery, attempt) in &promises.attempts {
        if !attempts.contains(&(to_hex(&delivery.to_bytes()) + &to_hex(&attempt.to_bytes()))) {
            return Err(format!("the end of the attempt {attempt} was acknowledged and is lost"));
        }
    }
    Ok(())
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

async fn with_fault(seed: u64, fault: Fault) -> Result<bool, String> {
    let disk = Disk::new(Default::default());
    disk.fail(Some(fault));
    let mut promises = Promises::default();
    let lived = AssertUnwindSafe(live(&disk, seed, &mut promises)).catch_unwind().await;
    if lived.is_err() {
        return Err("panicked".to_owned());
    }
    let hit = !disk.fired().is_empty();
    // The kernel may have forgotten what it could not write: a second sync that succeeds proves nothing. Before the
    // first promise there is nothing to lose.
    if disk.synced_after_failure() && !promises.events.is_empty() {
        return Err("synced a file again whose sync had failed".to_owned());
    }
    let disk = Disk::new(disk.files());
    let store = workload::open(&disk, CountingClock::new(), true).await;
    oracle::examine(store, &disk.dir()).await?;
    kept(&disk, &promises)?;
    Ok(hit)
}

#[tokio::test]
async fn no_failing_call_makes_a_false_promise() {
    let seed = seed();
    let disk = Disk::new(Default::default());
    disk.fail(None);
    live(&disk, seed, &mut Promises::default()).await.unwrap();
    let (any, room) = disk.calls();
    let stride = if is_long() { 1 } else { 7 };
    let (mut runs, mut hits, mut wrong) = (0, 0, Vec::new());
    for (kind, calls) in [(Kind::Io, any), (Kind::NoSpace, room), (Kind::Short, room)] {
        for for_ever in [false, true] {
            // Another offset for each, so that strides together see more places.
            let first = 1 + runs % stride;
            for at in (first..=calls).step_by(usize::try_from(stride).expect("small")) {
                let fault = Fault { kind, at, for_ever };
                match with_fault(seed, fault).await {
                    Ok(hit) => hits += u64::from(hit),
                    Err(why) => wrong.push(format!("{fault:?}: {why}")),
                }
                runs += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "seed {seed}, {} of {runs}: {:#?}", wrong.len(), &wrong[..wrong.len().min(10)]);
    assert!(hits * 10 > runs * 9, "seed {seed}: only {hits} of {runs} faults were met");
    println!("failing calls: {runs} runs over {any} calls, {hits} faults met, 0 false promises (seed {seed})");
}
