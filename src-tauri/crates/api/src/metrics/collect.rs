//! The figures of one scrape.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use signalbox_engine::Runtime;
use signalbox_engine::signals::{LaneTotals, ProcessFigures};
use signalbox_model::FailureKind;
use signalbox_store::{LaneId, StoreError};

use super::systems::{self, System};

/// Destinations with series of their own; the others are added up under `other`, so that a scrape stays bounded.
const MOST_LANES: usize = 500;
const OTHER: &str = "other";

type Labels = [(&'static str, String)];

#[derive(Debug)]
pub(super) struct Figures {
    lanes: Vec<Lane>,
    systems: Vec<System>,
    dead_letters: u64,
    rejected: u64,
    duplicates: u64,
    stale: u64,
    ledger_bytes: u64,
    process: ProcessFigures,
}

/// What is shown of one destination.
#[derive(Clone, Debug, Default)]
struct Lane {
    integration: String,
    destination: String,
    created: u64,
    delivered: u64,
    dead: u64,
    attempts: u64,
    failures: [u64; 7],
    /// Upper bound in seconds, count up to it.
    latency: Vec<(f64, u64)>,
    latency_sum: f64,
    latency_count: u64,
    waiting: [(&'static str, u64); 4],
    oldest_seconds: f64,
    in_flight: u64,
    gate_closed: bool,
}

impl Figures {
    pub(super) async fn now(runtime: &Runtime) -> Result<Self, StoreError> {
        let signals = runtime.signals();
        Ok(Self {
            lanes: lanes(runtime),
            systems: systems::systems(runtime),
            dead_letters: signals.dead_count(),
            rejected: signals.rejected_count(),
            duplicates: signals.duplicates_count(),
            stale: signals.stale_count(),
            ledger_bytes: runtime.store().size_on_disk().await?,
            process: signals.process(),
        })
    }
}

fn lanes(runtime: &Runtime) -> Vec<Lane> {
    let gates: BTreeMap<LaneId, _> = runtime.gates().into_iter().map(|gate| (gate.lane, gate)).collect();
    let mut lanes: Vec<Lane> = Vec::new();
    for totals in runtime.signals().totals() {
        let Some(known) = runtime.lane(totals.lane) else { continue };
        let gate = gates.get(&totals.lane);
        let mut lane = Lane::of(&totals, known.integration, known.destination);
        lane.in_flight = gate.map_or(0, |gate| u64::from(gate.in_flight));
        lane.gate_closed = gate.is_some_and(|gate| gate.reason.is_some());
        if let Some(other) = lanes.get_mut(MOST_LANES) {
            other.add(&lane);
        } else if lanes.len() == MOST_LANES {
            lanes.push(Lane { integration: OTHER.to_owned(), destination: OTHER.to_owned(), ..lane });
        } else {
            lanes.push(lane);
        }
    }
    lanes
}

impl Lane {
    fn of(totals: &LaneTotals, integration: String, destination: String) -> Self {
        let queue = &totals.queue;
        Self {
            integration,
            destination,
            created: totals.accepted,
            delivered: totals.delivered,
            dead: totals.dead,
            attempts: totals.attempts,
            failures: totals.failures,
            latency: totals.latency.clone(),
            latency_sum: totals.latency_sum_seconds,
            latency_count: totals.latency_count,
            waiting: [
                ("queued", queue.queued),
                ("sending", queue.sending),
                ("retrying", queue.retrying),
                ("held", queue.held),
            ],
            oldest_seconds: queue.oldest_age.unwrap_or_default().as_secs_f64(),
            in_flight: 0,
            gate_closed: false,
        }
    }

    fn add(&mut self, lane: &Self) {
        self.created += lane.created;
        self.delivered += lane.delivered;
        self.dead += lane.dead;
        self.attempts += lane.attempts;
        self.latency_sum += lane.latency_sum;
        self.latency_count += lane.latency_count;
        self.in_flight += lane.in_flight;
        self.gate_closed |= lane.gate_closed;
        self.oldest_seconds = self.oldest_seconds.max(lane.oldest_seconds);
        for (sum, count) in self.failures.iter_mut().zip(lane.failures) {
            *sum += count;
        }
        for (sum, count) in self.waiting.iter_mut().zip(lane.waiting) {
            sum.1 += count.1;
        }
        for (sum, count) in self.latency.iter_mut().zip(&lane.latency) {
            sum.1 += count.1;
        }
    }

    fn labels(&self) -> [(&'static str, String); 2] {
        [("integration", self.integration.clone()), ("destination", self.destination.clone())]
    }

    fn labels_with(&self, name: &'static str, value: &str) -> [(&'static str, String); 3] {
        let [integration, destination] = self.labels();
        [integration, destination, (name, value.to_owned())]
    }

    /// Not cumulative, and with the bucket up to infinity, as the encoder wants it.
    fn buckets(&self) -> Vec<(f64, u64)> {
        let mut before = 0;
        let bounds = self.latency.iter().copied().chain([(f64::INFINITY, self.latency_count)]);
        bounds
            .map(|(bound, upto)| {
                let here = upto.saturating_sub(before);
                before = upto;
                (bound, here)
            })
            .collect()
    }
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.counter(encoder, "signalbox_deliveries_created", "Deliveries that came into being.", |lane| lane.created)?;
        self.counter(
            encoder,
            "signalbox_deliveries_delivered",
            "Deliveries that their destination confirmed.",
            |lane| lane.delivered,
        )?;
        self.counter(encoder, "signalbox_deliveries_dead", "Deliveries that were given up.", |lane| lane.dead)?;
        self.counter(encoder, "signalbox_attempts", "Attempts that ended.", |lane| lane.attempts)?;
        self.failures(encoder)?;
        self.latency(encoder)?;
        self.waiting(encoder)?;
        self.gauge(
            encoder,
            "signalbox_oldest_delivery_age_seconds",
            "Age of the oldest delivery that has not ended.",
            |lane| lane.oldest_seconds,
        )?;
        self.gauge(encoder, "signalbox_requests_in_flight", "Requests on their way.", |lane| lane.in_flight as f64)?;
        self.gauge(encoder, "signalbox_gate_closed", "1 where the destination's gate is closed.", |lane| {
            f64::from(u8::from(lane.gate_closed))
        })?;
        systems::encode(&self.systems, encoder)?;
        self.program(encoder)
    }
}

impl Figures {
    fn counter(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        read: impl Fn(&Lane) -> u64,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        self.lanes.iter().try_for_each(|lane| counted(&mut metric, &lane.labels(), read(lane)))
    }

    fn gauge(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        read: impl Fn(&Lane) -> f64,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        self.lanes.iter().try_for_each(|lane| measured(&mut metric, &lane.labels(), read(lane)))
    }

    fn failures(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Attempts, and deliveries in their steps, that failed, by kind.";
        let mut metric = encoder.encode_descriptor("signalbox_failures", help, None, MetricType::Counter)?;
        for lane in &self.lanes {
            for (kind, count) in FailureKind::ALL.into_iter().zip(lane.failures) {
                counted(&mut metric, &lane.labels_with("kind", kind.as_str()), count)?;
            }
        }
        Ok(())
    }

    fn latency(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "From the acceptance of an event to the confirmation of its delivery.";
        let name = "signalbox_delivery_latency_seconds";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for lane in &self.lanes {
            let labels = lane.labels();
            let mut family = metric.encode_family(&labels)?;
            family.encode_histogram::<NoLabelSet>(lane.latency_sum, lane.latency_count, &lane.buckets(), None)?;
        }
        Ok(())
    }

    fn waiting(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Deliveries that have not ended, by their stored state.";
        let mut metric = encoder.encode_descriptor("signalbox_queue_depth", help, None, MetricType::Gauge)?;
        for lane in &self.lanes {
            for (state, count) in lane.waiting {
                measured(&mut metric, &lane.labels_with("state", state), count as f64)?;
            }
        }
        Ok(())
    }

    fn program(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, count) in [
            ("signalbox_requests_rejected", "Requests refused at the door.", self.rejected),
            ("signalbox_events_duplicate", "Events that had been accepted before.", self.duplicates),
            ("signalbox_completions_stale", "Ends of attempts that came too late to count.", self.stale),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(count).encode(metric)?;
        }
        for (name, help, value) in [
            ("signalbox_dead_letters", "Dead letters now.", self.dead_letters as f64),
            ("signalbox_ledger_size_bytes", "Size of the ledger on disk.", self.ledger_bytes as f64),
            ("signalbox_process_cpu_ratio", "Share of one core in use.", self.process.cpu_percent / 100.0),
            ("signalbox_process_resident_memory_bytes", "Memory in use.", self.process.rss_bytes as f64),
            ("signalbox_process_uptime_seconds", "Time since the start.", self.process.uptime.as_secs_f64()),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)?;
        }
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let metric = encoder.encode_descriptor("signalbox_build", "The program.", None, MetricType::Info)?;
        build.encode(metric)
    }
}

fn counted(metric: &mut MetricEncoder<'_>, labels: &Labels, count: u64) -> fmt::Result {
    ConstCounter::new(count).encode(metric.encode_family(&labels)?)
}

pub(super) fn measured(metric: &mut MetricEncoder<'_>, labels: &Labels, value: f64) -> fmt::Result {
    ConstGauge::new(value).encode(metric.encode_family(&labels)?)
}
