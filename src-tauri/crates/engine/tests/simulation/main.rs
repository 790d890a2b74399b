//! Simulation: the engine and its ledger on a manual clock, with failing receivers, a full queue, pauses, replays, discards,
//! clock jumps and crashes from a seed. The receivers keep their own books, and at the end the books are compared.
//!
//! `SIGNALBOX_SEED=n` repeats one run, `SIGNALBOX_SEEDS=n` says how many there are: 40 unless said otherwise, 1,000 in
//! `make test`, 100,000 in `make torture`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test says what it expects and ends where it is not so; it prints its seed"
)]

mod asleep;
mod at_rest;
mod clock;
mod dice;
mod ledger;
mod receivers;
mod scenario;
mod stage;
mod trace;

use ledger::Lie;
use scenario::Run;

/// Of one run in the short form.
const STEPS: u64 = 30;
/// Runs, for whoever is at work on the engine.
const SEEDS: u64 = 40;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64, lie: Option<Lie>) -> (Run, Vec<String>) {
    let steps = number("SIGNALBOX_STEPS").unwrap_or(STEPS);
    let mut run = Run::new(seed, steps, lie);
    let wrong = run.play();
    if let (Some(_), Ok(path)) = (number("SIGNALBOX_SEED"), std::env::var("SIGNALBOX_TRACE")) {
        std::fs::write(path, run.trace.lines().join("\n")).expect("the trace is written");
    }
    (run, wrong)
}

/// `Err`: what did not hold.
fn play(seed: u64, lie: Option<Lie>) -> Result<(), String> {
    let (run, wrong) = run(seed, lie);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("seed {seed}:\n{}\n\nThe end of its trace:\n{}", wrong.join("\n"), run.trace.tail(60)))
}

#[test]
fn no_seed_loses_doubles_or_reorders_anything() {
    let seeds: Vec<u64> = match number("SIGNALBOX_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SIGNALBOX_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    println!("{} seeds from {:?}", seeds.len(), seeds.first());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failed = parking_lot::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let nth = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(seed) = seeds.get(nth) else { return };
                    if nth > 0 && nth.is_multiple_of(1_000) {
                        println!("{nth} seeds have run, or run now");
                    }
                    if failed.lock().len() >= 3 {
                        return;
                    }
                    if let Err(wrong) = play(*seed, None) {
                        failed.lock().push(wrong);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    assert!(failed.is_empty(), "SIGNALBOX_SEED repeats a run.\n{}", failed.join("\n\n"));
}

#[test]
fn the_same_seed_makes_the_same_run() {
    for seed in 1..=number("SIGNALBOX_SEEDS").unwrap_or(SEEDS).div_ceil(100) {
        let [first, second] = [run(seed, None), run(seed, None)].map(|(run, _)| run.trace.lines());
        let same = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
        let story = |lines: &[String]| lines[same.saturating_sub(20)..lines.len().min(same + 10)].join("\n");
        assert!(first == second, "seed {seed} ran in two ways:\n{}\n\nand\n{}", story(&first), story(&second));
    }
}

#[test]
fn a_ledger_that_lies_is_found_out() {
    for lie in [Lie::AcceptedButNotStored, Lie::ConfirmedButNotStored, Lie::KeysForgotten] {
        assert!((1..=10).any(|seed| play(seed, Some(lie)).is_err()), "{lie:?} was not noticed in ten runs");
    }
}
