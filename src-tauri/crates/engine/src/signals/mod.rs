//! The one place that computes figures: counters, histograms and series, from what commits report.
//!
//! Panel, `/metrics` and later alerts read the same numbers; nothing else counts.

mod buckets;
mod feed;
mod process;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use signalbox_model::{Clock, DeliveryState, FailureKind, Timestamp};
use signalbox_store::observe::{Change, Observer};
use signalbox_store::series::BUCKET_SECONDS;
use signalbox_store::{LaneId, Store, StoreError};
use tokio_util::sync::CancellationToken;

pub use buckets::LaneTotals;
use buckets::{Bucket, LaneCounters};
use feed::Feed;
pub use feed::{LiveBatch, Tag};
pub use process::ProcessFigures;
use process::ProcessMeter;
pub use window::{LaneWindow, LatencySummary, Overview, SeriesPoints};

/// Buckets kept in memory; older ones are read from the ledger when somebody looks at a longer window.
const IN_MEMORY: Duration = Duration::from_secs(3_600 + 120);
/// Buckets kept in the ledger.
const KEPT: Duration = Duration::from_secs(8 * 86_400);
/// How often buckets that changed are written, and the age of the oldest is looked up.
const TICK: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Rates {
    pub in_per_s: f64,
    pub out_per_s: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QueueFigures {
    pub depth: u64,
    pub queued: u64,
    pub sending: u64,
    pub retrying: u64,
    pub held: u64,
    pub oldest_age: Option<Duration>,
}

impl QueueFigures {
    fn add(&mut self, other: &Self) {
        self.depth += other.depth;
        self.queued += other.queued;
        self.sending += other.sending;
        self.retrying += other.retrying;
        self.held += other.held;
        self.oldest_age = self.oldest_age.max(other.oldest_age);
    }
}

#[derive(Default)]
struct Inner {
    lanes: BTreeMap<LaneId, LaneCounters>,
    buckets: BTreeMap<(i64, LaneId), Bucket>,
    changed: BTreeSet<(i64, LaneId)>,
    oldest: BTreeMap<LaneId, Timestamp>,
    duplicates: u64,
    rejected: u64,
    stale: u64,
    /// Deliveries created and ended per second, for rates; at most a minute.
    flow: BTreeMap<i64, (u64, u64)>,
}

type Ready = Box<dyn Fn(LaneId, u32) + Send + Sync>;

pub struct Signals {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    feed: Feed,
    process: ProcessMeter,
    store: OnceLock<Arc<dyn Store>>,
    /// Told of each lane where a commit made something ready, and how many rows.
    ready: OnceLock<Ready>,
    started_at: Timestamp,
}

impl Signals {
    pub fn new(clock: Arc<dyn Clock>, boot: u64) -> Arc<Self> {
        let started_at = clock.now();
        Arc::new(Self {
            clock,
            inner: Mutex::new(Inner::default()),
            feed: Feed::new(boot),
            process: ProcessMeter::default(),
            store: OnceLock::new(),
            ready: OnceLock::new(),
            started_at,
        })
    }

    /// Whoever makes a delivery ready, dispatch hears of it here: after the commit, and in one place. Must not block.
    pub fn tell_ready(&self, ready: impl Fn(LaneId, u32) + Send + Sync + 'static) {
        if self.ready.set(Box::new(ready)).is_err() {
            tracing::error!("dispatch was connected twice; the first connection stays");
        }
    }

    /// Takes over what the ledger knows: queue figures and the last hour of buckets. Called once, after recovery and
    /// before anything is accepted.
    pub async fn load(&self, store: Arc<dyn Store>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let figures = store.lane_figures().await?;
        let rows = store.load_series(now.minus(IN_MEMORY), now.plus(Duration::from_secs(60))).await?;
        let mut inner = self.inner.lock();
        for lane in figures {
            let counters = inner.lanes.entry(lane.lane).or_default();
            counters.set_queue(&lane);
            if let Some(oldest) = lane.oldest_open {
                inner.oldest.insert(lane.lane, oldest);
            }
        }
        for row in rows {
            inner.buckets.insert((row.bucket, row.lane), Bucket::from_row(&row));
        }
        drop(inner);
        if self.store.set(store).is_err() {
            tracing::error!("figures were loaded twice; the first ledger stays");
        }
        Ok(())
    }

    /// Writes changed buckets, looks up ages, measures the process; until cancelled, and once more then.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut since_prune = Duration::ZERO;
        self.process.measure();
        loop {
            let stopping = tokio::select! {
                biased;
                () = stop.cancelled() => true,
                () = tokio::time::sleep(TICK) => false,
            };
            self.process.measure();
            if let Err(error) = self.tick().await {
                tracing::debug!(%error, "figures were not saved; the next tick saves them");
            }
            since_prune += TICK;
            if since_prune >= Duration::from_secs(3_600) {
                since_prune = Duration::ZERO;
                self.prune().await;
            }
            if stopping {
                return;
            }
        }
    }

    async fn tick(&self) -> Result<(), StoreError> {
        let Some(store) = self.store.get() else { return Ok(()) };
        let now = self.clock.now();
        let waiting = self.inner.lock().lanes.values().any(|lane| lane.queue.depth > 0);
        if waiting {
            let oldest = store.oldest_open().await?;
            let mut inner = self.inner.lock();
            inner.oldest = oldest.into_iter().collect();
        } else {
            self.inner.lock().oldest.clear();
        }
        let (places, rows) = {
            let mut inner = self.inner.lock();
            let current = bucket_of(now);
            let Inner { lanes, buckets, changed, oldest, .. } = &mut *inner;
            for (lane, counters) in lanes.iter() {
                let bucket = buckets.entry((current, *lane)).or_default();
                let age = oldest.get(lane).map(|at| now.since(*at));
                if bucket.note_queue(counters.queue.depth, age) {
                    changed.insert((current, *lane));
                }
            }
            let places = std::mem::take(changed);
            let rows: Vec<_> = places.iter().filter_map(|at| Some(buckets.get(at)?.to_row(at.0, at.1))).collect();
            let oldest_kept = bucket_of(now.minus(IN_MEMORY));
            inner.buckets.retain(|(start, _), _| *start >= oldest_kept);
            inner.flow.retain(|second, _| *second > now.as_secs() - 60);
            (places, rows)
        };
        if rows.is_empty() {
            return Ok(());
        }
        let saved = store.save_series(rows).await;
        if saved.is_err() {
            self.inner.lock().changed.extend(places);
        }
        saved
    }

    async fn prune(&self) {
        if let Some(store) = self.store.get()
            && let Err(error) = prune(store.as_ref(), self.clock.now().minus(KEPT)).await
        {
            tracing::debug!(%error, "old figures were not removed; tried again in an hour");
        }
    }

    /// Everything the overview shows, over the last `window`.
    pub async fn overview(&self, window: Duration) -> Result<Overview, StoreError> {
        let now = self.clock.now();
        let mut older = Vec::new();
        if let Some(store) = self.store.get()
            && window * 2 > IN_MEMORY
        {
            older = store.load_series(now.minus(window * 2), now.minus(IN_MEMORY)).await?;
        }
        let inner = self.inner.lock();
        Ok(window::assemble(now, window, &older, &inner, self.rates_of(&inner, now)))
    }

    pub async fn live(&self, cursor: Option<&str>, wait: Duration) -> LiveBatch {
        let at = || self.clock.now();
        self.feed.next(cursor, wait, at).await
    }

    /// Something changed that is not a commit: gates, files, a replay's settings.
    pub fn touch(&self, tag: Tag) {
        self.feed.touch(&[tag], 0, 0);
    }

    pub fn rates(&self) -> Rates {
        let inner = self.inner.lock();
        self.rates_of(&inner, self.clock.now())
    }

    /// Over the last 10 whole seconds, or since the start where that is shorter.
    fn rates_of(&self, inner: &Inner, now: Timestamp) -> Rates {
        let second = now.as_secs();
        let span = now.since(self.started_at).as_secs().clamp(1, 10);
        let from = second - i64::try_from(span).unwrap_or(10);
        let (created, ended) =
            inner.flow.range(from..second).fold((0, 0), |sum, (_, flow)| (sum.0 + flow.0, sum.1 + flow.1));
        Rates { in_per_s: created as f64 / span as f64, out_per_s: ended as f64 / span as f64 }
    }

    pub fn queue(&self) -> QueueFigures {
        let now = self.clock.now();
        let inner = self.inner.lock();
        let mut sum = QueueFigures::default();
        for (lane, counters) in &inner.lanes {
            sum.add(&inner.queue_of(*lane, counters, now));
        }
        sum
    }

    pub fn totals(&self) -> Vec<LaneTotals> {
        let now = self.clock.now();
        let inner = self.inner.lock();
        inner
            .lanes
            .iter()
            .map(|(lane, counters)| counters.totals(*lane, inner.queue_of(*lane, counters, now)))
            .collect()
    }

    pub fn process(&self) -> ProcessFigures {
        self.process.figures(self.clock.now().since(self.started_at))
    }

    pub fn dead_count(&self) -> u64 {
        self.inner.lock().lanes.values().map(|lane| lane.dead_now).sum()
    }

    pub fn rejected_count(&self) -> u64 {
        self.inner.lock().rejected
    }

    pub fn duplicates_count(&self) -> u64 {
        self.inner.lock().duplicates
    }

    pub fn stale_count(&self) -> u64 {
        self.inner.lock().stale
    }
}

