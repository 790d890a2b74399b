//! The real ledger in simulated time.
//!
//! Its threads know nothing of the paused clock. So the simulation stands still while the ledger works: each call is carried
//! out whole by a runtime on a thread of its own, and takes as much simulated time as the dice say, before it and after
//! it. What is seen in one run is so seen in every run of its seed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use signalbox_model::filter::Filter;
use signalbox_model::replay::ReplayState;
use signalbox_model::{Clock as _, DeliveryId, DiscardId, EventId, RejectedId, ReplayId, Timestamp};
use signalbox_store::delivery::{Completed, Completion, Deliveries, EndedBatch, Next, OpenedBatch, UndoneDiscard};
use signalbox_store::event::{
    Accepted, Events, Failure, NewDelivery, NewEvent, Placement, Planned, Rejected, Unplanned,
};
use signalbox_store::lane::{GateSpan, GateStep, SavedGate};
use signalbox_store::read::{
    Ahead, AttemptRow, ClosedGates, DeadFigures, DeliveryRow, EventRow, GroupRow, LaneFigures, ListQuery, Page, Reads,
    RevisionRow, Selection, TooOld,
};
use signalbox_store::replay::{
    BodyChange, DeliveryHistory, ItemState, NewReplay, NewRevision, PlannedReplay, ReplayItemRow, ReplayMove,
    ReplayRow, ReplaySettings, Replays, Requeued,
};
use signalbox_store::series::{SeriesRow, SeriesStore};
use signalbox_store::sqlite::{SqliteOptions, SqliteStore};
use signalbox_store::{Lane, LaneId, Lanes, Observer, StoreError, StoreFuture};

use crate::clock::{SimClock, pass};
use crate::dice::Dice;
use crate::trace::Trace;

/// A lie that the ledger tells, to see that the simulation notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// The fifth event is acknowledged and not stored.
    AcceptedButNotStored,
    /// The ninth confirmation is acknowledged and not stored.
    ConfirmedButNotStored,
    /// Events are stored without their keys, so that nothing orders them.
    KeysForgotten,
}

type Call = Box<dyn FnOnce(&tokio::runtime::Runtime) + Send>;

/// The thread on which the ledger lives, over all boots of a run.
pub struct LedgerThread {
    calls: mpsc::Sender<Call>,
    thread: Option<JoinHandle<()>>,
}

impl LedgerThread {
    pub fn start() -> Self {
        let (calls, waiting) = mpsc::channel::<Call>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            while let Ok(call) = waiting.recv() {
                call(&runtime);
            }
        });
        Self { calls, thread: Some(thread) }
    }

    fn wait_for<T: Send + 'static, F: Future<Output = T>>(&self, make: impl FnOnce() -> F + Send + 'static) -> T {
        let (answer, wait) = mpsc::channel();
        let call: Call = Box::new(move |runtime| {
            let _gone = answer.send(runtime.block_on(make()));
        });
        self.calls.send(call).expect("the ledger's thread runs");
        wait.recv().expect("the ledger answers")
    }

    pub fn open(&self, dir: &Path, clock: Arc<SimClock>, observer: Arc<dyn Observer>) -> Arc<SqliteStore> {
        let dir = dir.to_owned();
        self.wait_for(move || async move {
            // One call at a time: nothing would come that a commit could be shared with.
            let options = SqliteOptions { linger: Duration::ZERO, ..SqliteOptions::default() };
            SqliteStore::open(&dir, options, clock, observer).await.expect("the ledger opens")
        })
    }

    pub fn close(&self, store: Arc<SqliteStore>) {
        self.wait_for(move || async move { store.close().await });
    }

    /// All rows, past every fault and lie.
    pub fn rows(&self, store: &Arc<SqliteStore>, now: Timestamp) -> Vec<DeliveryRow> {
        let store = store.clone();
        self.wait_for(move || async move {
            let mut rows = Vec::new();
            let mut cursor = None;
            loop {
                let query = ListQuery {
                    filter: Filter::default(),
                    now,
                    gates: ClosedGates::default(),
                    cursor: cursor.clone(),
                    limit: 500,
                };
                let page = Reads::list(store.as_ref(), query).await.expect("a page");
                rows.extend(page.items);
                cursor = page.next;
                if cursor.is_none() {
                    return rows;
                }
            }
        })
    }
}

