//! A test event: what it would do, or doing it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use signalbox_engine::view::TestEvent;

use crate::dto::test_event::{TestAccepted, TestBody, TestDryRun};
use crate::extract::{Json as Body, Name, NoParams};
use crate::problem::Problem;
use crate::state::Running;
use crate::view::test_event::{accepted, dry_run};

/// Says what would become of an event, or (`dry_run: false`) accepts it as if the source had received and verified it.
#[utoipa::path(post, path = "/api/v1/integrations/{name}/test", tag = "integrations", request_body = TestBody,
    params(("name" = String, Path)),
    responses((status = 200, description = "The dry run", body = TestDryRun),
        (status = 202, description = "In the ledger, and on its way", body = TestAccepted)))]
pub(super) async fn test(
    Running(instance): Running,
    Name(name): Name,
    _: NoParams,
    Body(asked): Body<TestBody>,
) -> Result<Response, Problem> {
    let event = TestEvent {
        body: asked.body,
        content_type: asked.content_type.unwrap_or_else(|| "application/json".to_owned()),
        headers: asked.headers.unwrap_or_default(),
    };
    if asked.dry_run.unwrap_or(true) {
        return Ok(Json(dry_run(instance.runtime.dry_run(&name, event).await?)).into_response());
    }
    let receipt = instance.runtime.send_test_event(&name, event).await?;
    let answer = TestAccepted { events: receipt.events.iter().map(accepted).collect() };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}
