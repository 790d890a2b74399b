//! Sources: where events come from. Each knows the port [`crate::accept::Accept`] and nothing of dispatch.

pub mod doctor;
pub mod webhook;