impl Drop for LedgerThread {
    fn drop(&mut self) {
        let (nobody, _) = mpsc::channel();
        self.calls = nobody;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

pub struct SimLedger {
    pub store: Arc<SqliteStore>,
    pub thread: Arc<LedgerThread>,
    pub clock: Arc<SimClock>,
    pub dice: Arc<Dice>,
    pub trace: Arc<Trace>,
    /// `Busy` and `DiskFull` now and then.
    pub faults: AtomicBool,
    pub lie: Option<Lie>,
    pub counted: AtomicU64,
}

impl SimLedger {
    /// `name` is what the trace says; `refusable` calls may meet a full queue or a full disk.
    fn call<T, F>(
        &self,
        name: &'static str,
        refusable: bool,
        make: impl FnOnce(Arc<SqliteStore>) -> F + Send + 'static,
    ) -> StoreFuture<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>>,
    {
        Box::pin(async move {
            pass(self.dice.roll(3)).await;
            if refusable && self.faults.load(Ordering::Relaxed) && self.dice.chance(4) {
                self.trace.say(self.clock.now(), &format!("{name} is refused"));
                return Err(if self.dice.chance(50) { StoreError::Busy } else { StoreError::DiskFull });
            }
            // The ledger's thread sees this moment.
            self.trace.say(self.clock.now(), name);
            let store = self.store.clone();
            let answer = self.thread.wait_for(move || make(store));
            pass(self.dice.roll(3)).await;
            answer
        })
    }

    /// Whether this is the call that the lie is about.
    fn lies(&self, lie: Lie, which: u64) -> bool {
        self.lie == Some(lie) && self.counted.fetch_add(1, Ordering::Relaxed) == which
    }
}

impl Lanes for SimLedger {
    fn ensure_lane(&self, integration: &str, destination: &str, system: &str) -> StoreFuture<'_, Lane> {
        let names = [integration.to_owned(), destination.to_owned(), system.to_owned()];
        self.call("ensure lane", false, move |store| async move {
            let [integration, destination, system] = names;
            store.ensure_lane(&integration, &destination, &system).await
        })
    }

    fn lanes(&self) -> StoreFuture<'_, Vec<Lane>> {
        self.call("lanes", false, |store| async move { Lanes::lanes(store.as_ref()).await })
    }

    fn save_gate(&self, gate: SavedGate, step: GateStep) -> StoreFuture<'_, ()> {
        self.call("save gate", true, move |store| async move { store.save_gate(gate, step).await })
    }

    fn gate_spans(&self, from: Timestamp) -> StoreFuture<'_, Vec<GateSpan>> {
        self.call("gate spans", false, move |store| async move { store.gate_spans(from).await })
    }

    fn prune_gate_spans(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.call("prune gate spans", false, move |store| async move { store.prune_gate_spans(before).await })
    }

    fn saved_gates(&self) -> StoreFuture<'_, Vec<SavedGate>> {
        self.call("saved gates", false, |store| async move { store.saved_gates().await })
    }

    fn save_version(
        &self,
        integration: &str,
        version: &str,
        at: Timestamp,
        files: &[(String, String)],
    ) -> StoreFuture<'_, ()> {
        let (integration, version, files) = (integration.to_owned(), version.to_owned(), files.to_vec());
        self.call("save version", false, move |store| async move {
            store.save_version(&integration, &version, at, &files).await
        })
    }

    fn version_files(&self, integration: &str, version: &str) -> StoreFuture<'_, Option<Vec<(String, String)>>> {
        let (integration, version) = (integration.to_owned(), version.to_owned());
        self.call("version files", false, move |store| async move { store.version_files(&integration, &version).await })
    }
}

