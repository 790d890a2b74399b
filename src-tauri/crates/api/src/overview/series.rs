//! Chart data.

use std::time::Duration;

use signalbox_engine::signals::{LatencySummary, SeriesPoints};

use crate::dto::overview::{Failures, PercentileSeries, Percentiles, Series};
use crate::dto::words::one_decimal;

pub(super) fn series(points: &SeriesPoints, bucket: Duration) -> Series {
    let [rejected, rate, auth, mapping, server, network, unknown] = points.failures.clone();
    let rounded = |values: &[Option<f64>]| values.iter().map(|value| value.map(one_decimal)).collect();
    Series {
        start: points.start.into(),
        bucket_seconds: bucket.as_secs(),
        accepted: points.accepted.clone(),
        attempts: points.attempts.clone(),
        delivered: points.delivered.clone(),
        dead: points.dead.clone(),
        failures: Failures { rejected, rate, auth, mapping, server, network, unknown },
        latency_ms: PercentileSeries {
            p50: rounded(&points.p50_ms),
            p95: rounded(&points.p95_ms),
            p99: rounded(&points.p99_ms),
        },
        queue_depth: points.queue_depth.clone(),
        oldest_age_ms: points.oldest_age_ms.clone(),
    }
}

pub(super) fn percentiles(latency: Option<&LatencySummary>) -> Percentiles {
    latency.map_or_else(Percentiles::default, |latency| Percentiles {
        p50: Some(one_decimal(latency.p50_ms)),
        p95: Some(one_decimal(latency.p95_ms)),
        p99: Some(one_decimal(latency.p99_ms)),
    })
}
