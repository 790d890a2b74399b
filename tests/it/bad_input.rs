//! What reaches the ingress and should not: each gets its answer, and everything else goes on.

use std::time::Duration;

use serde_json::json;
use signalbox_testkit::{ServeProcess, TestWorkspace, http, until, workspace};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{accepted, one_destination, send_to, serve};

async fn rejected_codes(process: &ServeProcess, count: usize) -> Vec<String> {
    until("refused requests to be kept", || async {
        let page = process.get("rejected").await;
        let items = page["items"].as_array().unwrap();
        (items.len() >= count).then(|| items.iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect())
    })
    .await
}

#[tokio::test]
async fn an_oversized_body_is_refused_without_being_read() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let large = vec![b'x'; (1 << 20) + 1];
    let refused = send_to(&process.ingress(), "/hooks/sync", "1", &large).await.unwrap();
    assert_eq!(refused.status, 413);
    // Only announced, never sent.
    let headers = [("content-length", "10737418240")];
    let announced = http::send(&process.ingress(), "POST", "/hooks/sync", &headers, b"").await.unwrap();
    assert_eq!(announced.status, 413);
    let exact = vec![b'x'; 1 << 20];
    assert_eq!(send_to(&process.ingress(), "/hooks/sync", "2", &exact).await.unwrap().status, 200);
    assert_eq!(rejected_codes(&process, 2).await, ["body-too-large", "body-too-large"]);
    accepted(&process, "k", 1).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let host = process.ingress()[7..].to_owned();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let head = format!("POST /hooks/sync HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\n{{\"cut\":");
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(rejected_codes(&process, 1).await, ["body-broken"]);
    assert_eq!(process.deliveries("").await["total"], 0);
}

#[tokio::test]
async fn a_body_that_trickles_is_answered_408() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let host = process.ingress()[7..].to_owned();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let head = format!("POST /hooks/sync HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = [0; 64];
    let read = tokio::select! {
        read = tokio::time::timeout(Duration::from_secs(30), reader.read(&mut answer)) => read.unwrap().unwrap(),
        () = trickle => unreachable!("it trickles for ever"),
    };
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn odd_bodies_are_kept_byte_for_byte_and_delivered_raw() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: [&[u8]; 6] = [
        b"\xff\xfe\x00\x01 not UTF-8",
        b"{\"cut\": [1, 2",
        deep.as_bytes(),
        br#"{"a":1,"a":2,"__proto__":{"b":1}}"#,
        br#"{"big":1180591620717411303424,"exact":1.10,"huge":1e400}"#,
        b"",
    ];
    for (index, body) in bodies.iter().enumerate() {
        let answer = send_to(&process.ingress(), "/hooks/sync", &format!("odd-{index}"), body).await.unwrap();
        assert_eq!(answer.status, 200, "{index}: {}", answer.text());
        let event = answer.json()["event"].as_str().unwrap().to_owned();
        let kept = process.ask("GET", &format!("events/{event}/body"), None).await;
        assert_eq!(kept.body, *body, "{index}");
    }
    // Without steps, the bytes go through as they are, whatever they are.
    process.wait_for("state:delivered,dead", bodies.len() as u64).await;
    let received = destination.received();
    for body in [bodies[3], bodies[4]] {
        assert!(received.iter().any(|request| request.body == body), "{}", String::from_utf8_lossy(body));
    }
}

#[tokio::test]
async fn duplicate_keys_are_noticed() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let answer = send_to(&process.ingress(), "/hooks/sync", "1", br#"{"key":"k","key":"l"}"#).await.unwrap().json();
    let event = process.get(&format!("events/{}", answer["event"].as_str().unwrap())).await;
    assert_eq!(event["notes"], json!(["duplicate-keys"]));
}

