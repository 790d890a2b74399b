//! The simulated systems over real connections.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what it expects by failing")]

mod case_study;
mod client;
mod crm;
mod dials;
mod hubspot;
mod salesforce;
mod sender;
