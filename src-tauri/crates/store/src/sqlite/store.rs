//! The traits over the parts: which command goes to the writer, which question to a reader.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use signalbox_model::filter::Filter;
use signalbox_model::replay::ReplayState;
use signalbox_model::{DeliveryId, DiscardId, EventId, RejectedId, ReplayId, Timestamp};

use super::claim::OpenDue;
use super::gated::{BringForward, ClockBack};
use super::lanes::Version;
use super::plan::Plan;
use super::predicate::Scope;
use super::readers::step;
use super::rejected::Diagnosed;
use super::replay_items::Requeue;
use super::replays::{Move, Start};
use super::select::Selecting;
use super::too_old::{Expire, Look};
use super::{
    SqliteStore, batches, claim, figures, files, gated, gates, history, lanes, plan, rejected, replay_items, replays,
    rows, series, too_old,
};
use crate::delivery::{Completed, Completion, Deliveries, EndedBatch, OpenedBatch, UndoneDiscard};
use crate::event::{Accepted, Events, Failure, NewDelivery, NewEvent, Placement, Rejected, Unplanned};
use crate::lane::{GateSpan, GateStep, SavedGate};
use crate::read::{
    Ahead, AttemptRow, ClosedGates, DeadFigures, DeliveryRow, EventRow, GroupRow, LaneFigures, ListQuery, PAGE_MAX,
    Page, Reads, RevisionRow, Selection, TooOld,
};
use crate::replay::{
    BodyChange, DeliveryHistory, ItemState, NewReplay, NewRevision, PlannedReplay, ReplayItemRow, ReplayMove,
    ReplayRow, ReplaySettings, Replays, Requeued,
};
use crate::series::{SeriesRow, SeriesStore};
use crate::{Lane, LaneId, Lanes, StoreError, StoreFuture};

impl Lanes for SqliteStore {
    fn ensure_lane(&self, integration: &str, destination: &str, system: &str) -> StoreFuture<'_, Lane> {
        let input = (integration.to_owned(), destination.to_owned(), system.to_owned());
        Box::pin(async move {
            let lane = self.queue.run(input, |ledger, input| step(lanes::ensure(ledger, input))).await?;
            let mut known = self.lanes.write();
            let mut all = known.as_ref().clone();
            all.retain(|other| other.id != lane.id);
            all.push(lane.clone());
            *known = std::sync::Arc::new(all);
            Ok(lane)
        })
    }

    fn lanes(&self) -> StoreFuture<'_, Vec<Lane>> {
        Box::pin(self.readers.read(|conn| step(lanes::all(conn))))
    }

    fn save_gate(&self, gate: SavedGate, to: GateStep) -> StoreFuture<'_, ()> {
        Box::pin(self.queue.run((gate, to), |ledger, input| step(gates::save(ledger, input))))
    }

    fn saved_gates(&self) -> StoreFuture<'_, Vec<SavedGate>> {
        Box::pin(self.readers.read(|conn| step(gates::all(conn))))
    }

    fn gate_spans(&self, from: Timestamp) -> StoreFuture<'_, Vec<GateSpan>> {
        Box::pin(self.readers.read(move |conn| step(gates::spans(conn, from))))
    }

    fn prune_gate_spans(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.queue.run(before, |ledger, input| step(gates::prune_spans(ledger, input))))
    }

    fn save_version(
        &self,
        integration: &str,
        version: &str,
        at: Timestamp,
        files: &[(String, String)],
    ) -> StoreFuture<'_, ()> {
        let input =
            Version { integration: integration.to_owned(), version: version.to_owned(), at, files: files.to_vec() };
        Box::pin(self.queue.run(input, |ledger, input| step(lanes::save_version(ledger, input))))
    }

    fn version_files(&self, integration: &str, version: &str) -> StoreFuture<'_, Option<Vec<(String, String)>>> {
        let (integration, version) = (integration.to_owned(), version.to_owned());
        Box::pin(
            self.readers
                .read(move |conn| step(async move { lanes::version_files(conn, &integration, &version).await })),
        )
    }
}

