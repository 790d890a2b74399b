//! `GET /metrics`: the signals' own numbers in Prometheus' text format. Nothing is counted here.

mod collect;
mod systems;
mod text;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::problem::{Code, Problem};
use crate::state::Running;
use collect::Figures;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Counters and histograms since the start, and gauges of now, by integration and destination.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn scrape(Running(instance): Running, headers: HeaderMap) -> Result<Response, Problem> {
    let figures = Figures::now(&instance.runtime).await?;
    let mut registry = Registry::default();
    registry.register_collector(Box::new(figures));
    let mut written = String::new();
    encode(&mut written, &registry)
        .map_err(|_| Problem::new(Code::Internal, "The figures could not be written as text."))?;
    if asks_for_open_metrics(&headers) {
        return Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], written).into_response());
    }
    Ok(([(header::CONTENT_TYPE, CLASSIC)], text::classic(&written)).into_response())
}

fn asks_for_open_metrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind.trim_start().starts_with("application/openmetrics-text"))
}
