//! Conditional writes over a real ledger.

#![allow(clippy::expect_used, clippy::panic, reason = "a test says what it expects and ends where it is not so")]

mod world;

use signalbox_model::FailureKind;
use world::World;

fn writes(condition: &str) -> String {
    format!(
        r#"
[source]
kind = "webhook"
path = "/hooks/sync"
verify = {{ scheme = "none" }}
dedupe = "off"

[[destinations]]
name = "shop"
system = "shop"
request = {{ method = "PUT", path = '/contacts/{{{{ .id }}}}' }}
condition = {condition}
retry = {{ schedule = ["20ms"], jitter = 0 }}
"#
    )
}

/// Method, `If-Match`, `If-None-Match`.
fn seen(world: &World) -> Vec<(String, Option<String>, Option<String>)> {
    let text = |value: Option<&http::HeaderValue>| value.map(|value| value.to_str().expect("text").to_owned());
    let seen = world.destinations.seen.lock();
    seen.iter()
        .map(|sent| {
            let headers = &sent.headers;
            (sent.method.to_string(), text(headers.get("if-match")), text(headers.get("if-none-match")))
        })
        .collect()
}

fn call(method: &str, matches: Option<&str>, none_match: Option<&str>) -> (String, Option<String>, Option<String>) {
    (method.to_owned(), matches.map(str::to_owned), none_match.map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_that_was_read_is_sent_verbatim() {
    let world = World::with(&writes("{ read = true }")).await;
    world.destinations.answer_with("/contacts/7", 200, &[("etag", "W/\"a b\"")], "{}");
    world.send(r#"{"id":7}"#).await;
    world.until("state:delivered", 1).await;
    assert_eq!(seen(&world), [call("GET", None, None), call("PUT", Some("W/\"a b\""), None)]);
    let seen = world.destinations.seen.lock();
    assert!(!seen[0].headers.contains_key("idempotency-key") && seen[0].body.is_empty());
    assert!(seen[1].timeout <= seen[0].timeout, "one deadline for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_there_yet_must_not_be_there() {
    let world = World::with(&writes("{ read = true }")).await;
    world.destinations.answer("/contacts/7", 404, "{}");
    world.send(r#"{"id":7}"#).await;
    world.until("state:delivered", 1).await;
    assert_eq!(seen(&world), [call("GET", None, None), call("PUT", None, Some("*"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_names_the_record_and_both_versions_and_has_one_group() {
    let world = World::with(&writes("{ read = true }")).await;
    for id in [7, 8] {
        let path = format!("/contacts/{id}");
        world.destinations.answer_with(&path, 200, &[("etag", "\"one\"")], "{}");
        world.destinations.answer(&path, 412, "{}");
        world.destinations.answer_with(&path, 200, &[("etag", "\"two\"")], "{}");
        world.send(&format!(r#"{{"id":{id}}}"#)).await;
        world.until(&format!("state:dead event:{}", world.rows("").await.last().expect("there").event), 1).await;
    }
    let dead = world.rows("state:dead").await;
    assert_eq!(
        dead[0].message.as_deref(),
        Some(r#"shop: /contacts/7 changed meanwhile, this write was for version "one" and it is version "two" now"#)
    );
    assert_eq!((dead[0].kind, dead[0].status, dead[0].attempts), (Some(FailureKind::Rejected), Some(412), 1));
    assert_eq!(dead[0].group, dead[1].group);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_without_a_version_is_not_written() {
    let world = World::with(&writes("{ read = true }")).await;
    world.send(r#"{"id":7}"#).await;
    let dead = world.until("state:dead", 1).await;
    assert!(dead[0].message.as_deref().is_some_and(|message| message.contains("no ETag")), "{dead:?}");
    assert_eq!(seen(&world).len(), 1, "only the read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_is_retried_like_any_other_failure() {
    let world = World::with(&writes("{ read = true }")).await;
    world.destinations.answer("/contacts/7", 503, "{}");
    world.destinations.answer_with("/contacts/7", 200, &[("etag", "\"one\"")], "{}");
    world.send(r#"{"id":7}"#).await;
    let rows = world.until("state:delivered", 1).await;
    assert_eq!(rows[0].attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_can_come_from_the_event_and_is_never_left_out() {
    let world = World::with(&writes("{ if_match = '.etag' }")).await;
    world.destinations.answer_with("/contacts/7", 412, &[("etag", "\"two\"")], "{}");
    world.send(r#"{"id":7,"etag":"\"one\""}"#).await;
    let dead = world.until("state:dead", 1).await;
    assert_eq!(seen(&world), [call("PUT", Some("\"one\""), None)]);
    assert!(dead[0].message.as_deref().is_some_and(|message| message.contains(r#"version "two" now"#)), "{dead:?}");
    world.send(r#"{"id":8}"#).await;
    world.send(r#"{"id":9,"etag":"one"}"#).await;
    let dead = world.until("state:dead kind:mapping", 2).await;
    assert_eq!(seen(&world).len(), 1, "nothing was written without a version");
    let said: Vec<_> = dead.iter().filter_map(|row| row.message.clone()).collect();
    assert!(said[0].contains("condition.if_match made null"), "{said:?}");
    assert!(said[1].contains("it stands in double quotes"), "{said:?}");
}
