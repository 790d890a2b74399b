//! What the ledger keeps of a system's breaker, written in the order in which it changed.

use signalbox_store::lane::{GateStep, SavedGate};
use signalbox_store::{StoreError, StoreFuture};

use super::SystemRuntime;

impl SystemRuntime {
    /// Writes the breaker as it stands when its turn comes, which is not always how the caller left it: a busy ledger is
    /// asked again, and of two changes that wait for it the older one could be written last.
    pub async fn save_breaker<'a>(
        &self,
        write: impl FnOnce(SavedGate, GateStep) -> StoreFuture<'a, ()>,
    ) -> Result<(), StoreError> {
        let _one_at_a_time = self.saving.lock().await;
        // None: switched off, and nothing is left to forget.
        let Some((gate, step)) = self.breaker_to_save() else { return Ok(()) };
        write(gate, step).await?;
        self.breaker_was_saved();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use signalbox_model::{Clock, SystemClock};
    use tokio::sync::oneshot;

    use super::*;
    use crate::gates::{Hold, Systems};

    fn shop(breaker: &str) -> (Systems, Arc<SystemRuntime>) {
        let systems = Systems::new(Arc::new(SystemClock), &[]);
        let shop = configure(&systems, breaker);
        (systems, shop)
    }

    fn configure(systems: &Systems, breaker: &str) -> Arc<SystemRuntime> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("systems")).expect("a folder");
        let file = format!("base_url = \"http://127.0.0.1:9\"\nallow_private = true\nbreaker = {breaker}\n");
        std::fs::write(dir.path().join("systems/shop.toml"), file).expect("a file");
        let workspace = signalbox_workspace::load(dir.path()).expect("the folder is there");
        systems.ensure(workspace.systems.get("shop").expect("the system"))
    }

    const ON: &str = "{ window = \"60s\", minimum = 3, open = \"1s\" }";

    fn hold(system: &SystemRuntime, hold: Hold) {
        assert!(system.hold(hold, SystemClock.now(), None), "there is a breaker");
    }

    #[tokio::test]
    async fn of_two_changes_that_wait_for_the_ledger_the_newer_one_is_kept() {
        let (_systems, shop) = shop(ON);
        let written = Mutex::new(Vec::new());
        let (let_go, held_up) = oneshot::channel::<()>();
        hold(&shop, Hold::Open);
        let refuse = |_, step| -> StoreFuture<'_, ()> {
            written.lock().push(step);
            Box::pin(async {
                held_up.await.expect("it is let go");
                Err(StoreError::Busy)
            })
        };
        let mut first = Box::pin(shop.save_breaker(refuse));
        assert!(futures_util::poll!(&mut first).is_pending(), "the ledger keeps it waiting");
        hold(&shop, Hold::Auto);
        let record = |_, step| -> StoreFuture<'_, ()> {
            written.lock().push(step);
            Box::pin(async { Ok(()) })
        };
        let mut second = Box::pin(shop.save_breaker(record));
        assert!(futures_util::poll!(&mut second).is_pending(), "one at a time");
        let_go.send(()).expect("somebody waits");
        assert!(matches!(first.await, Err(StoreError::Busy)));
        second.await.expect("it is written");
        // The first asks again, as everybody does whom the ledger could not serve.
        shop.save_breaker(record).await.expect("it is written");
        assert_eq!(*written.lock(), [GateStep::Closes, GateStep::Opens, GateStep::Opens]);
    }

    #[tokio::test]
    async fn a_breaker_that_is_switched_off_while_its_change_waits_is_forgotten() {
        let (systems, shop) = shop(ON);
        hold(&shop, Hold::Open);
        configure(&systems, "\"off\"");
        let written = Mutex::new(Vec::new());
        let record = |_, step| -> StoreFuture<'_, ()> {
            written.lock().push(step);
            Box::pin(async { Ok(()) })
        };
        shop.save_breaker(record).await.expect("it is written");
        assert_eq!(*written.lock(), [GateStep::Opens]);
        assert!(!shop.forgets_breaker(), "once it is written");
        shop.save_breaker(record).await.expect("nothing is written");
        assert_eq!(written.lock().len(), 1);
    }

    #[tokio::test]
    async fn a_breaker_that_could_not_be_forgotten_is_tried_again() {
        let (systems, shop) = shop(ON);
        configure(&systems, "\"off\"");
        let busy = shop.save_breaker(|_, _| Box::pin(async { Err(StoreError::Busy) })).await;
        assert!(matches!(busy, Err(StoreError::Busy)));
        assert!(shop.forgets_breaker());
    }
}
