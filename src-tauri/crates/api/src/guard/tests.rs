use std::sync::Arc;

use axum::body::Body;
use signalbox_model::{Random, SystemClock};

use super::*;
use crate::sign_in::SignIn;

struct Ones;

impl Random for Ones {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

fn options(listening: &str) -> ApiOptions {
    ApiOptions {
        token: "0123456789abcdef".to_owned(),
        listening: listening.parse().unwrap(),
        serve_panel: true,
        sign_in: Arc::new(SignIn::new("0123456789abcdef", Arc::new(SystemClock), Arc::new(Ones))),
    }
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn host(listening: &str, hosts: &[&str]) -> Option<Code> {
    let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
    check_host(&options(listening), &request("GET", "/", &headers)).err().map(|problem| problem.code)
}

#[test]
fn only_our_own_names_are_answered() {
    let here = "127.0.0.1:7420";
    for good in ["127.0.0.1:7420", "localhost:7420", "LOCALHOST:7420"] {
        assert_eq!(host(here, &[good]), None, "{good}");
    }
    for bad in [
        "evil.test",
        "evil.test:7420",
        "127.0.0.1",
        "127.0.0.1:7421",
        "127.0.0.2:7420",
        "localhost.:7420",
        "[::1]:7420",
        "localhost:7420:7420",
        "127.0.0.1:07420x",
        "",
    ] {
        assert_eq!(host(here, &[bad]), Some(Code::WrongHost), "{bad}");
    }
    assert_eq!(host(here, &[]), Some(Code::BadRequest));
    assert_eq!(host(here, &[here, here]), Some(Code::BadRequest));
    assert_eq!(host("[::1]:7420", &["[::1]:7420"]), None);
    assert_eq!(host("127.0.0.1:80", &["127.0.0.1"]), None);
}

#[test]
fn bound_to_every_address_a_literal_one_is_ours_and_a_name_is_not() {
    assert_eq!(host("0.0.0.0:7420", &["192.168.1.7:7420"]), None);
    assert_eq!(host("0.0.0.0:7420", &["rebound.evil.test:7420"]), Some(Code::WrongHost));
}

#[test]
fn a_request_line_for_another_host_is_refused() {
    let asked = request("GET", "http://evil.test/api/v1/overview", &[("host", "127.0.0.1:7420")]);
    assert_eq!(check_host(&options("127.0.0.1:7420"), &asked).unwrap_err().code, Code::WrongHost);
}

#[test]
fn another_sites_page_is_refused() {
    let options = options("127.0.0.1:7420");
    let origin = |origin: &str| check_origin(&options, &request("POST", "/api/v1/replays", &[("origin", origin)]));
    assert!(origin("http://127.0.0.1:7420").is_ok());
    assert!(origin("http://localhost:7420").is_ok());
    for foreign in ["null", "http://evil.test", "https://127.0.0.1:7420", "http://127.0.0.1:5173", "", "file://"] {
        assert_eq!(origin(foreign).unwrap_err().code, Code::ForeignOrigin, "{foreign}");
    }
    let site = |path: &str, site: &str| check_origin(&options, &request("GET", path, &[("sec-fetch-site", site)]));
    assert!(site("/api/v1/overview", "same-origin").is_ok());
    assert!(site("/api/v1/overview", "none").is_ok());
    assert!(site("/api/v1/overview", "cross-site").is_err());
    assert!(site("/api/v1/overview", "same-site").is_err());
    assert!(site("/", "cross-site").is_ok(), "a link to the panel is only a navigation");
}

#[test]
fn the_token_opens_and_a_wrong_one_does_not() {
    let options = options("127.0.0.1:7420");
    let asks = |headers: &[(&str, &str)]| is_authorized(&options, &request("POST", "/api/v1/replays", headers));
    assert!(asks(&[("authorization", "Bearer 0123456789abcdef")]));
    assert!(asks(&[("authorization", "bearer 0123456789abcdef")]));
    for wrong in
        ["Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer", "Bearer ", "Basic 0123456789abcdef", ""]
    {
        assert!(!asks(&[("authorization", wrong)]), "{wrong}");
    }
    let good = ("authorization", "Bearer 0123456789abcdef");
    assert!(!asks(&[good, good]), "two are none");
    assert!(!asks(&[]));
}

#[test]
fn a_cookie_alone_does_not_change_anything() {
    let options = options("127.0.0.1:7420");
    let link = options.sign_in.new_link("");
    let cookie = options.sign_in.open(link.strip_prefix("/sign-in?code=").unwrap()).unwrap();
    let cookie = format!("other=1; signalbox-7420={cookie}");
    let asks = |method: &str, extra: &[(&str, &str)]| {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend_from_slice(extra);
        is_authorized(&options, &request(method, "/api/v1/replays", &headers))
    };
    assert!(asks("GET", &[]));
    assert!(asks("POST", &[("origin", "http://127.0.0.1:7420")]));
    assert!(asks("POST", &[("sec-fetch-site", "same-origin")]));
    assert!(!asks("POST", &[]));
    assert!(!asks("GET", &[("authorization", "Bearer wrong")]), "a wrong token is not mended by a cookie");
}

#[test]
fn only_what_says_nothing_is_public() {
    let mut options = options("127.0.0.1:7420");
    let public = |options: &ApiOptions, path: &str| is_public(options, &request("GET", path, &[]));
    for path in ["/healthz", "/readyz", "/sign-in?code=x", "/", "/assets/index.js", "/errors/not-found"] {
        assert!(public(&options, path), "{path}");
    }
    for path in ["/metrics", "/api", "/api/v1/overview", "/api/v1/openapi.json", "/api/v2", "/api//v1/overview"] {
        assert!(!public(&options, path), "{path}");
    }
    options.serve_panel = false;
    assert!(!public(&options, "/"));
}
