//! The routes: one file per resource.

mod dead_letters;
mod deliveries;
mod discards;
mod events;
mod files;
mod health;
mod integrations;
mod live;
mod overview;
mod rejected;
mod replays;
mod sandbox;
mod selection;
mod session;
mod sign_in;
mod systems;
mod test_event;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::metrics;
use crate::state::Api;

pub(crate) fn all() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::scrape))
        .routes(routes!(session::session))
        .routes(routes!(sign_in::new_link))
        .route("/sign-in", axum::routing::get(sign_in::open))
        .routes(routes!(overview::overview))
        .routes(routes!(live::live))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::one))
        .routes(routes!(events::one))
        .routes(routes!(events::bytes))
        .routes(routes!(dead_letters::groups))
        .routes(routes!(replays::start))
        .routes(routes!(replays::one))
        .routes(routes!(replays::pause))
        .routes(routes!(replays::resume))
        .routes(routes!(replays::cancel))
        .routes(routes!(replays::undo))
        .routes(routes!(replays::items))
        .routes(routes!(replays::patch_of_edit))
        .routes(routes!(discards::discard))
        .routes(routes!(discards::undo))
        .routes(routes!(integrations::list))
        .routes(routes!(integrations::one))
        .routes(routes!(files::read, files::save))
        .routes(routes!(files::preview))
        .routes(routes!(test_event::test))
        .routes(routes!(integrations::pause))
        .routes(routes!(integrations::resume))
        .routes(routes!(integrations::pause_destination))
        .routes(routes!(integrations::resume_destination))
        .routes(routes!(systems::list))
        .routes(routes!(systems::pause))
        .routes(routes!(systems::resume))
        .routes(routes!(systems::breaker))
        .routes(routes!(rejected::list))
        .routes(routes!(sandbox::start))
        .routes(routes!(sandbox::leave))
        .routes(routes!(sandbox::delete))
        .routes(routes!(sandbox::faults, sandbox::set_faults))
        .routes(routes!(sandbox::received))
}
