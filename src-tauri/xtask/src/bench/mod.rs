//! Measures the release build on this machine: how `docs/performance.md` says.
//!
//! Load, sinks and program share the machine's cores, so the figures are those of the whole, and lower than the program's own.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is measured here is real time, in threads of its own"
)]

mod http;
mod ledger;
mod limits;
mod lists;
mod load;
mod node_red;
mod program;
mod report;
mod sink;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;

use crate::repo;
use load::{Load, Pace};
use node_red::NodeRed;
use program::{Program, Usage, Workspace, usage_of};
use report::{Percentiles, Report};
use sink::Sinks;

/// How long the load at full speed lasts.
const FULL_SPEED: Duration = Duration::from_secs(15);
/// How long the load at a fixed rate lasts.
const AT_A_RATE: Duration = Duration::from_secs(10);
/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(2);
/// The rates, in events a second; Node-RED gets the second.
const RATES: [u32; 3] = [100, COMPARED, 1_000];
const COMPARED: u32 = 500;
/// How long the idle program is watched.
const IDLE: Duration = Duration::from_secs(5);
/// How long the last deliveries may take after the load has ended.
const DRAIN: Duration = Duration::from_secs(60);
/// Senders at the same time; a webhook vendor opens many connections.
const SENDERS: usize = 64;
/// For the machine's own limits.
const LIMIT: Duration = Duration::from_secs(3);
/// Through the store alone.
const RAW_EVENTS: u32 = 20_000;
/// Deliveries in the ledger of a measured start.
const START: u32 = 100_000;
/// Deliveries in the ledger of measured lists, and with `--large`.
const LISTS: u32 = 1_000_000;
const LARGE: u32 = 10_000_000;

#[derive(Clone, Copy, Default)]
pub struct Options {
    /// One JSON object instead of text.
    pub json: bool,
    /// Lists over ten million deliveries too, which takes some minutes and 6 GB of disk.
    pub large: bool,
}

/// Runs all measurements and prints them.
///
/// # Errors
/// Where the release build is missing or does not start, and where an accepted event was lost.
pub fn run(options: Options) -> Result<()> {
    let binary = binary()?;
    let sinks = Sinks::start()?;
    let mut report = Report::new(options.json);
    empty(&binary, &sinks, &mut report)?;
    compare(&sinks, &mut report)?;
    let idle = start(&binary, &sinks, &mut report)?;
    backlog(&binary, &sinks, idle, &mut report)?;
    let sizes = if options.large { vec![LISTS, LARGE] } else { vec![LISTS] };
    for size in sizes {
        lists::measure(&binary, &sinks, size, &mut report)?;
    }
    report.finish();
    Ok(())
}

/// From an empty ledger: at rest, at full speed, at fixed rates, and what the machine can do.
fn empty(binary: &std::path::Path, sinks: &Sinks, report: &mut Report) -> Result<()> {
    let workspace = Workspace::make("load", &sinks.addresses)?;
    let program = Program::start(binary, &workspace)?;
    report.section("At rest, with an empty ledger");
    at_rest(&program, report, "idle")?;

    report.section("The machine's own limits");
    let (rate, latencies) = limits::bare_http(&program.api, "/healthz", SENDERS, LIMIT)?;
    let spread = Percentiles::of(latencies);
    let text = format!("{rate:.0} requests/s, {}", spread.text());
    report.line("bare_http", "HTTP without work", &text, json!({ "per_second": rate, "latency": spread.json() }));
    let syncs = limits::disk_sync(&workspace.folder.join("limits"), LIMIT)?;
    let rate = syncs.len() as f64 / LIMIT.as_secs_f64();
    let spread = Percentiles::of(syncs);
    let text = format!("{rate:.0} syncs/s, {}", spread.text());
    report.line(
        "disk_sync",
        "append of 4 KiB and sync",
        &text,
        json!({ "per_second": rate, "latency": spread.json() }),
    );
    let (rate, cpu) = ledger::raw(&workspace.folder.join("limits"), RAW_EVENTS)?;
    let text = format!("{rate:.0} events/s, {cpu:.0} µs CPU an event");
    report.line("raw_store", "the store alone, 128 at a time", &text, json!({ "per_second": rate, "cpu_us": cpu }));

    report.section("Signed 1 KiB events, mapped, to two destinations");
    let warm = Load { to: program.ingress.clone(), senders: SENDERS, lasts: WARM_UP, pace: Pace::Closed };
    warm.run(&sinks.arrivals)?;
    sinks.arrivals.wait(0, DRAIN);
    full_speed(&program, sinks, report)?;
    for per_second in RATES {
        let pace = Pace::Open { per_second };
        let load = Load { to: program.ingress.clone(), senders: SENDERS, lasts: AT_A_RATE, pace };
        let before = program.usage()?.cpu;
        let (answer, arrival, accepted) = at_rate(&load, sinks)?;
        let cpu = program.usage()?.cpu.saturating_sub(before).as_micros() as f64 / accepted.max(1) as f64;
        let name = format!("{per_second}/s, send to both arrived");
        let text = format!("{}; {cpu:.0} µs CPU an event", arrival.text());
        let value = json!({ "arrived": arrival.json(), "answered": answer.json(), "cpu_us": cpu });
        report.line(&format!("at_{per_second}"), &name, &text, value);
    }
    let peak = Usage::megabytes(program.usage()?.peak_bytes);
    report.line("peak", "peak memory", &format!("{peak:.0} MiB"), json!({ "mib": peak }));
    program.stop()
}

