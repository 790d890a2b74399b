//! A request that is refused for its signature is told apart from others by the doctor, and not by its answer.

use serde_json::Value;
use signalbox_testkit::process::ServeOptions;
use signalbox_testkit::{ServeProcess, TestWorkspace, http, until};

use crate::support::serve_with;

/// GitHub's published vector.
const SECRET: &str = "It's a Secret to Everybody";
const BODY: &str = "Hello, World!";
const SIGNATURE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

async fn refused(process: &ServeProcess, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let answer = http::send(&process.ingress(), "POST", path, headers, body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 401, "{}", answer.text());
    answer.text()
}

/// Of the newest refused request.
async fn doctor(process: &ServeProcess, count: usize) -> Value {
    until("the doctor's finding", || async {
        let page = process.get("rejected").await;
        let items = page["items"].as_array().unwrap();
        let newest = items.first().filter(|_| items.len() == count)?;
        Some(newest["doctor"].clone()).filter(|doctor| !doctor.is_null())
    })
    .await
}

#[tokio::test]
async fn a_refused_request_says_which_change_would_have_made_it_pass() {
    let workspace = TestWorkspace::new();
    for (name, secret) in [("orders", "orders-hook"), ("shop", "shop-hook")] {
        workspace.write(
            &format!("integrations/{name}.toml"),
            &format!(
                "[source]\nkind = \"webhook\"\npath = \"/hooks/{name}\"\nverify = {{ scheme = \"github\", secret = \"{secret}\" }}\n"
            ),
        );
    }
    let options =
        ServeOptions::default().secret("orders-hook", "another secret of some length").secret("shop-hook", SECRET);
    let process = serve_with(&workspace, &options).await;

    let whole = format!("sha256={SIGNATURE}");
    let mut answers = Vec::new();
    for (count, path, header, signature, body, change, words) in [
        (1, "/hooks/orders", "x-hub-signature-256", &whole[..], BODY, "other-secret", "'shop-hook'"),
        (2, "/hooks/shop", "x-hub-signature-256", SIGNATURE, BODY, "prefix", "without a prefix"),
        (3, "/hooks/shop", "x-signature", &whole, BODY, "header", "x-signature"),
        (4, "/hooks/shop", "x-hub-signature-256", &whole, "Hello, World!\n", "body", "without the white space"),
    ] {
        answers.push(refused(&process, path, &[(header, signature)], body).await);
        let doctor = doctor(&process, count).await;
        let first = &doctor["findings"][0];
        assert_eq!((first["change"].as_str(), first["sure"].as_bool()), (Some(change), Some(true)), "{doctor:#}");
        assert!(first["text"].as_str().unwrap().contains(words) && first["fix"].is_string(), "{doctor:#}");
        assert_eq!(doctor["summary"], first["text"]);
        assert!(!doctor.to_string().contains("Everybody"), "{doctor:#}");
    }
    answers.push(refused(&process, "/hooks/shop", &[("x-hub-signature-256", "sha256=00")], BODY).await);
    let nothing = doctor(&process, 5).await;
    assert_eq!(nothing["findings"], serde_json::json!([]), "{nothing:#}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the answer tells something: {answers:?}");
}
