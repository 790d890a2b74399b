use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use signalbox_net::Client;
use signalbox_net::client::SystemResolver;
use signalbox_sandbox::{Sandbox, SandboxConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::client::World;

/// The client that sends events. It knows of no listeners of this program, as the sandbox asks.
pub fn outbound() -> Arc<Client> {
    Arc::new(Client::new(Arc::new(SystemResolver), Arc::new(Vec::new)).unwrap())
}

struct Arrived {
    headers: HeaderMap,
    body: Bytes,
}

impl Arrived {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Verified by hand, so that Signalbox's verifier is not its own witness.
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut message = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        message.extend_from_slice(&self.body);
        let tag = STANDARD.decode(self.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message, &tag).is_ok()
    }
}

/// An ingress that answers as told: the statuses in turn, the last one for ever.
struct Ingress {
    url: String,
    arrived: mpsc::UnboundedReceiver<Arrived>,
}

type Script = Arc<parking_lot::Mutex<(Vec<u16>, mpsc::UnboundedSender<Arrived>)>>;

async fn take(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> Response {
    let mut script = script.lock();
    let status = if script.0.len() > 1 { script.0.remove(0) } else { script.0[0] };
    script.1.send(Arrived { headers, body }).ok();
    (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")]).into_response()
}

impl Ingress {
    async fn answering(statuses: &[u16]) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let script: Script = Arc::new(parking_lot::Mutex::new((statuses.to_vec(), sender)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new().route("/hooks/salesforce", post(take)).with_state(script);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived }
    }

    async fn next(&mut self) -> Arrived {
        self.arrived.recv().await.unwrap()
    }
}

fn fast() -> World {
    World::with(SandboxConfig { rate_per_second: 100.0, ..SandboxConfig::default() })
}

/// Waits until the sender has counted what `is` asks for; the test's own time limit ends it otherwise.
async fn until(sandbox: &Sandbox, is: impl Fn(signalbox_sandbox::Sent) -> bool) {
    while !is(sandbox.sent()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn events_arrive_signed_and_in_the_shape_of_the_case_study() {
    let world = fast();
    let mut ingress = Ingress::answering(&[200]).await;
    world.sandbox.send_to(ingress.url.clone());
    let mut ids = BTreeSet::new();
    for _ in 0..30 {
        let arrived = ingress.next().await;
        assert!(arrived.is_signed_with(&world.secret("salesforce-signing")));
        assert!(ids.insert(arrived.header("webhook-id").to_owned()), "each event has its own id");
        let body = arrived.json();
        assert!(["contact.created", "contact.changed"].contains(&body["type"].as_str().unwrap()), "{body}");
        assert!(body["data"]["Id"].as_str().unwrap().starts_with("003"));
    }
    until(&world.sandbox, |sent| sent.accepted >= 30).await;
    assert_eq!(world.sandbox.sent().refused, 0);
}

#[tokio::test]
async fn nothing_is_sent_before_there_is_an_ingress_and_nothing_while_paused() {
    let world = fast();
    world.turn("salesforce", r#"{"paused":true}"#);
    let mut ingress = Ingress::answering(&[200]).await;
    world.sandbox.send_to(ingress.url.clone());
    assert_eq!(world.sandbox.sent().events, 0);
    world.turn("salesforce", r#"{"paused":false}"#);
    ingress.next().await;
    world.turn("salesforce", r#"{"paused":true}"#);
    // One event may be on its way; once it is counted, nothing follows.
    until(&world.sandbox, |sent| sent.events == sent.accepted).await;
    let events = world.sandbox.sent().events;
    tokio::time::timeout(std::time::Duration::from_millis(80), async {
        for _ in 0..=events {
            ingress.next().await;
        }
    })
    .await
    .unwrap_err();
}

#[tokio::test]
async fn a_share_of_events_is_signed_badly_and_not_sent_again() {
    let world = fast();
    world.turn("salesforce", r#"{"bad_signature":{"share":1}}"#);
    let mut ingress = Ingress::answering(&[401]).await;
    world.sandbox.send_to(ingress.url.clone());
    let mut ids = BTreeSet::new();
    for _ in 0..10 {
        let arrived = ingress.next().await;
        assert!(!arrived.is_signed_with(&world.secret("salesforce-signing")));
        assert!(ids.insert(arrived.header("webhook-id").to_owned()), "a refused event is not repeated");
    }
    until(&world.sandbox, |sent| sent.refused >= 10).await;
}

#[tokio::test]
async fn an_event_that_met_a_503_is_sent_again_with_the_same_id_and_bytes() {
    let world = fast();
    let mut ingress = Ingress::answering(&[503, 429, 200]).await;
    world.sandbox.send_to(ingress.url.clone());
    let tries = [ingress.next().await, ingress.next().await, ingress.next().await];
    for again in &tries[1..] {
        assert_eq!(again.header("webhook-id"), tries[0].header("webhook-id"));
        assert_eq!(again.body, tries[0].body);
        assert!(again.is_signed_with(&world.secret("salesforce-signing")));
    }
    assert_ne!(ingress.next().await.header("webhook-id"), tries[0].header("webhook-id"));
    until(&world.sandbox, |sent| sent.accepted >= 2).await;
}

#[tokio::test]
async fn an_ingress_that_never_takes_an_event_does_not_stop_the_story() {
    let world = fast();
    let mut ingress = Ingress::answering(&[503, 503, 503, 503, 503, 503, 200]).await;
    world.sandbox.send_to(ingress.url.clone());
    let first = ingress.next().await;
    for _ in 0..5 {
        assert_eq!(ingress.next().await.header("webhook-id"), first.header("webhook-id"));
    }
    assert_ne!(ingress.next().await.header("webhook-id"), first.header("webhook-id"));
    until(&world.sandbox, |sent| sent.given_up == 1).await;
}

#[tokio::test]
async fn a_change_over_rest_is_told_as_any_other() {
    let world = World::new();
    let path = "/services/data/v61.0/sobjects/Contact/Email/someone@x.test";
    let body = r#"{"FirstName":"Some","LastName":"One"}"#;
    world.send("salesforce", http::Method::PATCH, path, &[], body).await.unwrap();
    let mut ingress = Ingress::answering(&[200]).await;
    world.sandbox.send_to(ingress.url.clone());
    let event = ingress.next().await.json();
    assert_eq!((&event["type"], &event["data"]["LastName"]), (&"contact.created".into(), &"One".into()));
}

#[tokio::test]
async fn a_rate_that_is_raised_counts_at_once() {
    let world = World::with(SandboxConfig { rate_per_second: 0.1, ..SandboxConfig::default() });
    let mut ingress = Ingress::answering(&[200]).await;
    world.sandbox.send_to(ingress.url.clone());
    ingress.next().await;
    world.turn("salesforce", r#"{"per_second":100}"#);
    let soon = std::time::Duration::from_secs(5);
    tokio::time::timeout(soon, ingress.next()).await.expect("the next event was due after 10 s");
}

#[tokio::test]
async fn a_shutdown_closes_the_ports_and_ends_the_story() {
    let world = fast();
    let mut ingress = Ingress::answering(&[200]).await;
    world.sandbox.send_to(ingress.url.clone());
    ingress.next().await;
    let addresses: Vec<String> = ["salesforce", "hubspot", "crm"].map(|system| world.address(system)).into();
    world.sandbox.shutdown().await;
    for address in addresses {
        assert!(tokio::net::TcpStream::connect(&address).await.is_err(), "{address}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_with_its_number() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ports = signalbox_sandbox::Ports { crm: port, ..Default::default() };
    let config = SandboxConfig { ports, ..SandboxConfig::default() };
    let clock = Arc::new(signalbox_model::SystemClock);
    let Err(error) = Sandbox::start(config, clock, outbound()) else { panic!("it took a port that is taken") };
    assert!(error.to_string().contains(&format!("'crm' cannot listen on 127.0.0.1:{port}")), "{error}");
}
