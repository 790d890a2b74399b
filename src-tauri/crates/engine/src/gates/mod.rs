//! The gates of a system: what all lanes to it share. A lane's own gate (`dispatch::gate`) holds what belongs to one
//! destination: its pause, its credential, its Retry-After.

mod breaker;
pub mod concurrency;
mod endpoints;
mod limits;
mod quota;
mod saving;
pub mod spans;
mod steady;
mod system;
mod systems;
pub mod view;
pub mod words;

pub use breaker::Hold;
pub use endpoints::{Chosen, Switch};
pub use limits::{Limiter, Turn};
pub use system::{Ended, Probing, Settled, SystemRuntime, counts_against};
pub use systems::Systems;