impl Inner {
    fn queue_of(&self, lane: LaneId, counters: &LaneCounters, now: Timestamp) -> QueueFigures {
        let oldest_age = self.oldest.get(&lane).filter(|_| counters.queue.depth > 0).map(|at| now.since(*at));
        QueueFigures { oldest_age, ..counters.queue }
    }

    fn bucket(&mut self, at: Timestamp, lane: LaneId) -> &mut Bucket {
        let place = (bucket_of(at), lane);
        self.changed.insert(place);
        self.buckets.entry(place).or_default()
    }

    fn created(&mut self, lane: LaneId, state: DeliveryState, at: Timestamp) {
        self.bucket(at, lane).accepted += 1;
        self.flow.entry(at.as_secs()).or_default().0 += 1;
        let counters = self.lanes.entry(lane).or_default();
        counters.accepted += 1;
        counters.enter(state);
        self.ended(lane, state, at, None);
    }

    fn moved(&mut self, lane: LaneId, from: DeliveryState, to: DeliveryState, at: Timestamp, latency_us: Option<u64>) {
        let counters = self.lanes.entry(lane).or_default();
        counters.leave(from);
        counters.enter(to);
        // A discard that is undone is no new death.
        if from != to && from != DeliveryState::Discarded {
            self.ended(lane, to, at, latency_us);
        }
    }

