//! The real binary over real HTTP and a real ledger, one process a test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test ends where something is not as it expects"
)]

mod api_answers;
mod api_guard;
mod bad_destinations;
mod bad_input;
mod batches;
mod command_line;
mod dead_letters;
mod delivering;
mod figures;
mod gates;
mod hop_limit;
mod intake;
mod key_order;
mod reloading;
mod replaying;
mod restarting;
mod sandbox;
mod signature_doctor;
mod support;
mod test_events;
