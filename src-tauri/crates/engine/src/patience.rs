//! Writes that must reach the ledger: a full queue or disk is waited for, since nobody else would do them.

use std::time::Duration;

use signalbox_store::{StoreError, StoreFuture};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Asks until the ledger takes it, or refuses it for a reason that waiting does not mend.
pub async fn until_taken<'a, T>(mut ask: impl FnMut() -> StoreFuture<'a, T>) -> Result<T, StoreError> {
    let mut pause = FIRST_PAUSE;
    loop {
        match ask().await {
            Err(StoreError::Busy | StoreError::DiskFull) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            answer => return answer,
        }
    }
}
