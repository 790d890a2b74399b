//! What every store must do, asked only through the traits. Another store joins by opening itself in `support`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it expects by failing; clippy.toml covers only the test functions themselves"
)]

mod attempts;
mod batches;
mod commits;
mod discards;
mod gated;
mod intake;
mod lists;
mod order;
mod put_back;
mod random_walk;
mod replays;
mod split;
mod sqlite;
mod steps_later;
mod superseding;
mod support;
