//! Work that may take long, off the threads that serve everybody.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::runtime::{Handle, RuntimeFlavor};

/// `None`: the work panicked.
///
/// On a runtime of one thread, which only tests and the simulation have, it is done in place: when a second thread
/// would be ready is the machine's affair, and one seed must make one run.
pub(crate) async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return catch_unwind(AssertUnwindSafe(work)).ok();
    }
    tokio::task::spawn_blocking(work).await.ok()
}
