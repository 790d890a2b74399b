//! The job: takes items in order at its own rate, starts with the canary if there is one, and ends with a report.

use std::sync::Arc;
use std::time::Duration;

use signalbox_model::replay::ReplayState;
use signalbox_model::{DeliveryId, ReplayId};
use signalbox_store::StoreError;
use signalbox_store::replay::{ItemState, ReplayRow};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::ReplayService;
use super::prepare::{Change, Prepared};

/// How often a job that only waits looks at what its deliveries have become.
const LOOK: Duration = Duration::from_millis(200);
/// How often it looks for items that a dead letter parks.
const LOOK_FOR_PARKED: Duration = Duration::from_secs(1);

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
            // Kept over pauses and errors: the job goes on at its pace, it does not begin it anew.
            let mut next_at = Instant::now();
            while let Err(error) = service.run(id, &wake, &mut canary, &mut next_at).await {
                if matches!(error, StoreError::Closed | StoreError::Sealed(_)) {
                    break;
                }
                tracing::warn!(replay = %id, %error, "a replay waits a second for the ledger");
                service.wait(&wake, Duration::from_secs(1)).await;
            }
            service.wakes.lock().remove(&id);
        });
    }

    async fn run(
        &self,
        id: ReplayId,
        wake: &Notify,
        canary: &mut Option<DeliveryId>,
        next_at: &mut Instant,
    ) -> Result<(), StoreError> {
        let change = match self.means.store.body_change(id).await? {
            None => None,
            Some(kept) => match Change::of(&kept) {
                Some(change) => Some(change),
                // Never without it: other bytes than were asked for must not go out.
                None => return self.stop_by_itself(id, "its patch cannot be read any more").await,
            },
        };
        let mut looked = Instant::now();
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
            if row.sent > 0 && looked.elapsed() >= LOOK_FOR_PARKED {
                looked = Instant::now();
                if self.means.store.let_go(id, self.means.clock.now()).await? > 0 {
                    continue;
                }
            }
            if row.settings.canary && row.delivered == 0 {
                match self.canary(&row, canary, change.as_ref()).await? {
                    Canary::Confirmed => {}
                    Canary::Waiting => {
                        self.wait(wake, LOOK).await;
                        continue;
                    }
                    Canary::Failed => {
                        let because = "the canary was not confirmed; the rest was left as it was";
                        return self.stop_by_itself(id, because).await;
                    }
                }
            }
            if row.pending == 0 {
                self.wait(wake, LOOK).await;
                continue;
            }
            self.burst(&row, wake, next_at, change.as_ref()).await?;
        }
    }

    async fn stop_by_itself(&self, id: ReplayId, because: &str) -> Result<(), StoreError> {
        let now = self.means.clock.now();
        self.means.store.move_replay(id, ReplayState::Stopped, Some(because.to_owned()), now).await?;
        Ok(())
    }

    /// One second's worth of items, evenly spaced.
    async fn burst(
        &self,
        row: &ReplayRow,
        wake: &Notify,
        next_at: &mut Instant,
        change: Option<&Change>,
    ) -> Result<(), StoreError> {
        let gap = Duration::from_secs_f64(1.0 / row.settings.rate);
        let batch = (row.settings.rate.ceil() as u32).clamp(1, 1_000);
        for delivery in self.means.store.next_items(row.id, batch).await? {
            tokio::select! {
                biased;
                // A person moved the job, or the program stops: look at the state before the next item.
                () = wake.notified() => return Ok(()),
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep_until(*next_at) => {}
            }
            *next_at = Instant::now() + gap;
            self.item(row, delivery, change).await?;
        }
        Ok(())
    }

    async fn canary(
        &self,
        row: &ReplayRow,
        canary: &mut Option<DeliveryId>,
        change: Option<&Change>,
    ) -> Result<Canary, StoreError> {
        if row.dead > 0 {
            return Ok(Canary::Failed);
        }
        let Some(delivery) = *canary else {
            // After a restart the canary is whichever item is under way.
            if row.sent > 0 {
                return Ok(Canary::Waiting);
            }
            if let Some(first) = self.means.store.next_items(row.id, 1).await?.first().copied() {
                self.item(row, first, change).await?;
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

    async fn item(&self, row: &ReplayRow, delivery: DeliveryId, change: Option<&Change>) -> Result<(), StoreError> {
        let now = self.means.clock.now();
        let store = &self.means.store;
        let Some(dead) = self.dead_letter(delivery).await? else { return Ok(()) };
        let revision = match self.prepare(&dead, row.settings.mode, change).await? {
            Prepared::AsItIs => None,
            Prepared::Changed(revision) => Some(revision),
            Prepared::Misfit(why) => return store.skip_item(row.id, delivery, why, now).await,
            Prepared::Fails(failed) => {
                if let Some(failure) = self.remap_failure(&dead.row, failed) {
                    store.fail_item(row.id, delivery, failure, now).await?;
                }
                return Ok(());
            }
            // Unpatched it must not go out later either.
            Prepared::Gone if change.is_some() => {
                let why = "its destination is no longer in the workspace".to_owned();
                return store.skip_item(row.id, delivery, why, now).await;
            }
            // Its gate stays closed; it waits there until the destination is back.
            Prepared::Gone => None,
        };
        let requeued = store.requeue(row.id, delivery, revision, now).await?;
        self.nudge(requeued);
        Ok(())
    }

    async fn wait(&self, wake: &Notify, longest: Duration) {
        tokio::select! {
            biased;
            () = wake.notified() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(longest) => {}
        }
    }
}