impl Events for SimLedger {
    fn accept_all(&self, mut events: Vec<NewEvent>) -> StoreFuture<'_, Vec<Accepted>> {
        if self.lies(Lie::AcceptedButNotStored, 5) {
            let lie = |event: &NewEvent| {
                let count = match &event.planned {
                    Planned::Now(deliveries) => deliveries.len(),
                    Planned::Later(places) => places.len(),
                };
                Accepted::Stored { placements: vec![Placement::Queued; count], conflict_of: None }
            };
            let answers = events.iter().map(lie).collect();
            return Box::pin(async move { Ok(answers) });
        }
        if self.lie == Some(Lie::KeysForgotten) {
            events.iter_mut().for_each(|event| event.key = None);
        }
        self.call("accept", true, move |store| async move { store.accept_all(events).await })
    }

    fn plan(&self, event: EventId, deliveries: Vec<NewDelivery>) -> StoreFuture<'_, Vec<Placement>> {
        self.call("plan", true, move |store| async move { store.plan(event, deliveries).await })
    }

    fn unplanned(&self, limit: u32) -> StoreFuture<'_, Vec<Unplanned>> {
        self.call("unplanned", false, move |store| async move { store.unplanned(limit).await })
    }

    fn reject(&self, rejected: Rejected) -> StoreFuture<'_, ()> {
        self.call("reject", true, move |store| async move { store.reject(rejected).await })
    }

    fn diagnose(&self, id: RejectedId, doctor: String) -> StoreFuture<'_, ()> {
        self.call("diagnose", true, move |store| async move { store.diagnose(id, doctor).await })
    }
}

impl Deliveries for SimLedger {
    fn open_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch> {
        self.call("open due", true, move |store| async move { store.open_due(lane, limit, now).await })
    }

    fn open_live_due(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, OpenedBatch> {
        self.call("open live due", true, move |store| async move { store.open_live_due(lane, limit, now).await })
    }

    fn complete(&self, completion: Completion) -> StoreFuture<'_, Completed> {
        if matches!(completion.next, Next::Delivered) && self.lies(Lie::ConfirmedButNotStored, 9) {
            return Box::pin(async { Ok(Completed::Applied { promoted: false }) });
        }
        self.call("complete", true, move |store| async move { store.complete(completion).await })
    }

    fn complete_batch(&self, batch: EndedBatch) -> StoreFuture<'_, Vec<Completed>> {
        self.call("complete batch", true, move |store| async move { store.complete_batch(batch).await })
    }

    fn release(&self, opened: Vec<(DeliveryId, u64)>) -> StoreFuture<'_, u64> {
        self.call("release", true, move |store| async move { store.release(opened).await })
    }

    fn bring_forward(&self, lane: LaneId, limit: u32, now: Timestamp) -> StoreFuture<'_, Vec<DeliveryId>> {
        self.call("bring forward", true, move |store| async move { store.bring_forward(lane, limit, now).await })
    }

    fn follow_clock_back(
        &self,
        lane: LaneId,
        after: Option<DeliveryId>,
        by: Duration,
        limit: u32,
        now: Timestamp,
    ) -> StoreFuture<'_, Option<DeliveryId>> {
        let follow =
            move |store: Arc<SqliteStore>| async move { store.follow_clock_back(lane, after, by, limit, now).await };
        self.call("follow clock back", true, follow)
    }

    fn expire(
        &self,
        found: Vec<DeliveryId>,
        started_before: Timestamp,
        failure: Failure,
        now: Timestamp,
    ) -> StoreFuture<'_, u64> {
        let expire =
            move |store: Arc<SqliteStore>| async move { store.expire(found, started_before, failure, now).await };
        self.call("expire", true, expire)
    }

    fn recover(&self, now: Timestamp) -> StoreFuture<'_, u64> {
        self.call("recover", false, move |store| async move { store.recover(now).await })
    }

    fn discard(
        &self,
        id: DiscardId,
        selection: Selection,
        reason: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, u64> {
        self.call("discard", true, move |store| async move { store.discard(id, selection, reason, now).await })
    }

    fn undo_discard(&self, id: DiscardId, now: Timestamp) -> StoreFuture<'_, Option<UndoneDiscard>> {
        self.call("undo discard", true, move |store| async move { store.undo_discard(id, now).await })
    }
}

