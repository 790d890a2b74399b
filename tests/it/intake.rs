//! What vendors send besides one JSON object: arrays, XML, CSV, CloudEvents, questions, outbound messages.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use signalbox_model::{Clock as _, SystemClock};
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{Destination, Response, ServeProcess, TestWorkspace, http};

use crate::support::{detail, only, serve, serve_with};

/// `source` is the TOML of the source but for kind and path, `rest` that of steps and destinations.
async fn workspace(source: &str, rest: &str) -> (TestWorkspace, Destination) {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let text = format!(
        "[source]\nkind = \"webhook\"\npath = \"/hooks/in\"\n{source}\n{rest}\n[[destinations]]\nname = \"crm\"\nsystem = \"crm\"\n"
    );
    workspace.write("integrations/in.toml", &text);
    (workspace, destination)
}

async fn post(process: &ServeProcess, headers: &[(&str, &str)], body: &str) -> Response {
    http::send(&process.ingress(), "POST", "/hooks/in", headers, body.as_bytes()).await.unwrap()
}

fn mac(secret: &str, message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

fn now_ms() -> i64 {
    SystemClock.now().as_millis()
}

#[tokio::test]
async fn a_hubspot_batch_is_verified_whole_and_becomes_events_of_their_exact_bytes() {
    let source = "verify = { scheme = \"hubspot\", secret = \"hubspot\" }\npublic_url = \"https://in.acme.test/hooks/in\"\n\
                  split = '.body'\ntype = '.body.subscriptionType'\nkey = '.body.objectId'\n\
                  dedupe = { id = '\"\\(.body.subscriptionId)/\\(.body.objectId)/\\(.body.occurredAt)\"' }";
    let (workspace, destination) = workspace(source, "").await;
    let process = serve_with(&workspace, &ServeOptions::default().secret("hubspot", "client-secret")).await;
    let parts = [
        "{\"subscriptionId\": 1, \"objectId\":7, \"occurredAt\":1700000000001, \"subscriptionType\":\"contact.creation\", \"big\":12345678901234567890.10}",
        "{\"subscriptionId\":1,\"objectId\":8,\"occurredAt\":1700000000002,\"subscriptionType\":\"contact.deletion\",\"a\":1,\"a\":2}",
    ];
    let send = async |body: String| {
        let at = now_ms().to_string();
        let signed = format!("POSThttps://in.acme.test/hooks/in{body}{at}");
        let signature = STANDARD.encode(mac("client-secret", &signed));
        let headers = [
            ("content-type", "application/json"),
            ("x-hubspot-signature-v3", &*signature),
            ("x-hubspot-request-timestamp", &*at),
        ];
        post(&process, &headers, &body).await
    };
    let answer = send(format!("[{} ,\n {}]", parts[0], parts[1])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let events = answer.json()["events"].as_array().unwrap().clone();
    assert_eq!(events.iter().map(|event| event["duplicate"].clone()).collect::<Vec<_>>(), [json!(false), json!(false)]);

    let mut received: Vec<String> =
        destination.wait_for(2).await.iter().map(|request| String::from_utf8(request.body.to_vec()).unwrap()).collect();
    received.sort();
    let mut expected = parts;
    expected.sort_unstable();
    assert_eq!(received, expected, "white space, digits and repeated names as they came");

    // The second of them again, with a new one: each answers for itself.
    let again = send(format!("[{},{}]", parts[1], parts[0].replace("\"objectId\":7", "\"objectId\":9"))).await.json();
    assert_eq!(again["events"][0], json!({ "event": events[1]["event"], "duplicate": true }));
    assert_eq!(again["events"][1]["duplicate"], false);
    assert_eq!(process.deliveries("").await["total"], 3);

    let delivery = only(&process, "key:8").await;
    assert_eq!(delivery["type"], "contact.deletion");
    let event = process.get(&format!("events/{}", events[1]["event"].as_str().unwrap())).await;
    assert_eq!(event["split"]["index"], 2);
    assert_eq!(event["split"]["events"], json!([events[0]["event"], events[1]["event"]]));
    let trace = detail(&process, &delivery).await["trace"].clone();
    let split = trace.as_array().unwrap().iter().find(|step| step["step"] == "split").unwrap().clone();
    assert_eq!(split["detail"], "event 2 of the 2 in one request");
}

#[tokio::test]
async fn an_empty_array_is_no_event_and_too_many_are_refused_and_kept() {
    let (workspace, _destination) =
        workspace("verify = { scheme = \"none\" }\ndedupe = \"off\"\nsplit = '.body'", "").await;
    let process = serve(&workspace).await;
    let json = [("content-type", "application/json")];
    let empty = post(&process, &json, "[]").await;
    assert_eq!((empty.status, empty.json()), (200, json!({ "events": [] })));
    let thousand = post(&process, &json, &format!("[{}]", vec!["1"; 1_000].join(","))).await;
    assert_eq!(thousand.json()["events"].as_array().unwrap().len(), 1_000);
    let many = post(&process, &json, &format!("[{}]", vec!["1"; 1_001].join(","))).await;
    assert_eq!((many.status, many.json()["code"].clone()), (413, json!("too-many-events")));
    for wrong in ["{}", "[1", "null"] {
        let refused = post(&process, &json, wrong).await;
        assert_eq!((refused.status, refused.json()["code"].clone()), (400, json!("split-failed")), "{wrong}");
    }
    let rejected = process.get("rejected").await;
    assert_eq!(rejected["items"].as_array().unwrap().len(), 4);
    assert_eq!(process.deliveries("").await["total"], 1_000);
}

#[tokio::test]
async fn xml_and_csv_are_mapped_as_json_and_what_expands_is_dead() {
    let map = "[[steps]]\nkind = \"map\"\njq = '{ seen: . }'";
    let (workspace, destination) = workspace("verify = { scheme = \"none\" }\ndedupe = \"off\"", map).await;
    let process = serve(&workspace).await;
    let xml = [("content-type", "application/xml")];
    post(&process, &xml, "<order id='7'><line>a</line><line>b</line></order>").await;
    post(&process, &[("content-type", "text/csv")], "email,n\nada@acme.test,1.10\n").await;
    let received = destination.wait_for(2).await;
    let mut seen: Vec<Value> = received.iter().map(|request| request.json()["seen"].clone()).collect();
    seen.sort_by_key(Value::is_array);
    assert_eq!(seen[0], json!({ "order": { "@id": "7", "line": ["a", "b"] } }));
    assert_eq!(seen[1], json!([{ "email": "ada@acme.test", "n": "1.10" }]));
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
    assert_eq!(post(&process, &xml, laughs).await.status, 200, "kept, and nothing is lost");
    process.wait_for("state:dead kind:mapping", 1).await;
    let dead = only(&process, "state:dead").await;
    assert!(dead["message"].as_str().unwrap().contains("document type"), "{dead:#}");
}

#[tokio::test]
async fn slacks_question_is_answered_after_its_signature_and_makes_no_event() {
    let (workspace, _destination) =
        workspace("verify = { scheme = \"slack\", secret = \"slack\" }\ndedupe = \"off\"", "").await;
    let process = serve_with(&workspace, &ServeOptions::default().secret("slack", "signing-secret-of-slack")).await;
    let body = r#"{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let at = (now_ms() / 1_000).to_string();
    let signature: String =
        mac("signing-secret-of-slack", &format!("v0:{at}:{body}")).iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = [("x-slack-request-timestamp", at.as_str()), ("x-slack-signature", &*format!("v0={signature}"))];
    let answer = post(&process, &signed, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["challenge"], "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P");
    let forged = [signed[0], ("x-slack-signature", "v0=00")];
    let refused = post(&process, &forged, body).await;
    assert_eq!(refused.status, 401);
    assert!(!refused.text().contains("3eZbrw1"));
    assert_eq!(process.deliveries("").await["total"], 0);
}

const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>00D000000000062EAA</OrganizationId><ActionId>04k000000000001AAA</ActionId><SessionId>00D!s3cret.session</SessionId>
<EnterpriseUrl>https://acme.my.salesforce.com/c</EnterpriseUrl><PartnerUrl>https://acme.my.salesforce.com/u</PartnerUrl>
<Notification><Id>04l1</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>003A</sf:Id><sf:Email>ada@acme.test</sf:Email></sObject></Notification>
<Notification><Id>04l2</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>003B</sf:Id></sObject></Notification>
</notifications></soapenv:Body></soapenv:Envelope>"#;

#[tokio::test]
async fn a_salesforce_outbound_message_is_acknowledged_and_its_session_is_nowhere() {
    let source = "verify = { scheme = \"salesforce-outbound\", organization = \"00D000000000062\" }\n\
                  type = '.body.sObject.type'\nkey = '.body.sObject.Id'";
    let (workspace, destination) = workspace(source, "").await;
    let process = serve(&workspace).await;
    let soap = [("content-type", "text/xml; charset=UTF-8"), ("soapaction", "\"\"")];
    for _again in 0..2 {
        let answer = post(&process, &soap, MESSAGE).await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("text/xml"));
        assert!(answer.text().contains("<Ack>true</Ack>"), "{}", answer.text());
    }
    let mut received: Vec<Value> = destination.wait_for(2).await.iter().map(|request| request.json()).collect();
    received.sort_by_key(|event| event["Id"].to_string());
    assert_eq!(received[0]["sObject"], json!({ "type": "Contact", "Id": "003A", "Email": "ada@acme.test" }));
    assert_eq!(received[1]["Id"], "04l2");
    assert_eq!(process.deliveries("type:Contact").await["total"], 2, "the repeat made no event");

    let foreign = MESSAGE.replace("00D000000000062EAA", "00D000000000099AAA");
    let broken = MESSAGE.replace("<Notification><Id>04l1</Id>", "<Notification>");
    for (body, status) in [(foreign, 401), (broken, 400)] {
        let refused = post(&process, &soap, &body).await;
        assert_eq!(refused.status, status);
        assert!(refused.text().contains("<Ack>false</Ack>"), "{}", refused.text());
    }
    let kept = process.get("rejected").await;
    assert!(kept["items"][0]["body_preview"].as_str().unwrap().contains("SessionId"), "{kept:#}");
    process.stop().await;
    for entry in std::fs::read_dir(workspace.path().join(".signalbox")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!bytes.windows(14).any(|part| part == b"s3cret.session"), "the session stands in {}", path.display());
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_taken_and_origins_may_ask() {
    let source =
        "verify = { scheme = \"none\" }\nformat = \"cloudevents\"\nallowed_origins = [\"eventgrid.azure.net\"]";
    let (workspace, _destination) = workspace(source, "").await;
    workspace.integration("plain", "");
    let process = serve(&workspace).await;
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        http::send(&process.ingress(), method, path, headers, b"").await.unwrap()
    };
    let wrong = ask("GET", "/hooks/plain", &[]).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST, PUT")));
    let asked = [("webhook-request-origin", "EventGrid.azure.net"), ("webhook-request-rate", "120")];
    let allowed = ask("OPTIONS", "/hooks/in", &asked).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("webhook-allowed-origin"), Some("EventGrid.azure.net"));
    assert_eq!(allowed.header("webhook-allowed-rate"), Some("*"));
    let other = ask("OPTIONS", "/hooks/in", &[("webhook-request-origin", "evil.test")]).await;
    assert_eq!((other.status, other.header("webhook-allowed-origin")), (403, None));
    let plain = ask("OPTIONS", "/hooks/plain", &asked).await;
    assert_eq!((plain.status, plain.header("webhook-allowed-origin")), (405, None));
}

