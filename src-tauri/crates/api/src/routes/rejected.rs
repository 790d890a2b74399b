//! Requests that were refused at the door.

use axum::Json;
use serde::Deserialize;
use signalbox_model::RejectedId;
use signalbox_store::event::Rejected;
use utoipa::IntoParams;

use crate::dto::rejected::{RejectedPage, RejectedRequest};
use crate::extract::{Params, page_limit};
use crate::problem::{Code, Problem};
use crate::state::Running;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectedParams {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows: 1 to 500, 50 unless set.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// Refused requests, newest first.
#[utoipa::path(get, path = "/api/v1/rejected", tag = "rejected", params(RejectedParams),
    responses((status = 200, body = RejectedPage)))]
pub(super) async fn list(
    Running(instance): Running,
    Params(params): Params<RejectedParams>,
) -> Result<Json<RejectedPage>, Problem> {
    let limit = page_limit(params.limit.as_deref())?;
    let cursor = params.cursor.as_deref().map(str::parse::<RejectedId>).transpose();
    let cursor = cursor.map_err(|error| Problem::new(Code::InvalidCursor, format!("cursor: {error}.")))?;
    let rows = instance.runtime.store().rejected(cursor, limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|row| row.id.to_string());
    Ok(Json(RejectedPage { items: rows.into_iter().map(shown).collect(), next }))
}

fn shown(row: Rejected) -> RejectedRequest {
    RejectedRequest {
        id: row.id.to_string(),
        at: row.at.into(),
        integration: row.integration,
        path: row.path,
        status: row.status,
        code: row.code,
        reason: row.reason,
        remote: row.remote,
        headers: row.headers,
        body_preview: String::from_utf8(row.body.to_vec()).ok(),
        size: row.size,
        doctor: row.doctor.and_then(|text| serde_json::from_str(&text).ok()),
    }
}
