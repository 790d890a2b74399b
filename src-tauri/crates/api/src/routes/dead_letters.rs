//! Dead letters by what killed them.

use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

use super::selection;
use crate::dto::group::{FailureGroup, FailureGroups};
use crate::extract::Params;
use crate::problem::Problem;
use crate::state::Running;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupParams {
    /// Narrows the dead letters that are grouped.
    filter: Option<String>,
}

/// Failure groups, largest newest first, at most 200.
#[utoipa::path(get, path = "/api/v1/dead-letters/groups", tag = "dead letters", params(GroupParams),
    responses((status = 200, body = FailureGroups)))]
pub(super) async fn groups(
    Running(instance): Running,
    Params(params): Params<GroupParams>,
) -> Result<Json<FailureGroups>, Problem> {
    let runtime = &instance.runtime;
    let filter = selection::filter(runtime, params.filter.as_deref()).await?;
    let rows = runtime.store().groups(&filter, runtime.clock().now(), &runtime.closed_gates()).await?;
    let workspace = runtime.workspace();
    let items = rows.into_iter().map(|row| {
        let lane = runtime.lane(row.lane);
        let of = |read: fn(&signalbox_store::Lane) -> &String| lane.as_ref().map(read).cloned().unwrap_or_default();
        let integration = of(|lane| &lane.integration);
        let known = workspace.integrations.get(&integration);
        FailureGroup {
            id: row.id.to_string(),
            count: row.count,
            integration_title: known.map_or_else(|| integration.clone(), |known| known.title.clone()),
            integration,
            destination: of(|lane| &lane.destination),
            system: of(|lane| &lane.system),
            stage: row.stage.into(),
            kind: row.kind.into(),
            status: row.status,
            message: row.message,
            first_at: row.first_at.into(),
            last_at: row.last_at.into(),
            sample: row.sample.to_string(),
            key_count: row.key_count,
            series: row.series.to_vec(),
        }
    });
    Ok(Json(FailureGroups { items: items.collect(), next: None }))
}
