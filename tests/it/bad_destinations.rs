//! Destinations that hang, trickle, never end, redirect or talk nonsense: each delivery ends with its reason, and its siblings
//! go on.

use serde_json::json;
use signalbox_testkit::{Answer, Destination, TestWorkspace, workspace};

use crate::support::{ONE_TRY, accepted, detail, one_destination, serve};

#[tokio::test]
async fn each_kind_of_bad_answer_has_its_kind_of_failure() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    workspace.system("crm", &destination.url(), "");
    let process = serve(&workspace).await;
    let redirect = Answer::status(302).with("location", "http://169.254.169.254/latest/meta-data/");
    let cases = [
        ("hang", Answer::Hang, "unknown"),
        ("trickle", Answer::Trickle, "unknown"),
        ("endless", Answer::Endless, "rejected"),
        ("nonsense", Answer::Nonsense, "unknown"),
        ("close", Answer::Close, "unknown"),
        ("redirect", redirect, "rejected"),
        ("not-found", Answer::status(404), "rejected"),
        ("broken", Answer::status(503), "server"),
        ("busy", Answer::status(503).with("retry-after", "0"), "rate"),
        ("forbidden", Answer::status(403), "auth"),
    ];
    for (name, answer, kind) in cases {
        destination.script([answer]);
        accepted(&process, name, 1).await;
        let page = process.wait_for(&format!("key:{name} state:dead"), 1).await;
        assert_eq!(page["items"][0]["kind"], kind, "{name}: {page:#}");
        assert!(!page["items"][0]["message"].as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(destination.received().len(), 10, "the redirect was not followed, nothing was tried twice");
    accepted(&process, "well", 1).await;
    process.wait_for("key:well state:delivered", 1).await;
}

#[tokio::test]
async fn a_long_answer_is_cut_and_says_so() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    let process = serve(&workspace).await;
    let long = Answer::Reply { status: 500, headers: Vec::new(), body: vec![b'e'; 1 << 20] };
    destination.script([long]);
    accepted(&process, "k", 1).await;
    let page = process.wait_for("state:dead", 1).await;
    let response = detail(&process, &page["items"][0]).await["attempts"][0]["response"].clone();
    assert_eq!((&response["truncated"], response["body"].as_str().unwrap().len()), (&json!(true), 64 << 10));
}

#[tokio::test]
async fn a_confirm_that_says_no_is_a_failure_in_spite_of_the_2xx() {
    let (workspace, destination) = one_destination(&format!("{ONE_TRY}\nconfirm = '.body.saved == true'")).await;
    destination.script([Answer::json(200, r#"{"saved":false}"#), Answer::json(200, "not json")]);
    let process = serve(&workspace).await;
    accepted(&process, "a", 1).await;
    accepted(&process, "b", 1).await;
    let page = process.wait_for("state:dead stage:confirm kind:rejected", 2).await;
    assert_eq!(page["items"][0]["status"], 200);
}

#[tokio::test]
async fn a_destination_that_is_down_does_not_hold_up_another() {
    let (workspace, mut broken, well) = (TestWorkspace::new(), Destination::start().await, Destination::start().await);
    workspace.system("broken", &broken.url(), "").system("well", &well.url(), "");
    // It tries for longer than the other one may take.
    let patient = format!("retry = {{ schedule = [{}], jitter = 0.0 }}", ["\"500ms\""; 60].join(", "));
    let both = format!("{}{}", workspace::destination("broken", &patient), workspace::destination("well", ""));
    workspace.integration("sync", &both);
    broken.go_down();
    let process = serve(&workspace).await;
    for number in 1..=20 {
        accepted(&process, "k", number).await;
    }
    let page = process.wait_for("destination:well state:delivered", 20).await;
    assert_eq!(page["items"][0]["system"], "well");
    let waiting = process.deliveries("destination:broken state:retrying,sending,queued").await;
    assert_eq!(waiting["total"], 1, "the head of the key; the others wait behind it");
    broken.come_back().await;
    process.wait_for("destination:broken state:delivered", 20).await;
    assert_eq!(crate::support::numbers(&broken.received()), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn addresses_inside_are_refused_unless_the_system_allows_them() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    let port = destination.url().rsplit_once(':').unwrap().1.to_owned();
    let urls = [
        format!("https://127.0.0.1:{port}"),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://0x7f.1:{port}"),
        "https://169.254.169.254".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://192.168.1.1".to_owned(),
        "https://100.64.0.1".to_owned(),
        "https://[fe80::1]".to_owned(),
        "https://[fd00::1]".to_owned(),
    ];
    for (index, url) in urls.iter().enumerate() {
        workspace.write(&format!("systems/s{index}.toml"), &format!("title = \"S\"\nbase_url = \"{url}\"\n"));
        let one = format!("[[destinations]]\nname = \"s\"\nsystem = \"s{index}\"\n{ONE_TRY}\n");
        workspace.integration(&format!("i{index}"), &one);
    }
    let process = serve(&workspace).await;
    for index in 0..urls.len() {
        let name = format!("i{index}");
        let known = process.get("integrations").await;
        let runs = known["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == name.as_str() && one["state"] != "broken");
        // Refused when the file is read, or when the request is made: either way, nothing is sent.
        if runs {
            let answer =
                crate::support::send_to(&process.ingress(), &format!("/hooks/{name}"), "1", b"{}").await.unwrap();
            assert_eq!(answer.status, 200);
            process.wait_for(&format!("integration:{name} state:dead kind:rejected"), 1).await;
        }
    }
    assert!(destination.received().is_empty());
}

#[tokio::test]
async fn an_integration_that_sends_to_the_own_ingress_is_refused() {
    let workspace = TestWorkspace::new();
    workspace.system("self", "http://127.0.0.1:1", "");
    workspace.integration("sync", "[[destinations]]\nname = \"self\"\nsystem = \"self\"\nrequest = { path = \"/hooks/sync\" }\nretry = { schedule = [] }\n");
    let process = serve(&workspace).await;
    workspace.system("self", &process.ingress(), "");
    signalbox_testkit::until("the reload", || async {
        let systems = process.get("systems").await;
        systems["items"][0]["base_url"].as_str().unwrap().starts_with(&process.ingress()).then_some(())
    })
    .await;
    accepted(&process, "k", 1).await;
    let page = process.wait_for("state:dead kind:rejected", 1).await;
    assert!(page["items"][0]["message"].as_str().unwrap().contains("own"), "{page:#}");
    assert_eq!(process.deliveries("").await["total"], 1, "it did not come round");
}
