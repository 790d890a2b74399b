//! What tests against the real binary need: destinations that answer as told, the program as a process, a plain HTTP
//! client that can also send what no client would, and workspaces to run.
//!
//! For tests only: it panics where a test could not go on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails here, with the place"
)]

pub mod destination;
pub mod http;
pub mod load;
pub mod process;
pub mod workspace;

pub use destination::{Answer, Destination, Received};
pub use http::Response;
pub use process::ServeProcess;
pub use workspace::TestWorkspace;

use std::future::Future;
use std::time::Duration;

/// How long a test waits for something before it fails. Generous: the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer.
///
/// # Panics
/// After [`PATIENCE`]; `what` says what was waited for.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited {PATIENCE:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
