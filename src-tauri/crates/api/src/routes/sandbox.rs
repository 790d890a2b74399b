//! The sandbox: start and leave it, turn the dials, see what arrived.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use signalbox_sandbox::{Faults, FaultsError, FaultsPatch, Received, Sandbox};
use utoipa::IntoParams;

use crate::dto::session::Session;
use crate::extract::{Json as Body, Name, NoBody, Params, page_limit};
use crate::host::Instance;
use crate::problem::{Code, Problem};
use crate::state::{Api, Running};

/// Switches to the sandbox and starts its simulated systems.
#[utoipa::path(post, path = "/api/v1/sandbox/start", tag = "sandbox", responses((status = 200, body = Session)))]
pub(super) async fn start(State(api): State<Api>, _: NoBody) -> Result<Json<Session>, Problem> {
    api.host().start_sandbox().await?;
    Ok(Json(api.host().session()))
}

/// Switches back to the person's own workspace.
#[utoipa::path(post, path = "/api/v1/sandbox/leave", tag = "sandbox", responses((status = 200, body = Session)))]
pub(super) async fn leave(State(api): State<Api>, _: NoBody) -> Result<Json<Session>, Problem> {
    api.host().leave_sandbox().await?;
    Ok(Json(api.host().session()))
}

/// Removes the sandbox's data.
#[utoipa::path(delete, path = "/api/v1/sandbox", tag = "sandbox", responses((status = 204, description = "Removed")))]
pub(super) async fn delete(State(api): State<Api>, _: NoBody) -> Result<StatusCode, Problem> {
    api.host().delete_sandbox().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a simulated system's dials stand.
#[utoipa::path(get, path = "/api/v1/sandbox/systems/{name}/faults", tag = "sandbox",
    params(("name" = String, Path)), responses((status = 200, body = Faults)))]
pub(super) async fn faults(Running(instance): Running, Name(name): Name) -> Result<Json<Faults>, Problem> {
    sandbox(&instance)?.faults(&name).map(Json).ok_or_else(|| FaultsError::UnknownSystem(short(&name)).into())
}

/// Turns the dials that the body names; the others stay.
#[utoipa::path(put, path = "/api/v1/sandbox/systems/{name}/faults", tag = "sandbox",
    params(("name" = String, Path)), request_body = FaultsPatch, responses((status = 200, body = Faults)))]
pub(super) async fn set_faults(
    Running(instance): Running,
    Name(name): Name,
    Body(patch): Body<FaultsPatch>,
) -> Result<Json<Faults>, Problem> {
    Ok(Json(sandbox(&instance)?.set_faults(&name, patch)?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceivedParams {
    /// Rows: 1 to 500, 50 unless set.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// What a simulated system received and holds.
#[utoipa::path(get, path = "/api/v1/sandbox/systems/{name}/received", tag = "sandbox",
    params(("name" = String, Path), ReceivedParams), responses((status = 200, body = Received)))]
pub(super) async fn received(
    Running(instance): Running,
    Name(name): Name,
    Params(params): Params<ReceivedParams>,
) -> Result<Json<Received>, Problem> {
    let limit = usize::try_from(page_limit(params.limit.as_deref())?).unwrap_or(usize::MAX);
    let received = sandbox(&instance)?.received(&name, limit);
    received.map(Json).ok_or_else(|| FaultsError::UnknownSystem(short(&name)).into())
}

fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

fn sandbox(instance: &Instance) -> Result<&Arc<Sandbox>, Problem> {
    instance.sandbox.as_ref().ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "The sandbox does not run in this workspace. Start it in the panel, or with `signalbox serve --sandbox`.",
        )
    })
}

impl From<FaultsError> for Problem {
    fn from(error: FaultsError) -> Self {
        let code = match error {
            FaultsError::UnknownSystem(_) => Code::NotFound,
            FaultsError::UnknownDial { .. } | FaultsError::OutOfRange { .. } => Code::InvalidParameter,
            FaultsError::Mend { .. } => Code::Unavailable,
        };
        Self::new(code, format!("{error}."))
    }
}
