//! The API over HTTP: routes, their DTOs, the OpenAPI description, `/metrics`, the panel's files, and who may ask.
//!
//! [`router`] is the whole of it. The window's command puts [`InProcess`] on its requests and reaches the same router
//! without a token; everyone else passes the checks of [`guard`].

pub mod dto;
mod extract;
mod guard;
mod host;
mod metrics;
mod openapi;
mod overview;
mod panel;
pub mod problem;
mod routes;
mod sign_in;
mod state;
mod suggest;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use tower_http::catch_panic::CatchPanicLayer;

pub use guard::InProcess;
pub use host::{Host, HostError, Instance};
pub use openapi::openapi;
pub use sign_in::SignIn;
pub use state::ApiOptions;

use state::Api;

/// Everything that the API's listener serves: `/api/v1`, `/healthz`, `/readyz`, `/metrics`, `/sign-in`, `/errors` and,
/// where the options say so, the panel.
pub fn router(host: Arc<dyn Host>, options: ApiOptions) -> Router {
    let api = Api::new(host, options);
    let (routes, description) = routes::all().split_for_parts();
    routes
        .merge(openapi::route(openapi::finished(description)))
        .merge(panel::routes(api.options().serve_panel))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(api.clone(), guard::check))
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(middleware::from_fn(guard::harden))
        .with_state(api)
}
