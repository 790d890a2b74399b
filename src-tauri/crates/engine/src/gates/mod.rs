//! The gates of a system: what all lanes to it share. A lane's own gate (`dispatch::gate`) holds what belongs to one
//! destination: its pause, its credential, its Retry-After.

mod breaker;
pub mod concurrency;
pub mod steady;
mod system;
pub mod view;

pub use system::{SystemRuntime, Systems};
