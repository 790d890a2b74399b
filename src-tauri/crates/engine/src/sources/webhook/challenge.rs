//! Questions that vendors ask before they send events: answered, and no event.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use signalbox_model::verify::Scheme;
use signalbox_transform::parse_json;
use signalbox_workspace::WebhookSource;

const REQUEST_ORIGIN: &str = "webhook-request-origin";
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");
/// Slack's question has three short members.
const URL_VERIFICATION_MAX: usize = 8 << 10;

/// The methods that a source takes, as in `Allow`.
pub fn methods(source: &WebhookSource) -> HeaderValue {
    HeaderValue::from_static(if source.allowed_origins.is_empty() { "POST, PUT" } else { "POST, PUT, OPTIONS" })
}

/// CloudEvents HTTP webhooks 1.0.2, section 4: whether a sender may send here. `Err`: the origin that may not.
pub fn may_send(source: &WebhookSource, headers: &HeaderMap) -> Result<Response, String> {
    let mut answer = StatusCode::OK.into_response();
    answer.headers_mut().insert(header::ALLOW, methods(source));
    let Some(asked) = headers.get(REQUEST_ORIGIN) else { return Ok(answer) };
    let name = String::from_utf8_lossy(asked.as_bytes());
    let allowed = |known: &String| known == "*" || known.eq_ignore_ascii_case(&name);
    if !source.allowed_origins.iter().any(allowed) {
        return Err(name.chars().take(100).collect());
    }
    answer.headers_mut().insert(ALLOWED_ORIGIN, asked.clone());
    // Too much is answered with 429 or 503 when it comes.
    answer.headers_mut().insert(ALLOWED_RATE, HeaderValue::from_static("*"));
    Ok(answer)
}

/// Slack's `url_verification`, once its signature is known to be right.
pub fn url_verification(source: &WebhookSource, body: &[u8]) -> Option<Response> {
    if source.verify.scheme != Scheme::Slack || body.len() > URL_VERIFICATION_MAX {
        return None;
    }
    let value = parse_json(body).ok()?.value;
    if value.get("type")?.as_str()? != "url_verification" {
        return None;
    }
    let challenge = value.get("challenge")?.as_str()?.to_owned();
    Some(Json(serde_json::json!({ "challenge": challenge })).into_response())
}
