//! Discards: dead letters and waiting deliveries that a person decides not to send; and back.

use axum::Json;
use http::StatusCode;
use signalbox_model::DiscardId;
use signalbox_store::delivery::UndoneDiscard;

use super::selection::{nothing, reason, selection};
use crate::dto::replay::{DiscardBody, Discarded, Restored};
use crate::extract::{Id, Json as Body, NoBody};
use crate::problem::Problem;
use crate::state::Running;

/// Discards what is selected and has not ended, dead letters included.
#[utoipa::path(post, path = "/api/v1/discards", tag = "dead letters", request_body = DiscardBody,
    responses((status = 201, body = Discarded)))]
pub(super) async fn discard(
    Running(instance): Running,
    Body(body): Body<DiscardBody>,
) -> Result<(StatusCode, Json<Discarded>), Problem> {
    let runtime = &instance.runtime;
    let selection = selection(runtime, body.filter.as_deref(), body.ids.as_deref()).await?;
    let (id, count) = runtime.discard(selection, reason(body.reason)?).await?;
    if count == 0 {
        return Err(nothing("Nothing of this selection is dead, queued, retrying or held, so nothing was discarded."));
    }
    Ok((StatusCode::CREATED, Json(Discarded { id: id.to_string(), count })))
}

/// Makes a discard undone: every row becomes what it was, unless something newer of its key was delivered meanwhile.
#[utoipa::path(post, path = "/api/v1/discards/{id}/undo", tag = "dead letters",
    params(("id" = String, Path, description = "dsc_…")), responses((status = 200, body = Restored)))]
pub(super) async fn undo(
    Running(instance): Running,
    Id(id): Id<DiscardId>,
    _: NoBody,
) -> Result<Json<Restored>, Problem> {
    let UndoneDiscard { restored, superseded } = instance.runtime.undo_discard(id).await?;
    Ok(Json(Restored { id: id.to_string(), restored, superseded }))
}
