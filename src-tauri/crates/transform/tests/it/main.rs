//! The crate as others use it. Test threads have the default stack of 2 MiB: nothing here may need more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod bodies;
mod bounds;
mod cloudevents;
mod csv;
mod json;
mod pieces;
mod programs;
mod random;
mod schemas;
mod templates;
mod xml;
