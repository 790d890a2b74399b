//! Who may ask: the right host name, no foreign site, and the token or a signed-in browser's cookie.
//!
//! A page on the web can make a browser send requests to loopback, also under a name of its own that points there (DNS
//! rebinding). The Host check stops the second, the Origin and Sec-Fetch-Site checks the first; neither can read the
//! token.

use std::net::IpAddr;

use aws_lc_rs::constant_time;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method};

use crate::problem::{Code, Problem};
use crate::sign_in::cookie_name;
use crate::state::{Api, ApiOptions};

/// Put on a request by the window's command: it comes from inside the process and needs no token and no Host.
#[derive(Clone, Copy, Debug)]
pub struct InProcess;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(crate) async fn check(State(api): State<Api>, request: Request, next: Next) -> Result<Response, Problem> {
    if request.extensions().get::<InProcess>().is_none() {
        let options = api.options();
        check_host(options, &request)?;
        check_origin(options, &request)?;
        if !is_public(options, &request) && !is_authorized(options, &request) {
            return Err(Problem::new(
                Code::Unauthorized,
                "Send the token of .signalbox/runtime.json as 'Authorization: Bearer <token>', or open the link that \
                 `signalbox status` prints in this browser.",
            ));
        }
    }
    Ok(next.run(request).await)
}

/// Exactly one Host, and one of ours (RFC 9110 §7.2, RFC 9112 §3.2).
fn check_host(options: &ApiOptions, request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Problem::new(Code::BadRequest, "The request has two Host headers.")),
        (Some(host), None) => host.to_str().ok(),
        (None, _) => None,
    };
    let Some(host) = named else {
        return Err(Problem::new(Code::BadRequest, "The request has no readable Host header."));
    };
    // A request line in absolute form names the host a second time.
    let line = request.uri().authority().map(http::uri::Authority::as_str);
    if is_ours(options, host) && line.is_none_or(|line| is_ours(options, line)) {
        return Ok(());
    }
    let shown: String = host.chars().filter(|letter| letter.is_ascii_graphic()).take(80).collect();
    Err(Problem::new(
        Code::WrongHost,
        format!("This is {}, not '{shown}'. Ask it by that address or as localhost.", options.listening),
    ))
}

fn is_ours(options: &ApiOptions, host: &str) -> bool {
    let port = options.listening.port();
    let (name, named_port) = match host.rsplit_once(':') {
        // The colons of `[::1]` belong to the address.
        Some((name, text)) if !text.ends_with(']') => match text.parse::<u16>() {
            Ok(number) => (name, number),
            Err(_) => return false,
        },
        _ => (host, 80),
    };
    if named_port != port {
        return false;
    }
    let bound = options.listening.ip();
    if name.eq_ignore_ascii_case("localhost") {
        return bound.is_loopback() || bound.is_unspecified();
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
    // Bound to every address, any literal one may be ours; a name never is, since names can be made to point here.
    address.is_ok_and(|address| address == bound || bound.is_unspecified())
}

fn check_origin(options: &ApiOptions, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let foreign = origins.any(|origin| {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
        !host.is_some_and(|host| is_ours(options, host))
    });
    // Opening the panel or a sign-in link from elsewhere is only a navigation; asking the API from elsewhere is not.
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    let from_elsewhere = !is_public(options, request) && !matches!(site, None | Some(b"same-origin" | b"none"));
    if foreign || from_elsewhere {
        return Err(Problem::new(
            Code::ForeignOrigin,
            "A page of another site asked. Only the panel itself, served from this address, may.",
        ));
    }
    Ok(())
}

/// What says nothing about the workspace: health, the panel's own files, the pages about errors.
fn is_public(options: &ApiOptions, request: &Request) -> bool {
    let path = request.uri().path();
    match path {
        "/healthz" | "/readyz" | "/sign-in" => true,
        "/metrics" | "/api" => false,
        _ if path.starts_with("/api/") => false,
        _ if path.starts_with("/errors/") => true,
        _ => options.serve_panel && matches!(*request.method(), Method::GET | Method::HEAD),
    }
}

fn is_authorized(options: &ApiOptions, request: &Request) -> bool {
    let headers = request.headers();
    match bearer(headers) {
        Some(token) => constant_time::verify_slices_are_equal(token, options.token.as_bytes()).is_ok(),
        None => has_cookie(options, headers) && writes_from_here(request),
    }
}

/// The token after `Bearer`, in any case (RFC 9110 §11.1). Two Authorization headers are none.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() {
        return Some(b"");
    }
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token.trim_ascii())
}

fn has_cookie(options: &ApiOptions, headers: &HeaderMap) -> bool {
    let name = cookie_name(options.listening.port());
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .any(|(key, value)| key == name && options.sign_in.accepts(value))
}

/// A browser says where a request that changes something comes from; one that only carries the cookie must.
fn writes_from_here(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    reads || request.headers().contains_key(header::ORIGIN) || request.headers().contains_key(SEC_FETCH_SITE)
}

/// Headers that every answer carries.
pub(crate) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        // The panel's files and bodies bring their own.
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cache-control", "no-store"),
    ] {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
