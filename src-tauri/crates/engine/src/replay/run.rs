//! The job: takes items in order at its own rate, starts with the canary if there is one, and ends with a report.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::replay::{ReplayMode, ReplayState};
use signalbox_model::{DeliveryId, ReplayId};
use signalbox_store::StoreError;
use signalbox_store::replay::{ItemState, NewRevision, ReplayRow, RevisionOrigin};
use tokio::sync::Notify;

use super::{Remapped, ReplayService};

/// How often a job that only waits looks at what its deliveries have become.
const LOOK: Duration = Duration::from_millis(200);

enum Canary {
    /// Not sent yet, or still under way.
    Waiting,
    Confirmed,
    Failed,
}

impl ReplayService {
    pub(super) fn spawn(self: &Arc<Self>, id: ReplayId) {
        let wake = Arc::new(Notify::new());
        if self.wakes.lock().insert(id, wake.clone()).is_some() {
            return;
        }
        let service = self.clone();
        self.jobs.spawn(async move {
            let mut canary = None;
            while let Err(error) = service.run(id, &wake, &mut canary).await {
                if matches!(error, StoreError::Closed | StoreError::Sealed(_)) {
                    break;
                }
                tracing::warn!(replay = %id, %error, "a replay waits a second for the ledger");
                service.wait(&wake, Duration::from_secs(1)).await;
            }
            service.wakes.lock().remove(&id);
        });
    }

    async fn run(&self, id: ReplayId, wake: &Notify, canary: &mut Option<DeliveryId>) -> Result<(), StoreError> {
        loop {
            if self.stop.is_cancelled() {
                return Ok(());
            }
            let Some(row) = self.means.store.replay(id).await? else { return Ok(()) };
            match row.state {
                ReplayState::Running => {}
                ReplayState::Paused => {
                    self.wait(wake, Duration::from_secs(5)).await;
                    continue;
                }
                _ => return Ok(()),
            }
            if row.pending == 0 && row.sent == 0 {
                self.means.store.move_replay(id, ReplayState::Done, None, self.means.clock.now()).await?;
                tracing::info!(replay = %id, delivered = row.delivered, dead = row.dead, "a replay is done");
                return Ok(());
            }
            if row.settings.canary && row.delivered == 0 {
                match self.canary(&row, canary).await? {
                    Canary::Confirmed => {}
                    Canary::Waiting => {
                        self.wait(wake, LOOK).await;
                        continue;
                    }
                    Canary::Failed => {
                        let because = "the canary was not confirmed; the rest was left as it was".to_owned();
                        self.means
                            .store
                            .move_replay(id, ReplayState::Stopped, Some(because), self.means.clock.now())
                            .await?;
                        return Ok(());
                    }
                }
            }
            if row.pending == 0 {
                self.wait(wake, LOOK).await;
                continue;
            }
            self.burst(&row, wake).await?;
        }
    }

    /// One second's worth of items, evenly spaced.
    async fn burst(&self, row: &ReplayRow, wake: &Notify) -> Result<(), StoreError> {
        let gap = Duration::from_secs_f64(1.0 / row.settings.rate);
        let batch = (row.settings.rate.ceil() as u32).clamp(1, 1_000);
        for delivery in self.means.store.next_items(row.id, batch).await? {
            let due = tokio::time::Instant::now() + gap;
            self.item(row, delivery).await?;
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                // A person moved the job, or the program stops: look at the state before the next item.
                () = wake.notified() => return Ok(()),
                () = self.stop.cancelled() => return Ok(()),
            }
        }
        Ok(())
    }

    async fn canary(&self, row: &ReplayRow, canary: &mut Option<DeliveryId>) -> Result<Canary, StoreError> {
        if row.dead > 0 {
            return Ok(Canary::Failed);
        }
        let Some(delivery) = *canary else {
            // After a restart the canary is whichever item is under way.
            if row.sent > 0 {
                return Ok(Canary::Waiting);
            }
            if let Some(first) = self.means.store.next_items(row.id, 1).await?.first().copied() {
                self.item(row, first).await?;
                *canary = Some(first);
            }
            return Ok(Canary::Waiting);
        };
        Ok(match self.means.store.item_state(row.id, delivery).await? {
            Some(ItemState::Delivered) => Canary::Confirmed,
            Some(ItemState::Dead) => Canary::Failed,
            // It was no longer dead, or a pause came between: the next item is the canary.
            Some(ItemState::Skipped | ItemState::Pending) | None => {
                *canary = None;
                Canary::Waiting
            }
            Some(ItemState::Sent) => Canary::Waiting,
        })
    }

    async fn item(&self, row: &ReplayRow, delivery: DeliveryId) -> Result<(), StoreError> {
        let now = self.means.clock.now();
        let revision = match row.settings.mode {
            ReplayMode::Exact => None,
            ReplayMode::Remap => {
                let Some((dead, current)) = self.current(delivery).await? else { return Ok(()) };
                match self.remap(&dead, current.as_ref().map(|revision| &revision.request)).await? {
                    Remapped::Same => None,
                    Remapped::Changed(request) => Some(NewRevision { origin: RevisionOrigin::Remapped, request }),
                    // Its gate stays closed; it waits there until the destination is back.
                    Remapped::Gone => None,
                    Remapped::Fails(failed) => {
                        if let Some(failure) = self.remap_failure(&dead, failed) {
                            self.means.store.fail_item(row.id, delivery, failure, now).await?;
                        }
                        return Ok(());
                    }
                }
            }
        };
        let requeued = self.means.store.requeue(row.id, delivery, revision, now).await?;
        self.nudge(requeued);
        Ok(())
    }

    async fn wait(&self, wake: &Notify, longest: Duration) {
        tokio::select! {
            () = wake.notified() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(longest) => {}
        }
    }
}
