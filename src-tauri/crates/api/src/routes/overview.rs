//! Is anything wrong, and where.

use std::time::Duration;

use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::dto::overview::Overview;
use crate::extract::Params;
use crate::overview;
use crate::problem::{Code, Problem};
use crate::state::Running;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OverviewParams {
    /// `15m`, `1h` (default), `6h` or `24h`.
    window: Option<String>,
}

/// The figures, series and integrations of the last `window`.
#[utoipa::path(get, path = "/api/v1/overview", tag = "overview", params(OverviewParams),
    responses((status = 200, body = Overview)))]
pub(super) async fn overview(
    Running(instance): Running,
    Params(params): Params<OverviewParams>,
) -> Result<Json<Overview>, Problem> {
    let window = window(params.window.as_deref())?;
    Ok(Json(overview::assemble(&instance.runtime, window).await?))
}

fn window(text: Option<&str>) -> Result<Duration, Problem> {
    let minutes = match text.unwrap_or("1h") {
        "15m" => 15,
        "1h" => 60,
        "6h" => 6 * 60,
        "24h" => 24 * 60,
        other => {
            let other: String = other.chars().take(40).collect();
            let detail = format!("window must be 15m, 1h, 6h or 24h, not '{other}'.");
            return Err(Problem::new(Code::InvalidParameter, detail));
        }
    };
    Ok(Duration::from_secs(minutes * 60))
}
