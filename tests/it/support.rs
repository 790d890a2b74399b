//! What most tests here do.

use std::path::Path;

use serde_json::{Value, json};
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Destination, Response, ServeProcess, TestWorkspace, http, workspace};

/// The program under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_signalbox"))
}

pub async fn serve(workspace: &TestWorkspace) -> ServeProcess {
    serve_with(workspace, &ServeOptions::default()).await
}

pub async fn serve_with(workspace: &TestWorkspace, options: &ServeOptions) -> ServeProcess {
    ServeProcess::start(binary(), workspace.path(), options).await
}

/// One integration `sync` with one destination `crm`; `more` is further TOML of the destination.
pub async fn one_destination(more: &str) -> (TestWorkspace, Destination) {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", more));
    (workspace, destination)
}

/// Two quick tries and then dead.
pub const TWO_TRIES: &str = "retry = { schedule = [\"100ms\"], jitter = 0.0 }";
/// One try and then dead.
pub const ONE_TRY: &str = "retry = { schedule = [] }";

/// Sends an event to `/hooks/sync`.
pub async fn send(process: &ServeProcess, id: &str, body: &Value) -> Response {
    send_to(&process.ingress(), "/hooks/sync", id, body.to_string().as_bytes()).await.unwrap()
}

pub async fn send_to(ingress: &str, path: &str, id: &str, body: &[u8]) -> std::io::Result<Response> {
    let headers = [("content-type", "application/json"), ("webhook-id", id)];
    http::send(ingress, "POST", path, &headers, body).await
}

/// An event of a key that is accepted.
pub async fn accepted(process: &ServeProcess, key: &str, number: u64) -> String {
    let body = json!({ "type": "contact.changed", "key": key, "number": number });
    let answer = send(process, &format!("{key}-{number}"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["event"].as_str().unwrap().to_owned()
}

/// The `number` of each request, in the order of arrival.
pub fn numbers(received: &[signalbox_testkit::Received]) -> Vec<u64> {
    received.iter().map(|request| request.json()["number"].as_u64().unwrap()).collect()
}

/// The one delivery that matches.
pub async fn only(process: &ServeProcess, filter: &str) -> Value {
    let page = process.deliveries(filter).await;
    assert_eq!(page["total"], 1, "{filter}: {page:#}");
    page["items"][0].clone()
}

/// Everything about it.
pub async fn detail(process: &ServeProcess, delivery: &Value) -> Value {
    process.get(&format!("deliveries/{}", delivery["id"].as_str().unwrap())).await
}