    fn ended(&mut self, lane: LaneId, state: DeliveryState, at: Timestamp, latency_us: Option<u64>) {
        match state {
            DeliveryState::Delivered => {
                self.flow.entry(at.as_secs()).or_default().1 += 1;
                let bucket = self.bucket(at, lane);
                bucket.delivered += 1;
                if let Some(latency) = latency_us {
                    bucket.record_latency(latency);
                }
                let counters = self.lanes.entry(lane).or_default();
                counters.delivered += 1;
                counters.last_delivered_at = Some(at);
                if let Some(latency) = latency_us {
                    counters.record_latency(latency);
                }
            }
            DeliveryState::Dead => {
                self.bucket(at, lane).dead += 1;
                let counters = self.lanes.entry(lane).or_default();
                counters.dead += 1;
                counters.last_failure_at = Some(at);
            }
            _ => {}
        }
    }

    fn attempted(&mut self, lane: LaneId, kind: Option<FailureKind>, status: Option<u16>, at: Timestamp) {
        let bucket = self.bucket(at, lane);
        bucket.attempts += 1;
        if let Some(kind) = kind {
            bucket.failures[kind.index()] += 1;
        }
        let counters = self.lanes.entry(lane).or_default();
        counters.attempts += 1;
        if let Some(kind) = kind {
            counters.failures[kind.index()] += 1;
            counters.last_failure_at = Some(at);
            counters.last_status = status;
        }
    }
}

impl Observer for Signals {
    fn committed(&self, changes: &[Change]) {
        let mut tags = BTreeSet::new();
        let mut ready: BTreeMap<LaneId, u32> = BTreeMap::new();
        let (mut accepted, mut failed) = (0, 0);
        let mut inner = self.inner.lock();
        for change in changes {
            match change {
                Change::EventAccepted { .. } => {
                    accepted += 1;
                    tags.extend([Tag::Deliveries, Tag::Overview]);
                }
                Change::EventDuplicate { .. } => inner.duplicates += 1,
                Change::Created { lane, state, at } => {
                    inner.created(*lane, *state, *at);
                    if *state == DeliveryState::Queued {
                        *ready.entry(*lane).or_default() += 1;
                    }
                    if *state == DeliveryState::Dead {
                        failed += 1;
                        tags.insert(Tag::DeadLetters);
                    }
                }
                Change::Moved { lane, from, to, at, latency_us } => {
                    inner.moved(*lane, *from, *to, *at, *latency_us);
                    // A retry after an attempt has its own time, which the lane knows.
                    let timed = *from == DeliveryState::Sending && *to == DeliveryState::Retrying;
                    if matches!(to, DeliveryState::Queued | DeliveryState::Retrying) && !timed {
                        *ready.entry(*lane).or_default() += 1;
                    }
                    tags.extend([Tag::Deliveries, Tag::Overview]);
                    if *from == DeliveryState::Dead || *to == DeliveryState::Dead {
                        tags.insert(Tag::DeadLetters);
                    }
                }
                Change::AttemptEnded { lane, kind, status, at, .. } => {
                    inner.attempted(*lane, *kind, *status, *at);
                    failed += u64::from(kind.is_some());
                }
                Change::Rejected { .. } => {
                    inner.rejected += 1;
                    tags.insert(Tag::Rejected);
                }
                Change::Diagnosed => {
                    tags.insert(Tag::Rejected);
                }
                Change::ReplayMoved { .. } => {
                    tags.insert(Tag::Replays);
                }
                Change::StaleCompletion { .. } => inner.stale += 1,
            }
        }
        drop(inner);
        if let Some(tell) = self.ready.get() {
            ready.into_iter().for_each(|(lane, rows)| tell(lane, rows));
        }
        if !tags.is_empty() {
            self.feed.touch(&tags.into_iter().collect::<Vec<_>>(), accepted, failed);
        }
    }
}

async fn prune(store: &dyn Store, before: Timestamp) -> Result<(), StoreError> {
    store.prune_series(before).await?;
    store.prune_gate_spans(before).await?;
    Ok(())
}

/// Start of the bucket that holds `at`, in seconds.
fn bucket_of(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(BUCKET_SECONDS) * BUCKET_SECONDS
}

#[cfg(test)]
mod tests;
