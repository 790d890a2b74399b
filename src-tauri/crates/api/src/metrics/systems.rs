//! The gates of systems in a scrape.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use signalbox_engine::Runtime;
use signalbox_engine::gates::view::SystemView;
use signalbox_model::breaker::State;

use super::collect::measured;

/// Systems with series of their own; more are left out, so that a scrape stays bounded.
const MOST_SYSTEMS: usize = 200;

/// What is shown of one system.
#[derive(Clone, Debug)]
pub(super) struct System {
    name: String,
    breaker_open: f64,
    /// Of the quota of which the smallest share is left. A quota's name is the vendor's, and no label.
    quota_left: Option<f64>,
    stands_in: f64,
}

pub(super) fn systems(runtime: &Runtime) -> Vec<System> {
    let workspace = runtime.workspace();
    let named = workspace.systems.keys().take(MOST_SYSTEMS);
    named.filter_map(|name| Some(System::of(name, &runtime.system_gates(name)?))).collect()
}

impl System {
    fn of(name: &str, view: &SystemView) -> Self {
        let open = matches!(view.breaker.state, Some(State::Open | State::HalfOpen | State::HeldOpen));
        let left = view.quotas.iter().filter_map(|quota| Some(quota.remaining as f64 / quota.limit? as f64));
        let first = view.endpoints.first().is_none_or(|first| first.active);
        Self {
            name: name.to_owned(),
            breaker_open: f64::from(u8::from(open)),
            quota_left: left.reduce(f64::min),
            stands_in: f64::from(u8::from(!first)),
        }
    }
}

pub(super) fn encode(systems: &[System], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    type Read = fn(&System) -> Option<f64>;
    let gauges: [(&str, &str, Read); 3] = [
        ("signalbox_breaker_open", "1 while the system's breaker lets nothing but a probe through.", |system| {
            Some(system.breaker_open)
        }),
        ("signalbox_quota_remaining_ratio", "What is left of the system's tightest quota.", |system| system.quota_left),
        ("signalbox_failover_active", "1 while another base URL stands in for the system's own.", |system| {
            Some(system.stands_in)
        }),
    ];
    for (name, help, read) in gauges {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for system in systems {
            if let Some(value) = read(system) {
                measured(&mut metric, &[("system", system.name.clone())], value)?;
            }
        }
    }
    Ok(())
}
