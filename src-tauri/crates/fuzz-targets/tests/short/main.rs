//! Each target under seeded mutations of its seeds: 3 seconds, or as many as `SIGNALBOX_FUZZ_SECONDS` says. A failure
//! prints the seed (`SIGNALBOX_SEED` repeats it) and the input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where something is not as it expects"
)]

mod mutate;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use mutate::{Chance, mutated};
use signalbox_fuzz_targets::{TARGETS, Target};
use tokio::time::Instant;

const SEED: u64 = 0x5167_6e61_6c62_6f78;
const LONGEST: Duration = Duration::from_secs(1);
const MOST_KIB: u64 = 256 << 10;

/// The fastest of three, since another process may have the core.
fn takes_too_long(target: &Target, data: &[u8]) -> bool {
    (0..3).all(|_| {
        let started = Instant::now();
        (target.run)(data);
        started.elapsed() > LONGEST
    })
}

/// The most memory that this process has had so far.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new("../../fuzz/seeds").join(name);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no seeds for {name}");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn fuzz(name: &str) {
    let seconds = std::env::var("SIGNALBOX_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let seed = std::env::var("SIGNALBOX_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = seeds(name);
    let mut chance = Chance::new(seed);
    let started = Instant::now();
    let mut runs = 0_u64;
    while started.elapsed() < Duration::from_secs(seconds) {
        let data = match seeds.get(runs as usize) {
            Some(seed) => seed.clone(),
            None => mutated(&mut chance, &seeds),
        };
        let began = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| (target.run)(&data)));
        let slow = ended.is_ok() && began.elapsed() > LONGEST && takes_too_long(target, &data);
        let peak = peak_kib();
        if ended.is_err() || slow || peak > MOST_KIB {
            let what = if ended.is_err() {
                "panicked"
            } else if slow {
                "took over a second"
            } else {
                "took over 256 MiB"
            };
            panic!("{name} {what} in run {runs} of SIGNALBOX_SEED={seed}, peak {peak} KiB: {}", data.escape_ascii());
        }
        runs += 1;
    }
    println!("{name}: {runs} inputs, SIGNALBOX_SEED={seed}");
    assert!(runs > seeds.len() as u64, "the time was not enough for the seeds");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn every_target_is_fuzzed() {
            let here = [$(stringify!($name)),*];
            assert!(TARGETS.iter().all(|target| here.contains(&target.name)) && here.len() == TARGETS.len());
        }
    };
}

targets! { signature json xml csv filter config url retry_after jq template }

#[test]
#[allow(clippy::disallowed_methods, reason = "what is noticed is real time")]
fn the_harness_notices_a_target_that_is_too_slow() {
    let slow = Target { name: "slow", run: |_| std::thread::sleep(LONGEST + Duration::from_millis(50)) };
    let quick = Target { name: "quick", run: |_| {} };
    assert!(takes_too_long(&slow, b"") && !takes_too_long(&quick, b""));
}