impl Events for SqliteStore {
    fn accept_all(&self, events: Vec<NewEvent>) -> StoreFuture<'_, Vec<Accepted>> {
        Box::pin(self.queue.accept(events))
    }

    fn plan(&self, event: EventId, deliveries: Vec<NewDelivery>) -> StoreFuture<'_, Vec<Placement>> {
        Box::pin(self.queue.run(Plan { event, deliveries }, |ledger, input| step(plan::plan(ledger, input))))
    }

    fn unplanned(&self, limit: u32) -> StoreFuture<'_, Vec<Unplanned>> {
        Box::pin(self.queue.run(limit, |ledger, limit| step(plan::unplanned(ledger, limit))))
    }

    fn reject(&self, rejected: Rejected) -> StoreFuture<'_, ()> {
        // The last room is for deliveries.
        if self.queue.shared.room.is_low() {
            return Box::pin(async { Err(StoreError::DiskFull) });
        }
        Box::pin(self.queue.run(rejected, |ledger, input| step(rejected::reject(ledger, input))))
    }

    fn diagnose(&self, id: RejectedId, doctor: String) -> StoreFuture<'_, ()> {
        Box::pin(self.queue.run(Diagnosed { id, doctor }, |ledger, input| step(rejected::diagnose(ledger, input))))
    }
}

impl SqliteStore {
    fn claim(&self, lane: LaneId, limit: u32, now: Timestamp, live_only: bool) -> StoreFuture<'_, OpenedBatch> {
        let input = OpenDue { lane, limit, now, live_only };
        Box::pin(self.queue.run(input, |ledger, input| step(claim::open_due(ledger, input))))
    }
}

impl Deliveries for SqliteStore {
    fn open_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch> {
        self.claim(lane, limit, now, false)
    }

    fn open_live_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch> {
        self.claim(lane, limit, now, true)
    }

    fn complete(&self, completion: Completion) -> StoreFuture<'_, Completed> {
        Box::pin(self.queue.complete(completion))
    }

    fn complete_batch(&self, batch: EndedBatch) -> StoreFuture<'_, Vec<Completed>> {
        Box::pin(self.queue.run(batch, |ledger, batch| step(batches::complete_batch(ledger, batch))))
    }

    fn release(&self, opened: Vec<(DeliveryId, u64)>) -> StoreFuture<'_, u64> {
        Box::pin(self.queue.run(opened, |ledger, input| step(claim::release(ledger, input))))
    }

    fn bring_forward(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, Vec<DeliveryId>> {
        let input = BringForward { lane, limit, now };
        Box::pin(self.queue.run(input, |ledger, input| step(gated::bring_forward(ledger, input))))
    }

    fn follow_clock_back(
        &self,
        lane: LaneId,
        after: Option<DeliveryId>,
        by: Duration,
        limit: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Option<DeliveryId>> {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let input = ClockBack { lane, after, by, limit, now };
        Box::pin(self.queue.run(input, |ledger, input| step(gated::follow_clock_back(ledger, input))))
    }

    fn expire(
        &self,
        found: Vec<DeliveryId>,
        started_before: Timestamp,
        failure: Failure,
        now: Timestamp,
    ) -> StoreFuture<'_, u64> {
        let input = Expire { ids: found, started_before, failure, now };
        Box::pin(self.queue.run(input, |ledger, input| step(too_old::expire(ledger, input))))
    }

    fn recover(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.queue.run(now, |ledger, now| step(claim::recover(ledger, now))))
    }

    fn discard(
        &self,
        id: DiscardId,
        selection: Selection,
        reason: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, u64> {
        Box::pin(self.discard_all(id, selection, reason, now))
    }

    fn undo_discard(&self, id: DiscardId, now: Timestamp) -> StoreFuture<'_, Option<UndoneDiscard>> {
        Box::pin(self.undo(id, now))
    }
}