impl Replays for SimLedger {
    fn plan_replay(&self, plan: NewReplay) -> StoreFuture<'_, PlannedReplay> {
        self.call("plan replay", true, move |store| async move { store.plan_replay(plan).await })
    }

    fn start_replay(
        &self,
        id: ReplayId,
        settings: ReplaySettings,
        change: Option<BodyChange>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove> {
        self.call("start replay", true, move |store| async move { store.start_replay(id, settings, change, now).await })
    }

    fn move_replay(
        &self,
        id: ReplayId,
        to: ReplayState,
        because: Option<String>,
        now: Timestamp,
    ) -> StoreFuture<'_, ReplayMove> {
        self.call("move replay", true, move |store| async move { store.move_replay(id, to, because, now).await })
    }

    fn next_items(&self, id: ReplayId, limit: u32) -> StoreFuture<'_, Vec<DeliveryId>> {
        self.call("next items", false, move |store| async move { store.next_items(id, limit).await })
    }

    fn requeue(
        &self,
        id: ReplayId,
        delivery: DeliveryId,
        revision: Option<NewRevision>,
        now: Timestamp,
    ) -> StoreFuture<'_, Requeued> {
        self.call("requeue", true, move |store| async move { store.requeue(id, delivery, revision, now).await })
    }

    fn fail_item(&self, id: ReplayId, delivery: DeliveryId, failure: Failure, now: Timestamp) -> StoreFuture<'_, ()> {
        self.call("fail item", true, move |store| async move { store.fail_item(id, delivery, failure, now).await })
    }

    fn skip_item(&self, id: ReplayId, delivery: DeliveryId, reason: String, now: Timestamp) -> StoreFuture<'_, ()> {
        self.call("skip item", true, move |store| async move { store.skip_item(id, delivery, reason, now).await })
    }

    fn let_go(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64> {
        self.call("let go", true, move |store| async move { store.let_go(id, now).await })
    }

    fn undo_replay(&self, id: ReplayId, now: Timestamp) -> StoreFuture<'_, u64> {
        self.call("undo replay", true, move |store| async move { store.undo_replay(id, now).await })
    }

    fn body_change(&self, id: ReplayId) -> StoreFuture<'_, Option<BodyChange>> {
        self.call("body change", false, move |store| async move { store.body_change(id).await })
    }

    fn replay_items(
        &self,
        id: ReplayId,
        cursor: Option<DeliveryId>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<ReplayItemRow>> {
        self.call("replay items", false, move |store| async move { store.replay_items(id, cursor, limit).await })
    }

    fn history(&self, delivery: DeliveryId) -> StoreFuture<'_, DeliveryHistory> {
        self.call("history", false, move |store| async move { store.history(delivery).await })
    }

    fn replay(&self, id: ReplayId) -> StoreFuture<'_, Option<ReplayRow>> {
        self.call("replay", false, move |store| async move { store.replay(id).await })
    }

    fn replays(&self, only_open: bool, limit: u32) -> StoreFuture<'_, Vec<ReplayRow>> {
        self.call("replays", false, move |store| async move { store.replays(only_open, limit).await })
    }

    fn item_state(&self, id: ReplayId, delivery: DeliveryId) -> StoreFuture<'_, Option<ItemState>> {
        self.call("item state", false, move |store| async move { store.item_state(id, delivery).await })
    }
}

