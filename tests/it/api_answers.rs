//! What each route answers to wrong requests, and the lists' paging.

use serde_json::{Value, json};
use signalbox_testkit::http;
use signalbox_testkit::process::encode;

use crate::support::{accepted, one_destination, serve};

#[tokio::test]
async fn a_wrong_request_is_told_what_is_wrong_with_it() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    for (method, path, status, code) in [
        ("GET", "deliveries?filter=state%3Aded", 400, "invalid-filter"),
        ("GET", "deliveries?filter=sate%3Adead", 400, "invalid-filter"),
        ("GET", "deliveries?filter=system%3Acrn", 400, "invalid-filter"),
        ("GET", "deliveries?filter=latency%3Along", 400, "invalid-filter"),
        ("GET", "deliveries?limit=0", 400, "invalid-parameter"),
        ("GET", "deliveries?limit=501", 400, "invalid-parameter"),
        ("GET", "deliveries?limit=ten", 400, "invalid-parameter"),
        ("GET", "deliveries?cursor=nonsense", 400, "invalid-cursor"),
        ("GET", "deliveries?fliter=state%3Adead", 400, "unknown-key"),
        ("GET", "deliveries/dlv_nonsense", 404, "not-found"),
        ("GET", "deliveries/dlv_00000000000000000000000000", 404, "not-found"),
        ("GET", "events/evt_00000000000000000000000000", 404, "not-found"),
        ("GET", "events/evt_00000000000000000000000000/body", 404, "not-found"),
        ("GET", "dead-letters/groups?filter=nonsense%3A1", 400, "invalid-filter"),
        ("GET", "overview?window=2h", 400, "invalid-parameter"),
        ("GET", "live?wait=1h", 400, "invalid-parameter"),
        ("GET", "live?wait=soon", 400, "invalid-parameter"),
        ("GET", "rejected?cursor=evt_1", 400, "invalid-cursor"),
        ("GET", "integrations/nothing", 404, "not-found"),
        ("POST", "integrations/nothing/pause", 404, "not-found"),
        ("POST", "integrations/nothing/resume", 404, "not-found"),
        ("POST", "systems/nothing/pause", 404, "not-found"),
        ("POST", "replays/rpl_00000000000000000000000000/pause", 404, "not-found"),
        ("GET", "sandbox/systems/hubspot/faults", 404, "not-found"),
        ("GET", "sandbox/systems/hubspot/received", 404, "not-found"),
        ("GET", "nothing", 404, "not-found"),
        ("DELETE", "deliveries", 405, "method-not-allowed"),
        ("GET", "replays", 405, "method-not-allowed"),
    ] {
        let answer = process.ask(method, path, None).await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {path}");
        let problem = answer.json();
        assert_eq!((answer.status, problem["code"].as_str()), (status, Some(code)), "{method} {path}: {problem:#}");
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        let page = process.ask("GET", problem["type"].as_str().unwrap(), None).await;
        assert_eq!(page.status, 200, "{} has no page", problem["type"]);
    }
    let suggested = process.ask("GET", "deliveries?filter=state%3Aded", None).await.json();
    assert!(suggested["suggestion"].as_str().unwrap().contains("dead"), "{suggested:#}");
    let key = process.ask("GET", "deliveries?fliter=x", None).await.json();
    assert_eq!(key["suggestion"], "filter");
}