impl Replays for SqliteStore {
    fn plan_replay(&self, plan: NewReplay) -> StoreFuture<'_, PlannedReplay> {
        Box::pin(SqliteStore::plan(self, plan))
    }

    fn start_replay(
        &self,
        id: ReplayId,
        settings: ReplaySettings,
        change: Option<BodyChange>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove> {
        let input = Start { id, settings, change, now };
        Box::pin(self.queue.run(input, |ledger, input| step(replays::start(ledger, input))))
    }

    fn move_replay(
        &self,
        id: ReplayId,
        to: ReplayState,
        because: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove> {
        Box::pin(self.queue.run(Move { id, to, because, now }, |ledger, input| step(replays::shift(ledger, input))))
    }

    fn next_items(&self, id: ReplayId, limit: u32) -> StoreFuture<'_, Vec<DeliveryId>> {
        Box::pin(self.readers.read(move |conn| step(replays::next_items(conn, id, limit))))
    }

    fn requeue(
        &self,
        id: ReplayId,
        delivery: DeliveryId,
        revision: Option<NewRevision>,
        now: Timestamp,
    ) -> StoreFuture<'_, Requeued> {
        let input = Requeue { replay: id, delivery, revision, now };
        Box::pin(self.queue.run(input, |ledger, input| step(replay_items::requeue(ledger, input))))
    }

    fn fail_item(&self, id: ReplayId, delivery: DeliveryId, failure: Failure, now: Timestamp) -> StoreFuture<'_, ()> {
        let input = (Requeue { replay: id, delivery, revision: None, now }, failure);
        Box::pin(self.queue.run(input, |ledger, input| step(replay_items::fail_item(ledger, input))))
    }

    fn skip_item(&self, id: ReplayId, delivery: DeliveryId, reason: String, now: Timestamp) -> StoreFuture<'_, ()> {
        let input = (Requeue { replay: id, delivery, revision: None, now }, reason);
        Box::pin(self.queue.run(input, |ledger, input| step(replay_items::skip_item(ledger, input))))
    }

    fn let_go(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.put_back(id, now, true))
    }

    fn undo_replay(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.put_back(id, now, false))
    }

    fn body_change(&self, id: ReplayId) -> StoreFuture<'_, Option<BodyChange>> {
        Box::pin(self.readers.read(move |conn| step(replays::body_change(conn, id))))
    }

    fn replay_items(
        &self,
        id: ReplayId,
        cursor: Option<DeliveryId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<ReplayItemRow>> {
        let limit = limit.clamp(1, PAGE_MAX);
        Box::pin(self.readers.read(move |conn| step(replay_items::list(conn, id, cursor, limit))))
    }

    fn history(&self, delivery: DeliveryId) -> StoreFuture<'_, DeliveryHistory> {
        Box::pin(self.readers.read(move |conn| step(history::of(conn, delivery))))
    }

    fn replay(&self, id: ReplayId) -> StoreFuture<'_, Option<ReplayRow>> {
        Box::pin(self.readers.read(move |conn| step(replays::one(conn, id))))
    }

    fn replays(&self, only_open: bool, limit: u32) -> StoreFuture<'_, Vec<ReplayRow>> {
        Box::pin(self.readers.read(move |conn| step(replays::list(conn, only_open, limit))))
    }

    fn item_state(&self, id: ReplayId, delivery: DeliveryId) -> StoreFuture<'_, Option<ItemState>> {
        Box::pin(self.readers.read(move |conn| step(replays::item_state(conn, id, delivery))))
    }
}

