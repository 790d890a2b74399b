//! The window's one command: a request of the panel, answered by the same router that serves HTTP.
//!
//! The page is not trusted with more than the API: methods, paths, headers and sizes are limited here, the identity is put on
//! by the app's router, and a header with credentials never passes.

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, Method, Request};
use signalbox_api::problem::{Code, Problem};
use tower::ServiceExt;

use super::frame;

/// The longest request body, in bytes. Edited payloads are at most the ingress cap of 1 MiB, plus their JSON escapes.
pub const MAX_BODY: usize = 2 * 1024 * 1024;
/// The longest path with its query, in bytes.
pub const MAX_PATH: usize = 16 * 1024;
/// The most headers that are looked at.
pub const MAX_HEADERS: usize = 16;
/// The longest value of a header, in bytes.
pub const MAX_HEADER_VALUE: usize = 4 * 1024;

/// What passes from the page to the router. Credentials, `host` and `origin` are not the page's to say.
const HEADERS: [&str; 5] = ["accept", "content-type", "idempotency-key", "if-match", "if-none-match"];
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
/// Routes outside `/api/v1/` that the panel may ask for.
const SINGLE_ROUTES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// A request as the page states it.
#[derive(Debug)]
pub struct Call {
    /// An HTTP method in upper case.
    pub method: String,
    /// Origin form: path and query.
    pub path: String,
    /// Lower-case names and their values.
    pub headers: Vec<(String, String)>,
    /// The body as text; the API takes JSON only.
    pub body: Option<String>,
}

/// Answers a call with a frame, whatever happens: a refusal is a problem document in a frame as well.
///
/// `router` is that of the running engine, or the sentence why it does not run.
pub async fn answer(router: Result<Router, String>, call: Call) -> Vec<u8> {
    let response = match router {
        Err(why) => Problem::new(Code::Unavailable, why).into_response(),
        Ok(router) => match check(call) {
            Err(refused) => refused.into_response(),
            Ok(request) => match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        },
    };
    match frame::encode(response).await {
        Ok(frame) => frame,
        Err(cause) => {
            tracing::error!(%cause, "an answer did not reach the panel");
            let problem = Problem::new(Code::Internal, format!("The panel cannot show this: {cause}."));
            frame::encode(problem.into_response()).await.unwrap_or_default()
        }
    }
}

/// Turns a call into a request for the router, or says why not.
fn check(call: Call) -> Result<Request<Body>, Problem> {
    let Some(method) = METHODS.iter().find(|method| method.as_str() == call.method).cloned() else {
        let shown: String = call.method.chars().take(32).collect();
        return Err(Problem::new(Code::MethodNotAllowed, format!("The panel asked with the method '{shown}'.")));
    };
    within("path", call.path.len(), MAX_PATH)?;
    if !is_api_path(&call.path) {
        let shown: String = call.path.chars().take(120).collect();
        return Err(Problem::new(
            Code::NotFound,
            format!("'{shown}' is not a route of the API; the window reaches nothing else."),
        ));
    }
    let body = call.body.unwrap_or_default();
    within("body", body.len(), MAX_BODY)?;
    within("list of headers", call.headers.len(), MAX_HEADERS)?;

    let mut request = Request::builder().method(method).uri(&call.path);
    for (name, value) in call.headers {
        if !HEADERS.contains(&name.as_str()) {
            continue;
        }
        within("header", value.len(), MAX_HEADER_VALUE)?;
        let name = HeaderName::try_from(name).map_err(malformed)?;
        let value = HeaderValue::try_from(value).map_err(malformed)?;
        request = request.header(name, value);
    }
    request.body(Body::from(body)).map_err(malformed)
}

fn within(what: &str, size: usize, limit: usize) -> Result<(), Problem> {
    if size <= limit {
        return Ok(());
    }
    Err(Problem::new(
        Code::PayloadTooLarge,
        format!("The {what} of the panel's request is {size} long, over the limit of {limit}."),
    ))
}

fn malformed(cause: impl std::fmt::Display) -> Problem {
    Problem::new(Code::BadRequest, format!("The panel's request cannot be read: {cause}."))
}

/// Only the API: no files of the panel, no other origin, nothing that a path normaliser would move.
fn is_api_path(path: &str) -> bool {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    let clean = route.bytes().all(|byte| byte.is_ascii_graphic())
        && query.bytes().all(|byte| byte.is_ascii_graphic())
        && !path.contains(['#', '\\'])
        && !route.contains("//")
        && route.split('/').all(|segment| !is_dots(segment));
    clean && (route.starts_with("/api/v1/") || SINGLE_ROUTES.contains(&route))
}

