//! Where the panel is.

use axum::Json;
use axum::extract::State;

use crate::dto::session::Session;
use crate::state::Api;

/// The program, its workspace, and what can be started.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub(super) async fn session(State(api): State<Api>) -> Json<Session> {
    Json(api.host().session())
}
