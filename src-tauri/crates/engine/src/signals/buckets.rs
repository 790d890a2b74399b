//! Counters of one lane: since the start, and per bucket of 30 seconds.

use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use signalbox_model::{DeliveryState, Timestamp};
use signalbox_store::LaneId;
use signalbox_store::read::LaneFigures;
use signalbox_store::series::SeriesRow;

use super::QueueFigures;

/// Latency is recorded in microseconds with two significant digits, up to a day.
const LATENCY_MAX_US: u64 = 86_400_000_000;
const LATENCY_DIGITS: u8 = 2;

/// Upper bounds of the `/metrics` histogram, seconds.
pub const METRIC_BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

pub(super) fn new_histogram() -> Option<Histogram<u32>> {
    let mut histogram = Histogram::new_with_bounds(1, 2_000, LATENCY_DIGITS).ok()?;
    histogram.auto(true);
    Some(histogram)
}

/// One lane in one bucket of time.
#[derive(Clone, Default)]
pub(super) struct Bucket {
    pub accepted: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub dead: u64,
    pub failures: [u64; 7],
    pub queue_depth: Option<u64>,
    pub oldest_age_ms: Option<u64>,
    pub latency: Option<Histogram<u32>>,
}

impl Bucket {
    pub fn record_latency(&mut self, micros: u64) {
        if self.latency.is_none() {
            self.latency = new_histogram();
        }
        if let Some(histogram) = &mut self.latency {
            // Grows the histogram; `saturating_record` would stop at its first size. Within the clamp it cannot fail.
            let _ = histogram.record(micros.clamp(1, LATENCY_MAX_US));
        }
    }

    /// The depth at the end of the bucket; true when it differs from what was noted.
    pub fn note_queue(&mut self, depth: u64, age: Option<Duration>) -> bool {
        let age = age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let changed = self.queue_depth != Some(depth) || self.oldest_age_ms != age;
        self.queue_depth = Some(depth);
        self.oldest_age_ms = age;
        changed
    }

    pub fn to_row(&self, bucket: i64, lane: LaneId) -> SeriesRow {
        let mut latency = Vec::new();
        if let Some(histogram) = &self.latency
            && V2Serializer::new().serialize(histogram, &mut latency).is_err()
        {
            latency.clear();
        }
        SeriesRow {
            bucket,
            lane,
            accepted: self.accepted,
            attempts: self.attempts,
            delivered: self.delivered,
            dead: self.dead,
            failures: self.failures,
            queue_depth: self.queue_depth,
            oldest_age_ms: self.oldest_age_ms,
            latency,
        }
    }

    /// A histogram that cannot be read counts as none: the other figures stay.
    pub fn from_row(row: &SeriesRow) -> Self {
        let latency = if row.latency.is_empty() {
            None
        } else {
            Deserializer::new().deserialize(&mut std::io::Cursor::new(&row.latency)).ok()
        };
        Self {
            accepted: row.accepted,
            attempts: row.attempts,
            delivered: row.delivered,
            dead: row.dead,
            failures: row.failures,
            queue_depth: row.queue_depth,
            oldest_age_ms: row.oldest_age_ms,
            latency,
        }
    }
}

/// One lane since the program started (queue figures: now).
#[derive(Clone, Default)]
pub(super) struct LaneCounters {
    pub accepted: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub dead: u64,
    pub failures: [u64; 7],
    pub queue: QueueFigures,
    pub dead_now: u64,
    pub last_failure_at: Option<Timestamp>,
    pub last_delivered_at: Option<Timestamp>,
    pub last_status: Option<u16>,
    latency_counts: [u64; METRIC_BOUNDS.len()],
    latency_sum_us: u64,
    latency_count: u64,
}

impl LaneCounters {
    pub fn set_queue(&mut self, figures: &LaneFigures) {
        self.queue = QueueFigures {
            depth: figures.queued + figures.sending + figures.retrying + figures.held,
            queued: figures.queued,
            sending: figures.sending,
            retrying: figures.retrying,
            held: figures.held,
            oldest_age: None,
        };
        self.dead_now = figures.dead;
        self.last_delivered_at = figures.last_delivered_at;
    }

    fn place(&mut self, state: DeliveryState) -> Option<&mut u64> {
        match state {
            DeliveryState::Queued => Some(&mut self.queue.queued),
            DeliveryState::Sending => Some(&mut self.queue.sending),
            DeliveryState::Retrying => Some(&mut self.queue.retrying),
            DeliveryState::Held => Some(&mut self.queue.held),
            DeliveryState::Dead => Some(&mut self.dead_now),
            _ => None,
        }
    }

    pub fn enter(&mut self, state: DeliveryState) {
        if let Some(count) = self.place(state) {
            *count += 1;
        }
        if !state.is_terminal() {
            self.queue.depth += 1;
        }
    }

    pub fn leave(&mut self, state: DeliveryState) {
        if let Some(count) = self.place(state) {
            *count = count.saturating_sub(1);
        }
        if !state.is_terminal() {
            self.queue.depth = self.queue.depth.saturating_sub(1);
        }
    }

    pub fn record_latency(&mut self, micros: u64) {
        let seconds = micros as f64 / 1e6;
        if let Some(place) = METRIC_BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.latency_counts[place] += 1;
        }
        self.latency_sum_us = self.latency_sum_us.saturating_add(micros);
        self.latency_count += 1;
    }

    pub fn totals(&self, lane: LaneId, queue: QueueFigures) -> LaneTotals {
        let mut cumulative = 0;
        let latency = METRIC_BOUNDS
            .iter()
            .zip(self.latency_counts)
            .map(|(bound, count)| {
                cumulative += count;
                (*bound, cumulative)
            })
            .collect();
        LaneTotals {
            lane,
            accepted: self.accepted,
            attempts: self.attempts,
            delivered: self.delivered,
            dead: self.dead,
            failures: self.failures,
            latency,
            latency_sum_seconds: self.latency_sum_us as f64 / 1e6,
            latency_count: self.latency_count,
            queue,
        }
    }
}

/// For `/metrics`: counters since the process started.
#[derive(Clone, Debug)]
pub struct LaneTotals {
    pub lane: LaneId,
    pub accepted: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub dead: u64,
    pub failures: [u64; 7],
    /// (upper bound in seconds, cumulative count)
    pub latency: Vec<(f64, u64)>,
    pub latency_sum_seconds: f64,
    pub latency_count: u64,
    pub queue: QueueFigures,
}