impl Reads for SqliteStore {
    fn list(&self, query: ListQuery) -> StoreFuture<'_, Page> {
        let lanes = self.known_lanes();
        Box::pin(async move {
            let cursor = query.cursor.as_deref().map(str::parse).transpose();
            let cursor = cursor.map_err(|_| StoreError::InvalidCursor)?;
            let limit = query.limit.clamp(1, PAGE_MAX) as usize;
            self.readers
                .read(move |conn| {
                    step(async move {
                        let scope = Scope { lanes: &lanes, gates: &query.gates, now: query.now };
                        let selecting = Selecting::new(&query.filter, &scope);
                        let page = selecting.page(conn, cursor, limit).await?;
                        let count = selecting.count(conn).await?;
                        let items = rows::deliveries(conn, &page.ids, &lanes).await?;
                        let next = page.next.map(|id| id.to_string());
                        Ok(Page { items, next, total: count.total, total_exact: count.exact })
                    })
                })
                .await
        })
    }

    fn delivery(&self, id: DeliveryId) -> StoreFuture<'_, Option<DeliveryRow>> {
        let lanes = self.known_lanes();
        Box::pin(
            self.readers.read(move |conn| step(async move { Ok(rows::deliveries(conn, &[id], &lanes).await?.pop()) })),
        )
    }

    fn ahead(&self, id: DeliveryId) -> StoreFuture<'_, Option<Ahead>> {
        Box::pin(self.readers.read(move |conn| step(gated::ahead(conn, id))))
    }

    fn attempts(&self, id: DeliveryId) -> StoreFuture<'_, Vec<AttemptRow>> {
        Box::pin(self.readers.read(move |conn| step(rows::attempts(conn, id))))
    }

    fn revisions(&self, id: DeliveryId) -> StoreFuture<'_, Vec<RevisionRow>> {
        Box::pin(self.readers.read(move |conn| step(rows::revisions(conn, id))))
    }

    fn event(&self, id: EventId) -> StoreFuture<'_, Option<EventRow>> {
        Box::pin(self.readers.read(move |conn| step(rows::event(conn, id))))
    }

    fn events_of(&self, request: EventId) -> StoreFuture<'_, Vec<EventId>> {
        Box::pin(self.readers.read(move |conn| step(rows::events_of(conn, request))))
    }

    fn event_body(&self, id: EventId) -> StoreFuture<'_, Option<Bytes>> {
        Box::pin(self.readers.read(move |conn| step(rows::event_body(conn, id))))
    }

    fn deliveries_of(&self, event: EventId) -> StoreFuture<'_, Vec<DeliveryRow>> {
        let lanes = self.known_lanes();
        Box::pin(self.readers.read(move |conn| step(async move { rows::of_event(conn, event, &lanes).await })))
    }

    fn groups(&self, filter: &Filter, now: Timestamp, gates: &ClosedGates) -> StoreFuture<'_, Vec<GroupRow>> {
        let lanes = self.known_lanes();
        let (filter, gates) = (filter.clone(), gates.clone());
        Box::pin(self.readers.read(move |conn| {
            step(async move {
                let scope = Scope { lanes: &lanes, gates: &gates, now };
                figures::groups(conn, &filter, &scope).await
            })
        }))
    }

    fn rejected(&self, cursor: Option<RejectedId>, limit: u32) -> StoreFuture<'_, Vec<Rejected>> {
        let limit = limit.clamp(1, PAGE_MAX);
        Box::pin(self.readers.read(move |conn| step(rejected::list(conn, cursor, limit))))
    }

    fn lane_figures(&self) -> StoreFuture<'_, Vec<LaneFigures>> {
        Box::pin(self.readers.read(|conn| step(figures::lanes(conn))))
    }

    fn oldest_open(&self) -> StoreFuture<'_, Vec<(LaneId, Timestamp)>> {
        Box::pin(self.readers.read(|conn| step(figures::oldest_open(conn))))
    }

    fn replays_waiting(&self, lanes: BTreeSet<LaneId>) -> StoreFuture<'_, u64> {
        Box::pin(self.readers.read(move |conn| step(async move { figures::replays_waiting(conn, &lanes).await })))
    }

    fn too_old(
        &self,
        lane: LaneId,
        started_before: Timestamp,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> StoreFuture<'_, TooOld> {
        let look = Look { lane, started_before, after, limit };
        Box::pin(self.readers.read(move |conn| step(async move { too_old::find(conn, &look).await })))
    }

    fn dead_figures(&self, since: Timestamp) -> StoreFuture<'_, DeadFigures> {
        Box::pin(self.readers.read(move |conn| step(figures::dead(conn, since))))
    }

    fn trouble(&self) -> Option<StoreError> {
        let sealed = self.sealed().map(StoreError::Sealed);
        sealed.or_else(|| self.queue.shared.room.is_low().then_some(StoreError::DiskFull))
    }

    fn size_on_disk(&self) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut bytes = 0;
            for file in files::beside(&self.file) {
                // Only looked at, never opened: closing another handle would drop SQLite's locks.
                bytes += tokio::fs::metadata(file).await.map_or(0, |found| found.len());
            }
            Ok(bytes)
        })
    }
}

impl SeriesStore for SqliteStore {
    fn save_series(&self, rows: Vec<SeriesRow>) -> StoreFuture<'_, ()> {
        Box::pin(self.queue.run(rows, |ledger, rows| step(series::save(ledger, rows))))
    }

    fn load_series(&self, from: Timestamp, to: Timestamp) -> StoreFuture<'_, Vec<SeriesRow>> {
        Box::pin(self.readers.read(move |conn| step(series::load(conn, from, to))))
    }

    fn prune_series(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(self.queue.run(before, |ledger, before| step(series::prune(ledger, before))))
    }
}
