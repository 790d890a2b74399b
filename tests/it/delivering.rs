//! From an accepted event to a confirmed delivery, and the tries between.

use std::time::Duration;

use serde_json::json;
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Answer, Destination, TestWorkspace, http, workspace};

use crate::support::{TWO_TRIES, accepted, detail, one_destination, only, send, serve, serve_with};

#[tokio::test]
async fn an_event_is_accepted_mapped_delivered_and_confirmed() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let steps = "[[steps]]\nkind = \"map\"\njq = '{ mail: (.email | ascii_downcase), amount }'\n";
    let request = "[[destinations]]\nname = \"crm\"\nsystem = \"crm\"\nconfirm = '.body.saved == true'\n\
                   request = { method = \"PUT\", path = '/contacts/{{ .mail | @uri }}', headers = { x-kind = \"contact\" } }\n";
    workspace.integration("sync", &format!("{steps}{request}"));
    destination.otherwise(Answer::json(200, r#"{"saved":true}"#));
    let process = serve(&workspace).await;

    // Sent as text: the digits of 1.10 must arrive as they left.
    let body = br#"{"type":"contact.changed","key":"k","email":"Ada@Acme.test","amount":1.10}"#;
    let answer = crate::support::send_to(&process.ingress(), "/hooks/sync", "id-1", body).await.unwrap();
    assert_eq!(answer.status, 200);
    let received = destination.wait_for(1).await;
    assert_eq!((received[0].method.as_str(), received[0].path.as_str()), ("PUT", "/contacts/ada%40acme.test"));
    assert_eq!(String::from_utf8_lossy(&received[0].body), r#"{"mail":"ada@acme.test","amount":1.10}"#);
    assert_eq!(received[0].header("x-kind"), Some("contact"));

    let page = process.wait_for("state:delivered", 1).await;
    let delivery = &page["items"][0];
    assert_eq!(received[0].header("idempotency-key"), delivery["id"].as_str());
    assert_eq!(delivery["type"], "contact.changed");
    assert_eq!(delivery["key"], "k");
    assert!(delivery["latency_ms"].is_u64(), "{delivery:#}");
    let whole = detail(&process, delivery).await;
    assert_eq!(whole["attempts"][0]["number"], 1);
    assert_eq!(whole["attempts"][0]["response"]["body"], r#"{"saved":true}"#);
    let steps: Vec<_> = whole["trace"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert!(steps.contains(&"received") && steps.contains(&"map"), "{steps:?}");

    let event = process.get(&format!("events/{}", delivery["event"].as_str().unwrap())).await;
    assert_eq!(event["deliveries"][0]["id"], delivery["id"]);
    let path = format!("events/{}/body", delivery["event"].as_str().unwrap());
    let bytes = process.ask("GET", &path, None).await;
    assert_eq!(bytes.body, body, "kept byte for byte");
    assert_eq!(bytes.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn the_same_event_again_is_answered_well_and_sent_once() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let body = json!({ "type": "a", "key": "k", "number": 1 });
    let first = send(&process, "same", &body).await.json();
    let again = send(&process, "same", &body).await;
    assert_eq!((again.status, &again.json()["event"]), (200, &first["event"]));
    // Another body under the same id is delivered, and flagged.
    let other = send(&process, "same", &json!({ "type": "a", "key": "k", "number": 2 })).await.json();
    assert_eq!(other["conflict_of"], first["event"]);
    destination.wait_for(2).await;
    process.wait_for("state:delivered", 2).await;
    assert_eq!(destination.received().len(), 2);
    let conflicting = only(&process, &format!("event:{}", other["event"].as_str().unwrap())).await;
    assert_eq!(conflicting["conflict_of"], first["event"]);
}

#[tokio::test]
async fn a_failed_try_is_repeated_with_the_same_key_and_bytes() {
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    destination.script([Answer::status(500)]);
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    let received = destination.wait_for(2).await;
    assert_eq!(received[0].header("idempotency-key"), received[1].header("idempotency-key"));
    assert_eq!(received[0].body, received[1].body);
    let page = process.wait_for("state:delivered", 1).await;
    let whole = detail(&process, &page["items"][0]).await;
    let attempts = whole["attempts"].as_array().unwrap();
    assert_eq!((attempts[0]["status"].as_u64(), attempts[0]["kind"].as_str()), (Some(500), Some("server")));
    assert_eq!(attempts[0]["waited_for"], "schedule");
    assert_eq!((attempts[1]["status"].as_u64(), attempts[1]["kind"].as_str()), (Some(200), None));
}

#[tokio::test]
async fn a_retry_after_is_obeyed_and_holds_the_siblings_back() {
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    // Long enough for what is looked at meanwhile, on a busy machine too.
    destination.script([Answer::status(429).with("retry-after", "5")]);
    let process = serve(&workspace).await;
    accepted(&process, "first", 1).await;
    let held = signalbox_testkit::until("the gate to close", || async {
        let page = process.deliveries("state:held reason:rate").await;
        (page["total"] == 1).then_some(page)
    });
    held.await;
    // A sibling of another key waits too: the destination said that it wants no requests.
    accepted(&process, "second", 1).await;
    let page = process.deliveries("reason:rate").await;
    assert_eq!(page["total"], 2, "{page:#}");
    assert_eq!(destination.received().len(), 1);
    let systems = process.get("systems").await;
    assert_eq!(systems["items"][0]["gate"]["state"], "closed");
    assert_eq!(systems["items"][0]["gate"]["reason"], "rate");
    let received = destination.wait_for(3).await;
    let waited = received[1].at - received[0].at;
    assert!(waited >= Duration::from_secs(5), "sent again after {waited:?}");
    process.wait_for("state:delivered", 2).await;
    let page = process.deliveries("key:first").await;
    let whole = detail(&process, &page["items"][0]).await;
    assert_eq!(whole["attempts"][0]["waited_for"], "retry-after");
}

#[tokio::test]
async fn a_filter_step_ends_a_delivery_without_sending_it() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let steps = "[[steps]]\nkind = \"filter\"\njq = '.number > 5'\n";
    workspace.integration("sync", &format!("{steps}{}", workspace::destination("crm", "")));
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    accepted(&process, "k", 6).await;
    process.wait_for("state:filtered", 1).await;
    process.wait_for("state:delivered", 1).await;
    assert_eq!(crate::support::numbers(&destination.received()), [6]);
}

#[tokio::test]
async fn a_signed_source_takes_signed_events_only_and_keeps_the_others_for_a_look() {
    use secrecy::SecretString;
    use signalbox_model::{Clock as _, SystemClock};
    use signalbox_net::verify::sign::sign_standard_webhooks;

    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let source = "[source]\nkind = \"webhook\"\npath = \"/hooks/signed\"\n\
                  verify = { scheme = \"standard-webhooks\", secret = [\"new\", \"old\"] }\n";
    workspace.write(
        "integrations/signed.toml",
        &format!("title = \"Signed\"\n{source}{}", workspace::destination("crm", "")),
    );
    let (new, old) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let options = ServeOptions::default().secret("new", new).secret("old", old);
    let process = serve_with(&workspace, &options).await;

    let now = SystemClock.now();
    let body = br#"{"n":1}"#;
    let send = async |secret: &str, at: signalbox_model::Timestamp, sent: &[u8]| {
        let signature = sign_standard_webhooks(&SecretString::from(secret), "msg_1", at, body).unwrap();
        let stamp = at.as_secs().to_string();
        let headers =
            [("webhook-id", "msg_1"), ("webhook-timestamp", stamp.as_str()), ("webhook-signature", signature.as_str())];
        http::send(&process.ingress(), "POST", "/hooks/signed", &headers, sent).await.unwrap().status
    };
    assert_eq!(send(new, now, br#"{"n":2}"#).await, 401, "a changed body");
    assert_eq!(send("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", now, body).await, 401, "another secret");
    assert_eq!(send(new, now.minus(Duration::from_secs(400)), body).await, 401, "an old time");
    assert_eq!(send(old, now, body).await, 200, "the old secret of a rotation");
    destination.wait_for(1).await;

    let rejected = process.get("rejected").await;
    let codes: Vec<_> =
        rejected["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["timestamp-too-old", "signature-mismatch", "signature-mismatch"], "{rejected:#}");
    assert_eq!(rejected["items"][0]["integration"], "signed");
    let first = process.get("rejected?limit=1").await;
    let second = process.get(&format!("rejected?limit=1&cursor={}", first["next"].as_str().unwrap())).await;
    assert_eq!(second["items"][0]["id"], rejected["items"][1]["id"]);
}

#[tokio::test]
async fn a_missing_secret_answers_503_and_holds_the_destination() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "auth = { kind = \"bearer\", secret = \"crm-token\" }");
    workspace.integration("sync", &workspace::destination("crm", ""));
    let source =
        "[source]\nkind = \"webhook\"\npath = \"/hooks/signed\"\nverify = { scheme = \"github\", secret = \"hub\" }\n";
    workspace.write(
        "integrations/signed.toml",
        &format!("title = \"Signed\"\n{source}{}", workspace::destination("crm", "")),
    );
    let process = serve(&workspace).await;
    let refused = http::send(&process.ingress(), "POST", "/hooks/signed", &[], b"{}").await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    accepted(&process, "k", 1).await;
    let page = process.wait_for("state:held reason:credential", 1).await;
    let whole = detail(&process, &page["items"][0]).await;
    assert!(whole["explain"].as_str().unwrap().contains("crm-token"), "{}", whole["explain"]);
    let systems = process.get("systems").await;
    assert_eq!(systems["items"][0]["credential"]["state"], "missing");
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn a_refused_credential_closes_the_gate_instead_of_killing_deliveries() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "auth = { kind = \"bearer\", secret = \"crm-token\" }");
    workspace.integration("sync", &workspace::destination("crm", ""));
    destination.otherwise(Answer::status(401));
    let process = serve_with(&workspace, &ServeOptions::default().secret("crm-token", "t0ps3cret-value")).await;
    for number in 0..5 {
        accepted(&process, &format!("k{number}"), number).await;
    }
    process.wait_for("state:held reason:credential", 5).await;
    assert_eq!(process.deliveries("state:dead").await["total"], 0);
    let received = destination.received();
    assert_eq!(received[0].header("authorization"), Some("Bearer t0ps3cret-value"));
    let systems = process.get("systems").await;
    assert_eq!(systems["items"][0]["credential"]["state"], "refused");
    // Neither the API nor the log shows the secret.
    let page = process.deliveries("attempts:>0").await;
    let whole = detail(&process, &page["items"][0]).await;
    assert!(!whole.to_string().contains("t0ps3cret"), "{whole:#}");
    assert!(whole.to_string().contains("••••"), "{whole:#}");
    assert!(!process.log().contains("t0ps3cret"));
}
