//! The description of the API, from the code: `GET /api/v1/openapi.json` and `signalbox openapi`.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::dto::problem::ProblemDocument;
use crate::problem::{Code, Problem};
use crate::routes;
use crate::state::Api;

const SCHEME: &str = "token";

/// Needs no running program.
pub fn openapi() -> OpenApi {
    finished(routes::all().into_openapi())
}

pub(crate) fn finished(mut description: OpenApi) -> OpenApi {
    description.info = InfoBuilder::new()
        .title("Signalbox")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Times are RFC 3339 in UTC with milliseconds, durations whole milliseconds, shares 0 to 1. Lists are \
             `items` and `next`. Errors are RFC 9457 problem documents whose `code` is stable.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    description.servers = None;
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`token` of `<workspace>/.signalbox/runtime.json`"))
        .build();
    let components = description.components.get_or_insert_default();
    components.security_schemes.insert(SCHEME.to_owned(), SecurityScheme::Http(bearer).into());
    components.schemas.insert(ProblemDocument::name().into_owned(), ProblemDocument::schema());
    description.security = Some(vec![SecurityRequirement::new(SCHEME, [] as [&str; 0])]);
    for (path, item) in &mut description.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            let problem = ResponseBuilder::new()
                .description("Why not: see the code")
                .content(
                    "application/problem+json",
                    ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemDocument::name()))).build(),
                )
                .build();
            operation.responses.responses.insert("default".to_owned(), problem.into());
        }
    }
    description
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [("get", &mut item.get), ("put", &mut item.put), ("post", &mut item.post), ("delete", &mut item.delete)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Unique, as OpenAPI 3.1 §4.8.10 asks: handlers of different files share names. `get_deliveries_id` for
/// `GET /api/v1/deliveries/{id}`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

pub(crate) fn route(description: OpenApi) -> Router<Api> {
    let written = description.to_json().map(bytes::Bytes::from);
    let json = written.inspect_err(|error| tracing::error!(%error, "the API's description cannot be written")).ok();
    Router::new().route(
        "/api/v1/openapi.json",
        get(async move || match json {
            Some(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
            None => Problem::new(Code::Internal, "The API's description cannot be written. The log says why.")
                .into_response(),
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_operations_share_their_id() {
        let mut description = openapi();
        let mut seen = std::collections::BTreeSet::new();
        for item in description.paths.paths.values_mut() {
            for (_, operation) in operations(item) {
                let id = operation.operation_id.clone().unwrap();
                assert!(seen.insert(id.clone()), "{id}");
            }
        }
        assert!(seen.contains("get_deliveries_id"), "{seen:?}");
    }

    #[test]
    fn every_route_of_the_public_interface_is_described() {
        let described = serde_json::to_value(openapi()).unwrap();
        for (method, path) in [
            ("get", "/healthz"),
            ("get", "/readyz"),
            ("get", "/metrics"),
            ("get", "/api/v1/deliveries"),
            ("get", "/api/v1/deliveries/{id}"),
            ("get", "/api/v1/events/{id}"),
            ("get", "/api/v1/events/{id}/body"),
            ("get", "/api/v1/dead-letters/groups"),
            ("post", "/api/v1/replays"),
            ("get", "/api/v1/replays/{id}"),
            ("post", "/api/v1/replays/{id}/pause"),
            ("post", "/api/v1/replays/{id}/resume"),
            ("post", "/api/v1/replays/{id}/cancel"),
            ("post", "/api/v1/discards"),
            ("post", "/api/v1/discards/{id}/undo"),
            ("get", "/api/v1/overview"),
            ("get", "/api/v1/integrations"),
            ("get", "/api/v1/integrations/{name}"),
            ("post", "/api/v1/integrations/{name}/pause"),
            ("post", "/api/v1/integrations/{name}/resume"),
            ("post", "/api/v1/integrations/{name}/test"),
            ("get", "/api/v1/systems"),
            ("get", "/api/v1/rejected"),
            ("get", "/api/v1/sandbox/systems/{name}/faults"),
            ("put", "/api/v1/sandbox/systems/{name}/faults"),
            ("get", "/api/v1/sandbox/systems/{name}/received"),
            ("get", "/api/v1/live"),
        ] {
            let operation = &described["paths"][path][method];
            assert!(operation.is_object(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path} has no problem answer");
        }
    }

    #[test]
    fn every_reference_has_its_schema() {
        let described = serde_json::to_value(openapi()).unwrap();
        let text = described.to_string();
        let names = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
        for name in names {
            assert!(described["components"]["schemas"][name].is_object(), "{name} is not described");
        }
    }

    #[test]
    fn words_come_from_the_model() {
        let described = serde_json::to_value(openapi()).unwrap();
        let states = described["components"]["schemas"]["DeliveryState"]["enum"].as_array().unwrap();
        assert_eq!(states.len(), signalbox_model::DeliveryState::ALL.len());
    }
}