#[tokio::test]
async fn senders_to_a_broken_file_are_told_to_come_again_and_nothing_of_the_inside() {
    let (workspace, _destination) =
        workspace("verify = { scheme = \"bearer\", secret = \"not-set-anywhere\" }\ndedupe = \"off\"", "").await;
    workspace.write("integrations/orders.toml", "[source]\nkind = \"webhook\"\npath = \"/hooks/orders\"\nverify = {\n");
    let process = serve(&workspace).await;
    let at = async |path: &str| http::send(&process.ingress(), "POST", path, &[], b"{}").await.unwrap();
    let broken = at("/hooks/orders").await;
    assert_eq!((broken.status, broken.json()["code"].clone()), (503, json!("integration-broken")));
    assert!(broken.header("retry-after").is_some());
    assert_eq!(at("/hooks/nobody").await.status, 404);
    let missing = at("/hooks/in").await;
    assert_eq!((missing.status, missing.json()["code"].clone()), (503, json!("secret-missing")));
    assert!(!missing.text().contains("not-set-anywhere"), "{}", missing.text());
}

#[tokio::test]
async fn a_key_that_cannot_be_told_says_so_in_the_trace() {
    let (workspace, _destination) =
        workspace("verify = { scheme = \"none\" }\ndedupe = \"off\"\nkey = '.body.a.b'", "").await;
    let process = serve(&workspace).await;
    post(&process, &[("content-type", "application/json")], "{\"a\":1}").await;
    let dead = only(&process, "state:dead").await;
    let trace = detail(&process, &dead).await["trace"].clone();
    let key = trace.as_array().unwrap().iter().find(|step| step["step"] == "key").unwrap();
    assert_eq!(key["outcome"], "failed");
    assert!(key["detail"].as_str().unwrap().contains("key expression failed"), "{key}");
}
