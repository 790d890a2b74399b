//! Measures the release build on this machine: start, idle, throughput with two destinations, list queries.
//!
//! Load, sinks and program share the machine's cores, so the figures are those of the whole, and lower than the program's own.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is measured here is real time, in threads of its own"
)]

mod http;
mod load;
mod program;
mod sink;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::repo;
use load::{Load, Outcome};
use program::Program;
use sink::Sink;

/// How long the load lasts.
const LOAD: Duration = Duration::from_secs(20);
/// How long the idle program is watched.
const IDLE: Duration = Duration::from_secs(5);
/// How long the last deliveries may take after the load has ended.
const DRAIN: Duration = Duration::from_secs(60);
/// Senders at the same time; a webhook vendor opens many connections.
const SENDERS: usize = 32;
/// Of each list query.
const QUERIES: usize = 100;

/// Runs all measurements and prints them.
///
/// # Errors
/// Where the release build is missing or does not start, and where an accepted event was lost.
pub fn run() -> Result<()> {
    let binary = binary()?;
    let sinks = [Sink::start()?, Sink::start()?];
    let program = Program::start(&binary, &sinks)?;
    println!("start             ready after {} ms", program.ready_after.as_millis());

    let before = program.usage()?;
    std::thread::sleep(IDLE);
    let after = program.usage()?;
    let idle = after.cpu.saturating_sub(before.cpu).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    println!("idle              {} MB resident, {idle:.1} % of a core", after.resident_bytes / 1_000_000);

    throughput(&program, &sinks)?;
    queries(&program)?;
    program.stop()
}

fn throughput(program: &Program, sinks: &[Sink; 2]) -> Result<()> {
    let before = program.usage()?;
    let began = Instant::now();
    let Outcome { accepted, refused, mut latencies } =
        Load { ingress: program.ingress.clone(), senders: SENDERS, lasts: LOAD }.run()?;
    let took = began.elapsed();

    let wanted = accepted * sinks.len();
    let end = Instant::now() + DRAIN;
    while sinks.iter().map(Sink::distinct).sum::<usize>() < wanted && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let drained = began.elapsed();
    let after = program.usage()?;

    let distinct: usize = sinks.iter().map(Sink::distinct).sum();
    let repeats: usize = sinks.iter().map(Sink::repeats).sum();
    let lost = wanted.saturating_sub(distinct);
    let cpu = after.cpu.saturating_sub(before.cpu).as_micros() / accepted.max(1) as u128;
    println!(
        "accepted          {:.0} events/s ({accepted} signed 1 KiB events in {:.1} s from {SENDERS} connections, {refused} refused)",
        accepted as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
    println!("answer            {}", percentiles(&mut latencies));
    println!(
        "delivered         {:.0} events/s to both destinations (the last {:.1} s after the last was accepted)",
        accepted as f64 / drained.as_secs_f64(),
        drained.saturating_sub(took).as_secs_f64()
    );
    println!("lost, repeated    {lost}, {repeats}");
    println!("cost              {cpu} µs CPU an event, {} MB resident at the end", after.resident_bytes / 1_000_000);
    if lost > 0 {
        bail!("{lost} deliveries of accepted events did not arrive within {} s", DRAIN.as_secs());
    }
    Ok(())
}

fn queries(program: &Program) -> Result<()> {
    for (name, path) in [
        ("list", "deliveries?limit=50"),
        ("list, filtered", "deliveries?limit=50&filter=state:delivered%20system:second"),
        ("groups", "dead-letters/groups"),
        ("overview", "overview?window=1h"),
    ] {
        let mut latencies = Vec::with_capacity(QUERIES);
        for _ in 0..QUERIES {
            let began = Instant::now();
            program.get(path)?;
            latencies.push(began.elapsed());
        }
        println!("{name:<17} {}", percentiles(&mut latencies));
    }
    Ok(())
}

fn percentiles(latencies: &mut [Duration]) -> String {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 * share).ceil() as usize).saturating_sub(1);
        latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    };
    format!("p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.95), at(0.99))
}

fn binary() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).unwrap_or_else(|| repo::root().join("target"));
    let binary = target.join("release/signalbox");
    if !binary.is_file() {
        bail!("{} is missing; run `make build`", binary.display());
    }
    Ok(binary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut latencies: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentiles(&mut latencies), "p50 50.0 ms, p95 95.0 ms, p99 99.0 ms");
    }
}
