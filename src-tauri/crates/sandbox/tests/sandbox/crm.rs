use http::{Method, StatusCode};
use serde_json::json;

use crate::client::{World, ada};

#[tokio::test]
async fn a_put_creates_then_replaces_and_moves_the_etag() {
    let world = World::new();
    let first = world.put(&[], ada()).await;
    assert_eq!((first.status, first.json()), (StatusCode::CREATED, ada()));
    let mut changed = ada();
    changed.as_object_mut().unwrap().remove("phone");
    let second = world.put(&[], changed.clone()).await;
    assert_eq!((second.status, second.json()), (StatusCode::OK, changed), "a PUT replaces the whole contact");
    assert_ne!(first.header("etag"), second.header("etag"));
    let read = world.send("crm", Method::GET, "/contacts/Ada@x.test", &[], "").await.unwrap();
    assert_eq!(read.header("etag"), second.header("etag"));
}

#[tokio::test]
async fn a_contact_that_breaks_the_schema_is_422_and_the_field_is_named() {
    let world = World::new();
    let mut contact = ada();
    contact["nickname"] = "A".into();
    contact.as_object_mut().unwrap().remove("lastname");
    let answer = world.put(&[], contact).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let body = answer.json();
    assert_eq!(body["detail"], "nickname: is not a field of a contact; lastname: is missing");
    assert_eq!(body["errors"][1]["field"], "lastname");
    assert_eq!(world.received("crm").records, 0);
}

#[tokio::test]
async fn conditions_guard_against_lost_updates() {
    let world = World::new();
    let absent = world.put(&[("if-match", "*")], ada()).await;
    assert_eq!(absent.status, StatusCode::PRECONDITION_FAILED, "nothing is there to match");
    let first = world.put(&[("if-none-match", "*")], ada()).await;
    let tag = first.header("etag").unwrap();
    assert_eq!(world.put(&[("if-none-match", "*")], ada()).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(world.put(&[("if-match", "\"other\"")], ada()).await.status, StatusCode::PRECONDITION_FAILED);
    let listed = format!("\"other\", {tag}");
    assert_eq!(world.put(&[("if-match", &listed)], ada()).await.status, StatusCode::OK);
    assert_eq!(world.put(&[("if-match", tag)], ada()).await.status, StatusCode::PRECONDITION_FAILED, "it has moved on");
}

#[tokio::test]
async fn an_unchanged_contact_is_304_without_a_body() {
    let world = World::new();
    let tag = world.put(&[], ada()).await.header("etag").unwrap().to_owned();
    let answer = world.send("crm", Method::GET, "/contacts/ada@x.test", &[("if-none-match", &tag)], "").await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn one_key_writes_once() {
    let world = World::new();
    let first = world.put(&[("idempotency-key", "\"k1\"")], ada()).await;
    let mut newer = ada();
    newer["version"] = 4.into();
    world.put(&[("idempotency-key", "k2")], newer.clone()).await;

    let repeated = world.put(&[("idempotency-key", "k1")], ada()).await;
    assert_eq!((repeated.status, repeated.json()), (StatusCode::CREATED, ada()), "the answer of the first");
    assert_eq!(repeated.header("etag"), first.header("etag"));
    let now = world.send("crm", Method::GET, "/contacts/ada@x.test", &[], "").await.unwrap().json();
    assert_eq!(now, newer, "a repeat changes nothing");

    let other = world.put(&[("idempotency-key", "k1")], newer).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.json()["type"], "/problems/idempotency-key-reused");
}

#[tokio::test]
async fn a_refused_request_may_succeed_later_under_its_key() {
    let world = World::new();
    world.turn("crm", r#"{"renamed_field":true}"#);
    let key = [("idempotency-key", "k1")];
    assert_eq!(world.put(&key, ada()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.turn("crm", r#"{"renamed_field":false}"#);
    assert_eq!(world.put(&key, ada()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn without_the_key_nothing_is_told() {
    let world = World::new();
    for headers in [&[("stranger", "1")][..], &[("x-api-key", "wrong")]] {
        let answer = world.send("crm", Method::GET, "/contacts", headers, "").await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.json()["detail"].as_str().unwrap().contains("x-api-key"));
    }
}

#[tokio::test]
async fn the_list_is_paged_by_email() {
    let world = World::new();
    for name in ["c", "a", "b"] {
        let contact = json!({ "email": format!("{name}@x.test"), "firstname": "F", "lastname": "L" });
        assert_eq!(world.put(&[], contact).await.status, StatusCode::CREATED);
    }
    let first = world.send("crm", Method::GET, "/contacts?limit=2", &[], "").await.unwrap().json();
    assert_eq!((first["items"].as_array().unwrap().len(), &first["next"]), (2, &json!("b@x.test")));
    let rest = world.send("crm", Method::GET, "/contacts?limit=2&after=b@x.test", &[], "").await.unwrap().json();
    assert_eq!((&rest["items"][0]["email"], &rest["next"]), (&json!("c@x.test"), &json!(null)));
}

#[tokio::test]
async fn two_systems_with_the_same_contacts_have_one_hash() {
    let world = World::new();
    let bo = json!({ "email": "bo@x.test", "firstname": "Bo", "lastname": "Ito", "version": 1 });
    world.upsert(ada()).await;
    world.upsert(bo.clone()).await;
    world.put(&[], bo.clone()).await;
    assert_ne!(world.received("hubspot").records_hash, world.received("crm").records_hash);
    world.put(&[], ada()).await;
    assert_eq!(world.received("hubspot").records_hash, world.received("crm").records_hash);
    let mut newer = bo;
    newer["version"] = 2.into();
    world.put(&[], newer).await;
    assert_ne!(world.received("hubspot").records_hash, world.received("crm").records_hash);
}
