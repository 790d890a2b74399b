//! Whether the program lives, and whether it takes events.

use http::StatusCode;

use crate::problem::Problem;
use crate::state::Running;

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// A workspace runs, its ledger answers and takes events.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It does", body = String)))]
pub(super) async fn readyz(Running(instance): Running) -> Result<(StatusCode, &'static str), Problem> {
    let store = instance.runtime.store();
    if let Some(trouble) = store.trouble() {
        return Err(trouble.into());
    }
    store.size_on_disk().await?;
    Ok((StatusCode::OK, "ready\n"))
}
