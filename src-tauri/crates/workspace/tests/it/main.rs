#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod batches;
mod check;
mod common;
mod examples;
mod mutations;
mod positions;
mod reading;
mod references;
mod reload;
mod secrets;
