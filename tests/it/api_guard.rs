//! Who may ask the API: the token or a signed-in browser, under our own name, from no other site.

use serde_json::{Value, json};
use signalbox_testkit::{ServeProcess, TestWorkspace, http};

use crate::support::serve;

async fn ask(process: &ServeProcess, method: &str, path: &str, headers: &[(&str, &str)]) -> http::Response {
    http::send(&process.api(), method, path, headers, b"").await.unwrap()
}

#[tokio::test]
async fn everything_but_health_needs_the_token() {
    let workspace = TestWorkspace::new();
    let process = serve(&workspace).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&process, "GET", path, &[]).await.status, 200, "{path}");
    }
    let described: Value = process.get("openapi.json").await;
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if ["/healthz", "/readyz"].contains(&path.as_str()) {
                continue;
            }
            let path = path.replace("{id}", "x").replace("{name}", "x");
            let method = method.to_uppercase();
            for headers in [&[][..], &[("authorization", "Bearer wrong")], &[("cookie", "signalbox-1=1")]] {
                let refused = ask(&process, &method, &path, headers).await;
                assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("unauthorized")), "{method} {path}");
                assert!(refused.header("www-authenticate").is_some());
            }
        }
    }
    assert_eq!(ask(&process, "GET", "/api/v1/no-such-thing", &[]).await.status, 401, "nothing is told to strangers");
}

#[tokio::test]
async fn another_host_and_another_site_are_refused_before_the_token_is_looked_at() {
    let workspace = TestWorkspace::new();
    let process = serve(&workspace).await;
    let bearer = format!("Bearer {}", process.token());
    let own = process.api();
    let port = own.rsplit_once(':').unwrap().1.to_owned();
    let with = async |more: &[(&str, &str)]| {
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend_from_slice(more);
        ask(&process, "GET", "/api/v1/session", &headers).await.status
    };
    assert_eq!(with(&[]).await, 200);
    assert_eq!(with(&[("host", &format!("localhost:{port}"))]).await, 200);
    assert_eq!(with(&[("origin", &own)]).await, 200);
    assert_eq!(with(&[("host", "evil.test")]).await, 421);
    assert_eq!(with(&[("host", &format!("evil.test:{port}"))]).await, 421);
    assert_eq!(with(&[("host", "127.0.0.1")]).await, 421);
    assert_eq!(with(&[("origin", "http://evil.test")]).await, 403);
    assert_eq!(with(&[("origin", "null")]).await, 403);
    assert_eq!(with(&[("sec-fetch-site", "cross-site")]).await, 403);
    let refused = ask(&process, "GET", "/healthz", &[("host", "evil.test")]).await;
    assert_eq!((refused.status, &refused.json()["code"]), (421, &json!("wrong-host")));
    let two = format!("GET /healthz HTTP/1.1\r\nhost: {0}\r\nhost: {0}\r\nconnection: close\r\n\r\n", &own[7..]);
    assert_eq!(http::raw(&own[7..], two.as_bytes()).await.unwrap().status, 400);
    let none = b"GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_eq!(http::raw(&own[7..], none).await.unwrap().status, 400);
}

#[tokio::test]
async fn a_browser_signs_in_once_by_a_link_and_then_by_its_cookie() {
    let workspace = TestWorkspace::new();
    let process = serve(&workspace).await;
    let made = process.ask("POST", "sign-in-links", None).await;
    assert_eq!(made.status, 201);
    let link = made.json()["link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&process.api()).unwrap();
    let signed_in = ask(&process, "GET", path, &[]).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/")));
    let cookie = signed_in.header("set-cookie").unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let again = ask(&process, "GET", path, &[]).await;
    assert_eq!(again.status, 401);
    assert!(again.header("set-cookie").is_none());

    let value = cookie.split(';').next().unwrap();
    let own = process.api();
    assert_eq!(ask(&process, "GET", "/api/v1/session", &[("cookie", value)]).await.status, 200);
    assert_eq!(ask(&process, "GET", "/metrics", &[("cookie", value)]).await.status, 200);
    let from_here = [("cookie", value), ("origin", own.as_str())];
    assert_eq!(ask(&process, "POST", "/api/v1/sign-in-links", &from_here).await.status, 201);
    assert_eq!(ask(&process, "POST", "/api/v1/sign-in-links", &[("cookie", value)]).await.status, 401);
    let foreign = [("cookie", value), ("origin", "http://evil.test")];
    assert_eq!(ask(&process, "POST", "/api/v1/sign-in-links", &foreign).await.status, 403);
}

#[tokio::test]
async fn answers_carry_what_keeps_a_browser_in_check() {
    let workspace = TestWorkspace::new();
    let process = serve(&workspace).await;
    for path in ["/", "/healthz", "/api/v1/session", "/errors/not-found"] {
        let answer = process.ask("GET", path, None).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(answer.header("access-control-allow-origin").is_none(), "{path}");
    }
    let preflight = [("origin", "http://evil.test"), ("access-control-request-method", "POST")];
    assert_eq!(ask(&process, "OPTIONS", "/api/v1/replays", &preflight).await.status, 403);
}

#[tokio::test]
async fn the_token_and_runtime_json_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = TestWorkspace::new();
    let process = serve(&workspace).await;
    let private = workspace.path().join(".signalbox");
    for (file, mode) in [("runtime.json", 0o600), ("token", 0o600), ("", 0o700)] {
        let permissions = std::fs::metadata(private.join(file)).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode, "{file}");
    }
    assert_eq!(process.runtime["pid"].as_u64(), Some(u64::from(process.pid())));
    assert!(process.stop().await.success());
    assert!(!private.join("runtime.json").exists(), "a program that stopped is not found");
}