#[tokio::test]
async fn a_body_is_json_of_the_right_shape_or_refused() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let bearer = format!("Bearer {}", process.token());
    let post = async |content_type: &str, body: &[u8]| {
        let headers = [("authorization", bearer.as_str()), ("content-type", content_type)];
        let answer = http::send(&process.api(), "POST", "/api/v1/discards", &headers, body).await.unwrap();
        (answer.status, answer.json()["code"].as_str().unwrap().to_owned())
    };
    let deep = format!("{{\"filter\":{}", "[".repeat(1_000_000));
    let large = format!("{{\"filter\":\"{}\"}}", "x".repeat(3 << 20));
    let cases: [(&str, &[u8], u16, &str); 9] = [
        ("text/plain", br#"{"filter":"state:dead"}"#, 415, "unsupported-media-type"),
        ("application/x-www-form-urlencoded", b"filter=state:dead", 415, "unsupported-media-type"),
        ("application/json", b"", 400, "invalid-body"),
        ("application/json", b"\xff\xfe", 400, "invalid-body"),
        ("application/json", br#"{"filter":"state:dead","filter":"state:held"}"#, 400, "invalid-body"),
        ("application/json", br#"{"filtre":"state:dead"}"#, 400, "unknown-key"),
        ("application/json", br#"{"filter":""}"#, 400, "empty-selection"),
        ("application/json", deep.as_bytes(), 400, "invalid-body"),
        ("application/json", large.as_bytes(), 413, "payload-too-large"),
    ];
    for (content_type, body, status, code) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(post(content_type, body).await, (status, code.to_owned()), "{content_type} {shown}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    for number in 0..23 {
        accepted(&process, &format!("k{number}"), number).await;
    }
    destination.wait_for(23).await;
    process.wait_for("state:delivered", 23).await;
    let (mut ids, mut cursor): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let more = cursor.map(|cursor| format!("&cursor={}", encode(&cursor))).unwrap_or_default();
        let page = process.get(&format!("deliveries?limit=5{more}")).await;
        assert_eq!((&page["total"], &page["total_exact"]), (&json!(23), &json!(true)));
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(ids.len(), 23);
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first");
}

#[tokio::test]
async fn the_filter_language_selects_what_it_says() {
    let (workspace, destination) = one_destination("retry = { schedule = [] }").await;
    let process = serve(&workspace).await;
    accepted(&process, "003A", 1).await;
    process.wait_for("state:delivered", 1).await;
    destination.otherwise(signalbox_testkit::Answer::status(404));
    accepted(&process, "003B", 2).await;
    process.wait_for("state:dead", 1).await;
    for (filter, count) in [
        ("", 2),
        ("state:delivered", 1),
        ("state:delivered,dead", 2),
        ("-state:delivered", 1),
        ("http:404", 1),
        ("http:4xx", 1),
        ("http:5xx", 0),
        ("kind:rejected stage:deliver", 1),
        ("key:003A", 1),
        ("key:003*", 2),
        ("type:contact.changed", 2),
        ("type:contact.created", 0),
        ("integration:sync destination:crm system:crm", 2),
        ("since:1h", 2),
        ("until:2020-01-01T00:00Z", 0),
        ("attempts:>1", 0),
        ("attempts:1", 2),
        ("latency:>1h", 0),
        ("body.number:2", 1),
        ("body.key:003*", 2),
        ("reason:rate", 0),
    ] {
        let page = process.deliveries(filter).await;
        assert_eq!((&page["total"], &page["total_exact"]), (&json!(count), &json!(true)), "{filter}");
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn live_waits_for_news_and_says_what_changed() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let first = process.get("live?wait=0ms").await;
    assert_eq!(first["resync"], true);
    let cursor = encode(first["cursor"].as_str().unwrap());
    let quiet = process.get(&format!("live?cursor={cursor}&wait=200ms")).await;
    assert_eq!((&quiet["resync"], &quiet["tags"]), (&json!(false), &json!([])));
    let path = format!("live?cursor={}&wait=20s", encode(quiet["cursor"].as_str().unwrap()));
    let (batch, _) = tokio::join!(process.get(&path), accepted(&process, "k", 1));
    let tags: Vec<&str> = batch["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(tags.contains(&"deliveries"), "{batch:#}");
    assert_eq!(batch["snapshot"]["gates"][0]["system"], "crm");
    destination.wait_for(1).await;
    let stale = process.get("live?cursor=1.2.3.4&wait=20s").await;
    assert_eq!(stale["resync"], true, "a cursor of another start asks to read everything anew");
}

#[tokio::test]
async fn the_session_says_where_we_are() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let session = process.get("session").await;
    assert_eq!((&session["api"], &session["ingress"]), (&json!(process.api()), &json!(process.ingress())));
    assert_eq!(session["workspace"]["sandbox"], false);
    assert_eq!((&session["first_run"], &session["workspace"]["empty"]), (&json!(false), &json!(false)));
}
