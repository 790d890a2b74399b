//! Events and their bytes.

use axum::Json;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use signalbox_model::EventId;

use crate::dto::event::Event;
use crate::extract::Id;
use crate::problem::Problem;
use crate::state::Running;
use crate::view::delivery;
use crate::view::split::split;

/// Kinds of body that a browser cannot run; any other goes out as plain bytes.
const HARMLESS: [&str; 4] = ["application/json", "text/plain", "text/csv", "application/x-www-form-urlencoded"];

/// One event and where it went.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "events",
    params(("id" = String, Path, description = "evt_…")), responses((status = 200, body = Event)))]
pub(super) async fn one(Running(instance): Running, Id(id): Id<EventId>) -> Result<Json<Event>, Problem> {
    let runtime = &instance.runtime;
    let store = runtime.store();
    let (event, deliveries) = tokio::join!(store.event(id), store.deliveries_of(id));
    let event = event?.ok_or_else(|| Problem::missing("event", id))?;
    let split = split(&**store, event.part).await?;
    Ok(Json(Event {
        id: event.id.to_string(),
        integration: event.integration,
        version: event.version,
        received_at: event.received_at.into(),
        source_id: event.source_id,
        r#type: event.event_type,
        key: event.key,
        method: event.method,
        path: event.path,
        query: event.query,
        headers: event.headers,
        content_type: event.content_type,
        size: event.size,
        notes: event.notes,
        conflict_of: event.conflict_of.map(|event| event.to_string()),
        split,
        deliveries: deliveries?.iter().map(|row| delivery::sibling(runtime, row)).collect(),
    }))
}

/// The event's bytes, as they arrived.
#[utoipa::path(get, path = "/api/v1/events/{id}/body", tag = "events",
    params(("id" = String, Path, description = "evt_…")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(super) async fn bytes(Running(instance): Running, Id(id): Id<EventId>) -> Result<Response, Problem> {
    let store = instance.runtime.store();
    let (event, body) = tokio::join!(store.event(id), store.event_body(id));
    let event = event?.ok_or_else(|| Problem::missing("event", id))?;
    let body = body?.ok_or_else(|| Problem::missing("event", id))?;
    let kind = harmless(event.content_type.as_deref());
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(response)
}

fn harmless(content_type: Option<&str>) -> &'static str {
    let kind = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    HARMLESS.into_iter().find(|known| *known == kind).unwrap_or("application/octet-stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_never_arrives_as_something_that_a_browser_would_run() {
        assert_eq!(harmless(Some("Application/JSON; charset=utf-8")), "application/json");
        for other in [Some("text/html"), Some("image/svg+xml"), Some("application/javascript"), Some(""), None] {
            assert_eq!(harmless(other), "application/octet-stream");
        }
    }
}
