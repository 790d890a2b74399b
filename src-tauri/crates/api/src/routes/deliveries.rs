//! Deliveries: the list, and everything about one.

use axum::Json;
use serde::Deserialize;
use signalbox_model::DeliveryId;
use signalbox_store::read::ListQuery;
use utoipa::IntoParams;

use super::selection;
use crate::dto::delivery::{DeliveryDetail, DeliveryPage};
use crate::extract::{Id, NoParams, Params, page_limit};
use crate::problem::{Code, Problem};
use crate::state::Running;
use crate::view::{delivery, detail};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// In the filter language; everything without it.
    filter: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows: 1 to 500, 50 unless set.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// Deliveries, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "deliveries", params(ListParams),
    responses((status = 200, body = DeliveryPage)))]
pub(super) async fn list(
    Running(instance): Running,
    Params(params): Params<ListParams>,
) -> Result<Json<DeliveryPage>, Problem> {
    let runtime = &instance.runtime;
    let limit = page_limit(params.limit.as_deref())?;
    let filter = selection::filter(runtime, params.filter.as_deref()).await?;
    if let Some(cursor) = &params.cursor
        && let Err(error) = cursor.parse::<DeliveryId>()
    {
        return Err(Problem::new(Code::InvalidCursor, format!("cursor: {error}. Begin again without it.")));
    }
    let query =
        ListQuery { filter, now: runtime.clock().now(), gates: runtime.closed_gates(), cursor: params.cursor, limit };
    let page = runtime.store().list(query).await?;
    Ok(Json(DeliveryPage {
        items: page.items.iter().map(|row| delivery::row(runtime, row)).collect(),
        next: page.next,
        total: page.total,
        total_exact: page.total_exact,
    }))
}

/// One delivery with its attempts, trace and revisions.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", tag = "deliveries",
    params(("id" = String, Path, description = "dlv_…")), responses((status = 200, body = DeliveryDetail)))]
pub(super) async fn one(
    Running(instance): Running,
    Id(id): Id<DeliveryId>,
    _: NoParams,
) -> Result<Json<DeliveryDetail>, Problem> {
    let runtime = &instance.runtime;
    let found = runtime.store().delivery(id).await?.ok_or_else(|| Problem::missing("delivery", id))?;
    Ok(Json(detail::detail(runtime, &found).await?))
}
