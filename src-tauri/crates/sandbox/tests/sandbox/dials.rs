use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{World, ada};

#[tokio::test]
async fn a_429_says_when_to_come_back_in_the_systems_own_words() {
    let world = World::new();
    for system in ["hubspot", "crm"] {
        world.turn(system, r#"{"rate_429":{"share":1,"retry_after_s":12}}"#);
    }
    let hubspot = world.upsert(ada()).await;
    assert_eq!((hubspot.status, hubspot.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("12")));
    assert_eq!(hubspot.json()["errorType"], "RATE_LIMIT");
    let crm = world.put(&[], ada()).await;
    assert_eq!((crm.status, crm.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some("12")));
    assert_eq!(crm.json()["type"], "/problems/too-many-requests");
    assert_eq!((world.received("hubspot").records, world.received("crm").records), (0, 0), "nothing was written");
}

#[tokio::test]
async fn a_500_writes_nothing_and_ends_with_the_dial() {
    let world = World::new();
    world.turn("hubspot", r#"{"error_500":{"share":1}}"#);
    let broken = world.upsert(ada()).await;
    assert_eq!((broken.status, &broken.json()["status"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("error")));
    assert_eq!(world.received("hubspot").records, 0);
    world.turn("hubspot", r#"{"error_500":{"share":0}}"#);
    assert_eq!(world.upsert(ada()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_share_of_requests_fails_and_the_same_seed_fails_the_same_ones() {
    let mut stories = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        world.turn("crm", r#"{"error_500":{"share":0.5}}"#);
        let mut story = Vec::new();
        for _ in 0..40 {
            story.push(world.put(&[], ada()).await.status.as_u16());
        }
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    let failed = stories[0].iter().filter(|status| **status == 500).count();
    assert!((10..=30).contains(&failed), "{failed} of 40");
}

#[tokio::test]
async fn an_outage_refuses_connections_and_ends_those_that_are_open() {
    let world = World::new();
    let address = world.address("hubspot");
    let mut open = TcpStream::connect(&address).await.unwrap();
    // An answered request shows that the connection is served, not only in the kernel's queue.
    open.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(open.read(&mut [0; 4_096]).await.unwrap() > 0);

    world.turn("hubspot", r#"{"outage":true}"#);
    let refused = TcpStream::connect(&address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let end = open.read(&mut [0; 64]).await;
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    assert_eq!(world.sandbox.faults("hubspot").unwrap().outage, Some(true));

    world.turn("hubspot", r#"{"outage":false}"#);
    assert_eq!(world.address("hubspot"), address);
    assert_eq!(world.upsert(ada()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_system_holds_survives_its_outage() {
    let world = World::new();
    world.put(&[], ada()).await;
    let before = world.received("crm");
    world.turn("crm", r#"{"outage":true}"#);
    world.turn("crm", r#"{"outage":false}"#);
    assert_eq!(world.received("crm"), before);
}

#[tokio::test]
async fn a_renamed_field_refuses_the_old_name_in_both_systems() {
    let world = World::new();
    world.turn("hubspot", r#"{"renamed_field":true}"#);
    world.turn("crm", r#"{"renamed_field":true}"#);
    let hubspot = world.upsert(ada()).await;
    assert_eq!((hubspot.status, &hubspot.json()["numErrors"]), (StatusCode::MULTI_STATUS, &json!(1)));
    let message = hubspot.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("PROPERTY_DOESNT_EXIST") && message.contains("firstname"), "{message}");
    let crm = world.put(&[], ada()).await;
    assert_eq!(crm.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(crm.json()["detail"].as_str().unwrap().contains("first_name: is missing"));

    let mut mapped = ada();
    let name = mapped.as_object_mut().unwrap().remove("firstname").unwrap();
    mapped["first_name"] = name;
    assert_eq!(world.upsert(mapped.clone()).await.status, StatusCode::OK);
    assert_eq!(world.put(&[], mapped).await.status, StatusCode::CREATED);
    let renamed = world.received("crm").records_hash;
    world.turn("crm", r#"{"renamed_field":false}"#);
    assert_eq!(world.put(&[], ada()).await.status, StatusCode::OK);
    assert_eq!(world.received("crm").records_hash, renamed, "the same content under either name");
}

#[tokio::test]
async fn latency_holds_answers_back() {
    let world = World::new();
    world.turn("crm", r#"{"latency_ms":60}"#);
    let started = tokio::time::Instant::now();
    world.put(&[], ada()).await;
    assert!(started.elapsed() >= Duration::from_millis(60));
    assert!(world.received("crm").items[0].latency_ms >= Some(60));
}

#[tokio::test]
async fn every_request_is_in_the_ledger_of_what_arrived() {
    let world = World::new();
    let delivery = signalbox_model::DeliveryId::from_bits(7).to_string();
    let key = format!("{delivery}.r2");
    world.put(&[("idempotency-key", &key)], ada()).await;
    world.send("crm", Method::GET, "/contacts?limit=x", &[], "").await.unwrap();
    world.send("crm", Method::GET, "/nowhere", &[("stranger", "1")], "").await.unwrap();
    let received = world.received("crm");
    assert_eq!((received.total, received.items.len()), (3, 3));
    let paths: Vec<_> = received.items.iter().map(|item| (item.path.as_str(), item.status)).collect();
    assert_eq!(
        paths,
        [("/nowhere", Some(404)), ("/contacts?limit=x", Some(400)), ("/contacts/ada%40x.test", Some(201)),]
    );
    let put = &received.items[2];
    assert_eq!((put.method.as_str(), put.delivery.as_deref()), ("PUT", Some(delivery.as_str())));
    assert_eq!(put.idempotency_key.as_deref(), Some(key.as_str()));
    assert_eq!(put.body, ada().to_string());
    assert_eq!(world.sandbox.received("crm", 1).unwrap().items.len(), 1);
    assert!(world.sandbox.received("sap", 1).is_none());
}

#[tokio::test]
async fn a_body_past_the_cap_is_refused_and_kept_in_the_ledger() {
    let world = World::new();
    let body = "x".repeat((1 << 20) + 1);
    let answer = world.send("crm", Method::PUT, "/contacts/a@x.test", &[], &body).await;
    // The answer may be lost with the connection, since the rest of the body is not read.
    if let Ok(answer) = answer {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(world.received("crm").items[0].status, Some(413));
}
