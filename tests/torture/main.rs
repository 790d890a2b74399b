//! What must not break, broken on purpose: power cuts, failing disks, kills, full disks, flipped bits, floods.
//!
//! Each harness has a short form, which `make test` runs, and a long one (`make torture`, or `SIGNALBOX_TORTURE=long`), and
//! proves that it can fail. Everything random comes from a seed that is printed; `SIGNALBOX_SEED=N` repeats a run.
//! docs/reliability.md tells what is promised and where it is tested.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where something is not as it expects, and prints its seed and figures"
)]

mod backlog;
mod compare;
mod corruption;
mod disk;
mod disk_full;
mod flood;
mod image;
mod io_faults;
mod kills;
mod neighbours;
mod oracle;
mod outage;
mod power_cut;
mod program;
mod seed;
mod sqlite;
mod workload;
