//! The panel's files and the pages about errors, from inside the binary.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::{Code, Problem};
use crate::state::Api;

/// `ui/dist`, as it was when this crate was built; empty where the panel was not built.
#[derive(RustEmbed)]
#[folder = "../../../ui/dist"]
#[allow_missing = true]
struct Panel;

/// `docs/errors`: one page a code.
#[derive(RustEmbed)]
#[folder = "../../../docs/errors"]
#[allow_missing = true]
struct ErrorPages;

/// Scripts, styles and pictures of our own, and nothing else; talks to nobody but this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-src 'none'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Signalbox</title>\
    <h1>The panel was not built into this program</h1>\
    <p>Signalbox runs, and its API and command line work. Build the panel with <code>npm ci &amp;&amp; npm run build</code> \
    in <code>ui/</code>, then Signalbox with <code>make build</code>.</p></html>";

pub(crate) fn routes(serve_panel: bool) -> Router<Api> {
    let pages = Router::new().route("/errors/{code}", get(error_page));
    if !serve_panel {
        return pages;
    }
    pages.route("/", get(index)).route("/{*path}", get(file))
}

async fn index(headers: HeaderMap) -> Response {
    match Panel::get("index.html") {
        Some(page) => serve(&page, "text/html; charset=utf-8", false, &headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
    }
}

/// A file by its path. The panel keeps its own place behind `#`, so that a path without a file is simply wrong.
async fn file(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "index.html" {
        return index(headers).await;
    }
    let Some(file) = Panel::get(path) else {
        return crate::problem::no_such_route(http::Method::GET, uri).await.into_response();
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    // Vite puts a hash of the contents into the names of what is under assets/.
    serve(&file, kind.as_ref(), path.starts_with("assets/"), &headers)
}

fn serve(file: &EmbeddedFile, kind: &str, for_ever: bool, asked: &HeaderMap) -> Response {
    let tag = tag(file);
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if known { Body::empty() } else { Body::from(file.data.clone()) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let keep = if for_ever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::ETAG, &tag),
        (header::CACHE_CONTROL, keep),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    response
}

fn tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// What a code means and what to do, as Markdown.
async fn error_page(Path(code): Path<String>) -> Response {
    match ErrorPages::get(&format!("{code}.md")) {
        Some(page) => {
            ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], page.data.into_owned()).into_response()
        }
        None => Problem::new(Code::NotFound, "There is no page about this code.").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_page_is_served_by_its_code_and_nothing_else_is() {
        let page = error_page(Path("invalid-filter".to_owned())).await;
        assert_eq!(page.status(), 200);
        for other in ["../api", "invalid-filter.md", "", "..%2fapi"] {
            assert_eq!(error_page(Path(other.to_owned())).await.status(), 404, "{other}");
        }
    }
}