impl Reads for SimLedger {
    fn list(&self, query: ListQuery) -> StoreFuture<'_, Page> {
        self.call("list", false, move |store| async move { store.list(query).await })
    }

    fn delivery(&self, id: DeliveryId) -> StoreFuture<'_, Option<DeliveryRow>> {
        self.call("delivery", false, move |store| async move { store.delivery(id).await })
    }

    fn ahead(&self, id: DeliveryId) -> StoreFuture<'_, Option<Ahead>> {
        self.call("ahead", false, move |store| async move { store.ahead(id).await })
    }

    fn attempts(&self, id: DeliveryId) -> StoreFuture<'_, Vec<AttemptRow>> {
        self.call("attempts", false, move |store| async move { store.attempts(id).await })
    }

    fn revisions(&self, id: DeliveryId) -> StoreFuture<'_, Vec<RevisionRow>> {
        self.call("revisions", false, move |store| async move { store.revisions(id).await })
    }

    fn event(&self, id: EventId) -> StoreFuture<'_, Option<EventRow>> {
        self.call("event", false, move |store| async move { store.event(id).await })
    }

    fn event_body(&self, id: EventId) -> StoreFuture<'_, Option<Bytes>> {
        self.call("event body", false, move |store| async move { store.event_body(id).await })
    }

    fn events_of(&self, event: EventId) -> StoreFuture<'_, Vec<EventId>> {
        self.call("events of", false, move |store| async move { store.events_of(event).await })
    }

    fn deliveries_of(&self, event: EventId) -> StoreFuture<'_, Vec<DeliveryRow>> {
        self.call("deliveries of", false, move |store| async move { store.deliveries_of(event).await })
    }

    fn groups(&self, filter: &Filter, now: Timestamp, gates: &ClosedGates) -> StoreFuture<'_, Vec<GroupRow>> {
        let (filter, gates) = (filter.clone(), gates.clone());
        self.call("groups", false, move |store| async move { store.groups(&filter, now, &gates).await })
    }

    fn rejected(&self, cursor: Option<RejectedId>, limit: u32) -> StoreFuture<'_, Vec<Rejected>> {
        self.call("rejected", false, move |store| async move { store.rejected(cursor, limit).await })
    }

    fn lane_figures(&self) -> StoreFuture<'_, Vec<LaneFigures>> {
        self.call("lane figures", false, |store| async move { store.lane_figures().await })
    }

    fn oldest_open(&self) -> StoreFuture<'_, Vec<(LaneId, Timestamp)>> {
        self.call("oldest open", false, |store| async move { store.oldest_open().await })
    }

    fn replays_waiting(&self, lanes: BTreeSet<LaneId>) -> StoreFuture<'_, u64> {
        self.call("replays waiting", false, move |store| async move { store.replays_waiting(lanes).await })
    }

    fn too_old(
        &self,
        lane: LaneId,
        started_before: Timestamp,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> StoreFuture<'_, TooOld> {
        let look =
            move |store: Arc<SqliteStore>| async move { store.too_old(lane, started_before, after, limit).await };
        self.call("too old", false, look)
    }

    fn dead_figures(&self, since: Timestamp) -> StoreFuture<'_, DeadFigures> {
        self.call("dead figures", false, move |store| async move { store.dead_figures(since).await })
    }

    fn size_on_disk(&self) -> StoreFuture<'_, u64> {
        self.call("size on disk", false, |store| async move { store.size_on_disk().await })
    }
}

impl SeriesStore for SimLedger {
    fn save_series(&self, rows: Vec<SeriesRow>) -> StoreFuture<'_, ()> {
        self.call("save series", false, move |store| async move { store.save_series(rows).await })
    }

    fn load_series(&self, from: Timestamp, to: Timestamp) -> StoreFuture<'_, Vec<SeriesRow>> {
        self.call("load series", false, move |store| async move { store.load_series(from, to).await })
    }

    fn prune_series(&self, before: Timestamp) -> StoreFuture<'_, u64> {
        self.call("prune series", false, move |store| async move { store.prune_series(before).await })
    }
}