/// `.` and `..`, also with percent-encoded dots.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use axum::routing::{any, get};
    use serde_json::json;

    use super::super::frame::tests::decode;
    use super::*;

    fn call(method: &str, path: &str) -> Call {
        Call { method: method.to_owned(), path: path.to_owned(), headers: vec![], body: None }
    }

    fn router() -> Router {
        Router::new()
            .route("/api/v1/echo", any(|request: Request<Body>| async move { format!("{:?}", request.headers()) }))
            .route("/api/v1/large", get(|| async { vec![b'x'; frame::MAX_BODY + 1] }))
            .route("/index.html", get(|| async { "the panel's own file" }))
    }

    async fn ask(call: Call) -> (u16, String) {
        let (status, _, body) = decode(&answer(Ok(router()), call).await);
        (status, String::from_utf8(body).unwrap())
    }

    #[tokio::test]
    async fn a_call_reaches_the_router_and_comes_back_whole() {
        let mut call = call("POST", "/api/v1/echo?limit=3");
        call.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        assert_eq!(ask(call).await, (200, r#"{"content-type": "application/json"}"#.to_owned()));
    }

    #[tokio::test]
    async fn credentials_host_and_origin_of_the_page_are_dropped() {
        let mut call = call("GET", "/api/v1/echo");
        for name in
            ["authorization", "cookie", "host", "origin", "x-forwarded-for", "Content-Type", "transfer-encoding"]
        {
            call.headers.push((name.to_owned(), "x".to_owned()));
        }
        assert_eq!(ask(call).await, (200, "{}".to_owned()));
    }

    #[tokio::test]
    async fn nothing_but_the_api_can_be_asked_for() {
        for path in [
            "/index.html",
            "/",
            "",
            "api/v1/echo",
            "//evil.test/api/v1/echo",
            "http://evil.test/api/v1/echo",
            "/api/v1/../../index.html",
            "/api/v1/%2e%2E/echo",
            "/api/v1//echo",
            "/api/v1/echo#x",
            "/api/v1\\echo",
            "/api/v1/ec ho",
            "/api/v1/echo?a=\u{0}",
            "/api/v1/echo\r\nhost: evil.test",
            "/api/v2/echo",
            "/healthz/x",
        ] {
            let (status, body) = ask(call("GET", path)).await;
            assert_eq!(status, 404, "{path:?} got through: {body}");
            assert!(body.contains("\"code\":\"not-found\""), "{body}");
        }
    }

    #[tokio::test]
    async fn an_odd_method_is_refused() {
        for method in ["CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1"] {
            assert_eq!(ask(call(method, "/api/v1/echo")).await.0, 405, "{method:?}");
        }
    }

    #[tokio::test]
    async fn sizes_are_limited() {
        let mut body = call("POST", "/api/v1/echo");
        body.body = Some("x".repeat(MAX_BODY + 1));
        let path = call("GET", &format!("/api/v1/echo?{}", "x".repeat(MAX_PATH)));
        let mut headers = call("GET", "/api/v1/echo");
        headers.headers = vec![("accept".to_owned(), "x".to_owned()); MAX_HEADERS + 1];
        let mut value = call("GET", "/api/v1/echo");
        value.headers = vec![("accept".to_owned(), "x".repeat(MAX_HEADER_VALUE + 1))];
        for call in [body, path, headers, value] {
            assert_eq!(ask(call).await.0, 413);
        }
    }

    #[tokio::test]
    async fn a_header_value_with_a_line_break_is_refused() {
        let mut call = call("GET", "/api/v1/echo");
        call.headers.push(("accept".to_owned(), "a\r\nhost: evil.test".to_owned()));
        assert_eq!(ask(call).await.0, 400);
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_becomes_an_error_and_not_an_empty_page() {
        assert_eq!(ask(call("GET", "/api/v1/large")).await.0, 500);
    }

    #[tokio::test]
    async fn without_an_engine_the_panel_hears_why() {
        let (status, headers, body) =
            decode(&answer(Err("the ledger is locked".to_owned()), call("GET", "/api/v1/overview")).await);
        assert_eq!(status, 503);
        assert_eq!(headers[0], ("content-type".to_owned(), "application/problem+json".to_owned()));
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["code"], &problem["detail"]), (&json!("unavailable"), &json!("the ledger is locked")));
    }
}