fn at_rest(program: &Program, report: &mut Report, key: &str) -> Result<f64> {
    let before = program.usage()?;
    std::thread::sleep(IDLE);
    let after = program.usage()?;
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    let (ready, resident) = (program.ready_after.as_secs_f64() * 1000.0, Usage::megabytes(after.resident_bytes));
    let text = format!("ready after {ready:.0} ms; {resident:.1} MiB resident, {cpu:.1} % of a core");
    report.line(key, "start and rest", &text, json!({ "ready_ms": ready, "mib": resident, "cpu_percent": cpu }));
    Ok(resident)
}

fn full_speed(program: &Program, sinks: &Sinks, report: &mut Report) -> Result<()> {
    let from = sinks.arrivals.mark();
    let repeats = sinks.arrivals.repeats();
    let before = program.usage()?;
    let began = std::time::Instant::now();
    let load = Load { to: program.ingress.clone(), senders: SENDERS, lasts: FULL_SPEED, pace: Pace::Closed };
    let outcome = load.run(&sinks.arrivals)?;
    sinks.arrivals.wait(from, DRAIN);
    let drained = began.elapsed();
    let after = program.usage()?;
    let (arrived, missing) = sinks.arrivals.both(from);
    let (accepted, refused) = (outcome.accepted, outcome.refused);
    let taken = accepted as f64 / outcome.took.as_secs_f64();
    let answers = Percentiles::of(outcome.latencies);
    let text = format!("{taken:.0} events/s from {SENDERS} connections ({refused} refused); {}", answers.text());
    report.line(
        "accepted",
        "accepted",
        &text,
        json!({ "per_second": taken, "refused": refused, "latency": answers.json() }),
    );
    let delivered = arrived.len() as f64 / drained.as_secs_f64();
    let text = format!("{delivered:.0} events/s at both destinations");
    report.line("delivered", "delivered", &text, json!({ "per_second": delivered }));
    let cpu = after.cpu.saturating_sub(before.cpu).as_micros() as f64 / accepted.max(1) as f64;
    report.line("cpu", "cost", &format!("{cpu:.0} µs CPU an event"), json!({ "cpu_us": cpu }));
    let repeated = sinks.arrivals.repeats() - repeats;
    let text = format!("{missing} lost, {repeated} repeated");
    report.line("lost", "of the accepted", &text, json!({ "lost": missing, "repeated": repeated }));
    if missing > 0 {
        bail!("{missing} accepted events did not arrive at both destinations within {} s", DRAIN.as_secs());
    }
    Ok(())
}

/// Latencies of the answers and of the arrivals at both, and how many were accepted.
fn at_rate(load: &Load, sinks: &Sinks) -> Result<(Percentiles, Percentiles, usize)> {
    let from = sinks.arrivals.mark();
    let outcome = load.run(&sinks.arrivals)?;
    sinks.arrivals.wait(from, DRAIN);
    let (arrived, missing) = sinks.arrivals.both(from);
    if missing > 0 {
        bail!("{missing} accepted events did not arrive at both destinations within {} s", DRAIN.as_secs());
    }
    Ok((Percentiles::of(outcome.latencies), Percentiles::of(arrived), outcome.accepted))
}

fn compare(sinks: &Sinks, report: &mut Report) -> Result<()> {
    report.section("Node-RED on the same work, which keeps nothing");
    let node_red = NodeRed::start(&sinks.addresses)?;
    let load = |lasts| Load {
        to: node_red.address.clone(),
        senders: SENDERS,
        lasts,
        pace: Pace::Open { per_second: COMPARED },
    };
    at_rate(&load(WARM_UP), sinks)?;
    let before = usage_of(node_red.id())?.cpu;
    let (answer, arrival, accepted) = at_rate(&load(AT_A_RATE), sinks)?;
    let usage = usage_of(node_red.id())?;
    let cpu = usage.cpu.saturating_sub(before).as_micros() as f64 / accepted.max(1) as f64;
    let resident = Usage::megabytes(usage.resident_bytes);
    let name = format!("{COMPARED}/s, send to both arrived");
    let text = format!("{}; {cpu:.0} µs CPU an event, {resident:.0} MiB", arrival.text());
    let value = json!({ "arrived": arrival.json(), "answered": answer.json(), "cpu_us": cpu, "mib": resident });
    report.line("node_red", &name, &text, value);
    Ok(())
}

/// Answers the memory at rest.
fn start(binary: &std::path::Path, sinks: &Sinks, report: &mut Report) -> Result<f64> {
    report.section(&format!("With {START} deliveries"));
    let workspace = Workspace::make("start", &sinks.addresses)?;
    ledger::fill(&workspace.folder, START, false)?;
    let program = Program::start(binary, &workspace)?;
    let resident = at_rest(&program, report, "start")?;
    program.stop()?;
    Ok(resident)
}

fn backlog(binary: &std::path::Path, sinks: &Sinks, idle: f64, report: &mut Report) -> Result<()> {
    report.section(&format!("With {LISTS} deliveries that wait behind a pause"));
    let workspace = Workspace::make("backlog", &sinks.addresses)?;
    ledger::fill(&workspace.folder, LISTS, true)?;
    let program = Program::start(binary, &workspace)?;
    let resident = at_rest(&program, report, "backlog")?;
    let ratio = resident / idle;
    report.line("backlog_memory", "memory beside the one before", &format!("{ratio:.2} times"), json!(ratio));
    program.stop()
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repo::root().join("target"), PathBuf::from)
}

fn binary() -> Result<PathBuf> {
    let binary = target().join("release/signalbox");
    if !binary.is_file() {
        bail!("{} is missing; run `make bench`", binary.display());
    }
    Ok(binary)
}
