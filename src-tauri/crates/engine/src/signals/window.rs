//! A window of time put together from buckets: totals, points for charts, merged percentiles.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use signalbox_model::Timestamp;
use signalbox_store::LaneId;
use signalbox_store::series::{BUCKET_SECONDS, SeriesRow};

use super::buckets::Bucket;
use super::{Inner, QueueFigures, Rates, bucket_of};

/// Charts draw at most this many points.
const POINTS_MAX: i64 = 240;

#[derive(Clone, Debug)]
pub struct Overview {
    pub at: Timestamp,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Width of one point.
    pub bucket: Duration,
    pub lanes: BTreeMap<LaneId, LaneWindow>,
    pub total: LaneWindow,
    /// The window before this one.
    pub previous_delivered: u64,
    pub previous_ended: u64,
    pub rates: Rates,
}

#[derive(Clone, Debug, Default)]
pub struct LaneWindow {
    pub accepted: u64,
    pub attempts: u64,
    pub delivered: u64,
    pub dead: u64,
    pub failures: [u64; 7],
    pub latency: Option<LatencySummary>,
    pub points: SeriesPoints,
    pub queue: QueueFigures,
    pub dead_now: u64,
    pub last_failure_at: Option<Timestamp>,
    pub last_delivered_at: Option<Timestamp>,
    /// The status of the last failed attempt.
    pub top_status: Option<u16>,
}

/// Accept → confirmed, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencySummary {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Clone, Debug, Default)]
pub struct SeriesPoints {
    pub start: Timestamp,
    pub accepted: Vec<u64>,
    pub attempts: Vec<u64>,
    pub delivered: Vec<u64>,
    pub dead: Vec<u64>,
    pub failures: [Vec<u64>; 7],
    pub p50_ms: Vec<Option<f64>>,
    pub p95_ms: Vec<Option<f64>>,
    pub p99_ms: Vec<Option<f64>>,
    pub queue_depth: Vec<Option<u64>>,
    pub oldest_age_ms: Vec<Option<u64>>,
}

fn summary(histogram: &Histogram<u32>) -> Option<LatencySummary> {
    if histogram.is_empty() {
        return None;
    }
    let ms = |micros: u64| (micros as f64 / 100.0).round() / 10.0;
    Some(LatencySummary {
        p50_ms: ms(histogram.value_at_quantile(0.50)),
        p95_ms: ms(histogram.value_at_quantile(0.95)),
        p99_ms: ms(histogram.value_at_quantile(0.99)),
        max_ms: ms(histogram.max()),
    })
}

/// Sums of one point of a chart, percentiles by merging histograms, never by averaging.
#[derive(Clone, Default)]
struct Point {
    sum: Bucket,
    seen: bool,
}

impl Point {
    fn add(&mut self, bucket: &Bucket) {
        self.seen = true;
        let sum = &mut self.sum;
        sum.accepted += bucket.accepted;
        sum.attempts += bucket.attempts;
        sum.delivered += bucket.delivered;
        sum.dead += bucket.dead;
        for (total, count) in sum.failures.iter_mut().zip(bucket.failures) {
            *total += count;
        }
        merge(&mut sum.latency, bucket.latency.as_ref());
    }
}

fn merge(into: &mut Option<Histogram<u32>>, from: Option<&Histogram<u32>>) {
    match (into.as_mut(), from) {
        (Some(into), Some(from)) => {
            // Both resize by themselves, so adding cannot fail; if it did, this part is left out.
            let _ = into.add(from);
        }
        (None, Some(from)) => *into = Some(from.clone()),
        _ => {}
    }
}

/// The queue at a point's end: how many, and the oldest's age in milliseconds.
type Depth = (u64, Option<u64>);

struct Grid {
    from: i64,
    width: i64,
    points: usize,
}

impl Grid {
    fn place(&self, bucket: i64) -> Option<usize> {
        let place = usize::try_from((bucket - self.from).div_euclid(self.width)).ok()?;
        (place < self.points && bucket >= self.from).then_some(place)
    }
}