#[tokio::test]
async fn a_body_that_the_steps_cannot_read_becomes_a_dead_letter() {
    let (workspace, destination) = (TestWorkspace::new(), signalbox_testkit::Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let steps = "[[steps]]\nkind = \"map\"\njq = '.number'\n";
    workspace.integration("sync", &format!("{steps}{}", workspace::destination("crm", "")));
    let process = serve(&workspace).await;
    for (index, body) in
        [&b"{\"number\": [1, 2"[..], b"[[[", format!("{}1", "[".repeat(500_000)).as_bytes()].iter().enumerate()
    {
        assert_eq!(send_to(&process.ingress(), "/hooks/sync", &index.to_string(), body).await.unwrap().status, 200);
    }
    process.wait_for("state:dead kind:mapping", 3).await;
    accepted(&process, "k", 1).await;
    process.wait_for("state:delivered", 1).await;
}

#[tokio::test]
async fn a_mapping_without_end_or_measure_kills_its_delivery_and_nothing_else() {
    let (workspace, destination) = (TestWorkspace::new(), signalbox_testkit::Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    for (name, jq) in [
        ("endless", "def f: f; f"),
        ("deep", "def f: 1 + f; f"),
        ("wide", "[range(1000000000)]"),
        ("doubling", "reduce range(60) as $i (\"x\"; . + .)"),
        ("repeated", "\"x\" * 1000000000"),
        ("shared", "reduce range(40) as $i ([1]; [., .])"),
    ] {
        let steps = format!("[[steps]]\nkind = \"map\"\njq = '{jq}'\n");
        workspace.integration(name, &format!("{steps}{}", workspace::destination("crm", "")));
    }
    workspace.integration("sync", &workspace::destination("crm", ""));
    let process = serve(&workspace).await;
    for name in ["endless", "deep", "wide", "doubling", "repeated", "shared"] {
        let answer = send_to(&process.ingress(), &format!("/hooks/{name}"), "1", b"{}").await.unwrap();
        assert_eq!(answer.status, 200, "{name}");
    }
    accepted(&process, "k", 1).await;
    process.wait_for("integration:sync state:delivered", 1).await;
    process.wait_for("state:dead stage:map kind:mapping", 6).await;
}

#[tokio::test]
async fn hostile_requests_are_refused() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let host = process.ingress()[7..].to_owned();
    let raw = async |text: String| http::raw(&host, text.as_bytes()).await.map(|answer| answer.status);
    let post = "POST /hooks/sync HTTP/1.1\r\nconnection: close\r\n";
    let many: String = (0..100).map(|number| format!("x-{number}: 1\r\n")).collect();
    for (what, text, allowed) in [
        ("no host", format!("{post}content-length: 2\r\n\r\n{{}}"), &[400][..]),
        ("two hosts", format!("{post}host: {host}\r\nhost: evil.test\r\ncontent-length: 2\r\n\r\n{{}}"), &[400]),
        ("two lengths", format!("{post}host: {host}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"), &[400]),
        (
            "length beside chunks",
            format!(
                "{post}host: {host}\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
            &[400],
        ),
        ("100 headers", format!("{post}host: {host}\r\n{many}content-length: 2\r\n\r\n{{}}"), &[431]),
        (
            "a header of 64 KiB",
            format!("{post}host: {host}\r\nx-long: {}\r\ncontent-length: 2\r\n\r\n{{}}", "x".repeat(65_536)),
            &[431, 400],
        ),
        ("a space before the colon", format!("{post}host : {host}\r\ncontent-length: 2\r\n\r\n{{}}"), &[400]),
        ("an unknown path", format!("POST /hooks/other HTTP/1.1\r\nconnection: close\r\nhost: {host}\r\n\r\n"), &[404]),
        ("another method", format!("DELETE /hooks/sync HTTP/1.1\r\nconnection: close\r\nhost: {host}\r\n\r\n"), &[405]),
        (
            "a compressed body",
            format!("{post}host: {host}\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{{}}"),
            &[415],
        ),
    ] {
        let status = raw(text).await;
        assert!(matches!(&status, Ok(status) if allowed.contains(status)), "{what}: {status:?}");
    }
    assert_eq!(process.deliveries("").await["total"], 0, "none of them was stored");
    accepted(&process, "k", 1).await;
}

#[tokio::test]
async fn a_markup_payload_is_shown_as_text_and_never_as_a_page() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let headers = [("content-type", "text/html"), ("webhook-id", "1")];
    let page = b"<script>alert(1)</script>";
    let answer = http::send(&process.ingress(), "POST", "/hooks/sync", &headers, page).await.unwrap().json();
    let body = process.ask("GET", &format!("events/{}/body", answer["event"].as_str().unwrap()), None).await;
    assert_eq!(body.header("content-type"), Some("application/octet-stream"));
    assert_eq!(body.header("content-disposition"), Some("attachment"));
    assert_eq!(body.body, page);
}

/// More arrives at once than the ledger's queue holds: it says so before memory grows, and what it accepted is there.
#[tokio::test]
async fn a_flood_is_turned_away_with_a_time_to_come_back() {
    let (workspace, destination) = (TestWorkspace::new(), signalbox_testkit::Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let source =
        "[source]\nkind = \"webhook\"\npath = \"/hooks/flood\"\nverify = { scheme = \"none\" }\nmax_body = \"8MiB\"\n";
    let steps = "[[steps]]\nkind = \"filter\"\njq = 'false'\n";
    workspace.write(
        "integrations/flood.toml",
        &format!("title = \"Flood\"\n{source}{steps}{}", workspace::destination("crm", "")),
    );
    let process = serve(&workspace).await;
    let body = std::sync::Arc::new(format!("\"{}\"", "x".repeat(7 << 20)).into_bytes());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..48 {
        let (ingress, body) = (process.ingress(), body.clone());
        tasks.spawn(async move {
            let headers = [("content-type", "application/json")];
            http::send(&ingress, "POST", "/hooks/flood", &headers, &body).await.unwrap()
        });
    }
    let answers = tasks.join_all().await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(accepted < answers.len(), "336 MiB at once are more than the 64 MiB that may wait for the disk");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(process.deliveries("state:filtered").await["total"], accepted);
    assert_eq!(process.ask("GET", "/readyz", None).await.status, 200);
}
