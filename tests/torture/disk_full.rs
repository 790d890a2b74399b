//! The disk fills up under the real program, again and again: events are refused before a write fails, what was accepted is
//! delivered all the same, and events are taken again soon after there is room.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use signalbox_testkit::{Destination, TestWorkspace, workspace};

use crate::program::{patient, send, serve, within};
use crate::seed::count;

/// Of the disk, at the least.
const SIZE: u64 = 48 << 20;
/// And for each filling, since what was accepted stays in the ledger: a hundred events and some where the WAL has room.
const SIZE_OF_A_FILLING: u64 = 6 << 20;
const BALLAST: u64 = 8 << 20;
/// Free before the events that fill the rest.
const LEFT: u64 = BALLAST + (1 << 20);
const LONG: Duration = Duration::from_secs(60);

/// A small disk in memory; unmounted when dropped.
struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    /// None where mounting is not allowed.
    fn mount(size: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={size},mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "signalbox-torture"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self { dir })
    }

    fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(self.dir.path()).unwrap();
        found.f_bavail * found.f_frsize
    }

    fn filler(&self) -> PathBuf {
        self.dir.path().join("filler")
    }

    /// Another program writes until `left` bytes are free.
    fn fill(&self, left: u64) {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(self.filler()).unwrap();
        let block = vec![1_u8; 64 << 10];
        while self.free() > left {
            let part = usize::try_from((self.free() - left).min(64 << 10)).unwrap();
            if file.write_all(&block[..part]).is_err() {
                return;
            }
        }
    }

    fn give_back(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _left_mounted = Command::new("umount").arg("--lazy").arg(self.dir.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_twenty_times_loses_nothing_and_delivers_while_it_is_full() {
    let fillings = count("FILLINGS", 20, 100);
    let Some(disk) = SmallDisk::mount(SIZE + fillings * SIZE_OF_A_FILLING) else {
        println!(
            "skipped: a small disk can only be mounted as root; failing calls (io_faults) cover ENOSPC without one"
        );
        return;
    };
    let (workspace, mut destination) = (TestWorkspace::inside(disk.dir.path()), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", &patient()));
    let process = serve(&workspace).await;
    let (ingress, ballast) = (process.ingress(), workspace.path().join(".signalbox/ballast"));
    assert_eq!(size(&ballast), BALLAST);
    let mut acknowledged = BTreeSet::new();
    let (mut number, mut longest_wait) = (0_u64, Duration::ZERO);
    for filling in 0..fillings {
        destination.go_down();
        disk.fill(LEFT);
        loop {
            number += 1;
            let answer = send(&ingress, &number.to_string(), &event(number)).await.unwrap();
            if answer.status != 200 {
                assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("disk-full")), "{}", answer.text());
                assert!(answer.header("retry-after").is_some());
                break;
            }
            acknowledged.insert(number);
        }
        assert!(!process.log().contains("the disk that holds the ledger is full"), "a write failed before the refusal");
        let told = process.get("live?wait=0ms").await["snapshot"]["ledger"].clone();
        assert_eq!(told["state"], "disk-full", "{told}");
        // Not a byte is left; the ballast goes, and what was accepted can end.
        disk.fill(0);
        within(LONG, "the ballast to be released", || async { (size(&ballast) == 0).then_some(()) }).await;
        destination.come_back().await;
        within(LONG, "everything to be delivered on the full disk", || async {
            (process.deliveries("-state:delivered").await["total"] == 0).then_some(())
        })
        .await;
        number += 1;
        assert_eq!(send(&ingress, &number.to_string(), &event(number)).await.unwrap().status, 503, "filling {filling}");
        disk.give_back();
        let begun = tokio::time::Instant::now();
        let back = within(LONG, "events to be taken again", || async {
            let answer = send(&ingress, &number.to_string(), &event(number)).await.unwrap();
            (answer.status == 200).then_some(())
        });
        back.await;
        acknowledged.insert(number);
        longest_wait = longest_wait.max(begun.elapsed());
        assert!(longest_wait < Duration::from_secs(5), "filling {filling}: events were refused for {longest_wait:?}");
        assert_eq!(size(&ballast), BALLAST);
        assert_eq!(process.get("live?wait=0ms").await["snapshot"]["ledger"]["state"], "ok");
    }
    assert!(process.stop().await.success());
    let process = serve(&workspace).await;
    within(LONG, "the rest", || async { (process.deliveries("-state:delivered").await["total"] == 0).then_some(()) })
        .await;
    let arrived: BTreeSet<u64> =
        destination.received().iter().map(|request| request.json()["number"].as_u64().unwrap()).collect();
    let lost: Vec<_> = acknowledged.difference(&arrived).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    println!(
        "disk full {fillings} times: {} acknowledged, 0 lost, events taken again within {longest_wait:?}",
        acknowledged.len()
    );
}

fn event(number: u64) -> Vec<u8> {
    // Of a key of its own; as large as an event with an attachment's text.
    json!({ "type": "a", "key": format!("k{number}"), "number": number, "text": "x".repeat(40_000) })
        .to_string()
        .into_bytes()
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}