pub(super) fn assemble(now: Timestamp, window: Duration, older: &[SeriesRow], inner: &Inner, rates: Rates) -> Overview {
    let window_seconds = i64::try_from(window.as_secs()).unwrap_or(3_600).max(BUCKET_SECONDS);
    let buckets = window_seconds / BUCKET_SECONDS;
    let width = BUCKET_SECONDS * (buckets + POINTS_MAX - 1).div_euclid(POINTS_MAX).max(1);
    let end = bucket_of(now).div_euclid(width) * width + width;
    let points = (window_seconds / width).max(1);
    let grid = Grid { from: end - points * width, width, points: usize::try_from(points).unwrap_or(1) };
    let before = grid.from - points * width;

    let older: Vec<((i64, LaneId), Bucket)> =
        older.iter().map(|row| ((row.bucket, row.lane), Bucket::from_row(row))).collect();
    let known = older
        .iter()
        .filter(|(place, _)| !inner.buckets.contains_key(place))
        .map(|(place, bucket)| (place, bucket))
        .chain(inner.buckets.iter());

    let mut lanes: BTreeMap<LaneId, Vec<Point>> =
        inner.lanes.keys().map(|lane| (*lane, vec![Point::default(); grid.points])).collect();
    let mut depths: BTreeMap<LaneId, Vec<Option<Depth>>> = BTreeMap::new();
    let (mut previous_delivered, mut previous_ended) = (0, 0);
    for ((start, lane), bucket) in known {
        if let Some(place) = grid.place(*start) {
            let points = lanes.entry(*lane).or_insert_with(|| vec![Point::default(); grid.points]);
            points[place].add(bucket);
            if let Some(depth) = bucket.queue_depth {
                depths.entry(*lane).or_insert_with(|| vec![None; grid.points])[place] =
                    Some((depth, bucket.oldest_age_ms));
            }
        } else if *start >= before && *start < grid.from {
            previous_delivered += bucket.delivered;
            previous_ended += bucket.delivered + bucket.dead;
        }
    }

    let mut total_points = vec![Point::default(); grid.points];
    let mut total_depths: Vec<Option<Depth>> = vec![None; grid.points];
    let mut total = LaneWindow::default();
    let mut windows = BTreeMap::new();
    for (lane, points) in lanes {
        for (sum, point) in total_points.iter_mut().zip(&points) {
            if point.seen {
                sum.add(&point.sum);
            }
        }
        let depth = depths.remove(&lane).unwrap_or_else(|| vec![None; grid.points]);
        for (sum, one) in total_depths.iter_mut().zip(&depth) {
            if let Some((depth, age)) = one {
                let (sum_depth, sum_age) = sum.unwrap_or((0, None));
                *sum = Some((sum_depth + depth, sum_age.max(*age)));
            }
        }
        let mut one = lane_window(&grid, &points, &depth);
        if let Some(counters) = inner.lanes.get(&lane) {
            one.queue = inner.queue_of(lane, counters, now);
            one.dead_now = counters.dead_now;
            one.last_failure_at = counters.last_failure_at;
            one.last_delivered_at = counters.last_delivered_at;
            one.top_status = counters.last_status;
        }
        total.queue.add(&one.queue);
        total.dead_now += one.dead_now;
        if one.last_failure_at > total.last_failure_at {
            total.top_status = one.top_status;
        }
        total.last_failure_at = total.last_failure_at.max(one.last_failure_at);
        total.last_delivered_at = total.last_delivered_at.max(one.last_delivered_at);
        windows.insert(lane, one);
    }
    let sums = lane_window(&grid, &total_points, &total_depths);
    let total = LaneWindow {
        queue: total.queue,
        dead_now: total.dead_now,
        last_failure_at: total.last_failure_at,
        last_delivered_at: total.last_delivered_at,
        top_status: total.top_status,
        ..sums
    };
    Overview {
        at: now,
        from: Timestamp::from_secs(grid.from),
        to: Timestamp::from_secs(end),
        bucket: Duration::from_secs(u64::try_from(width).unwrap_or(30)),
        lanes: windows,
        total,
        previous_delivered,
        previous_ended,
        rates,
    }
}

fn lane_window(grid: &Grid, points: &[Point], depths: &[Option<Depth>]) -> LaneWindow {
    let mut window = LaneWindow::default();
    let mut all = None;
    let series = &mut window.points;
    series.start = Timestamp::from_secs(grid.from);
    for (point, depth) in points.iter().zip(depths) {
        let sum = &point.sum;
        window.accepted += sum.accepted;
        window.attempts += sum.attempts;
        window.delivered += sum.delivered;
        window.dead += sum.dead;
        series.accepted.push(sum.accepted);
        series.attempts.push(sum.attempts);
        series.delivered.push(sum.delivered);
        series.dead.push(sum.dead);
        for ((total, line), count) in window.failures.iter_mut().zip(&mut series.failures).zip(sum.failures) {
            *total += count;
            line.push(count);
        }
        merge(&mut all, sum.latency.as_ref());
        let latency = sum.latency.as_ref().and_then(summary);
        series.p50_ms.push(latency.map(|latency| latency.p50_ms));
        series.p95_ms.push(latency.map(|latency| latency.p95_ms));
        series.p99_ms.push(latency.map(|latency| latency.p99_ms));
        series.queue_depth.push(depth.map(|(depth, _)| depth));
        series.oldest_age_ms.push(depth.and_then(|(_, age)| age));
    }
    window.latency = all.as_ref().and_then(summary);
    window
}
