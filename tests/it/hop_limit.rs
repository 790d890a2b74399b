//! Two programs whose destinations are each other's ingresses: an event goes round eight times and no more.

use serde_json::json;
use signalbox_testkit::{Destination, TestWorkspace, until, workspace};

use crate::support::{detail, only, send, serve};

fn back() -> String {
    "[[destinations]]\nname = \"other\"\nsystem = \"other\"\nrequest = { method = \"POST\", path = \"/hooks/sync\" }\n"
        .to_owned()
}

#[tokio::test]
async fn a_cycle_of_two_programs_ends_after_eight_hops() {
    let (here, there) = (TestWorkspace::new(), TestWorkspace::new());
    there.system("other", "http://127.0.0.1:9", "");
    there.integration("sync", &back());
    let second = serve(&there).await;
    here.system("other", &second.ingress(), "");
    here.integration("sync", &back());
    let first = serve(&here).await;
    there.system("other", &first.ingress(), "");
    until("the second knows the first", || async {
        let systems = second.get("systems").await;
        (systems["items"][0]["base_url"].as_str()?.trim_end_matches('/') == first.ingress()).then_some(())
    })
    .await;

    let sent = send(&first, "1", &json!({ "number": 1 })).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    first.wait_for("state:dead", 1).await;
    // Hops 0, 2, 4, 6 and 8 arrived at the first, 1, 3, 5 and 7 at the second.
    assert_eq!(first.deliveries("").await["total"], 5);
    second.wait_for("state:delivered", 4).await;
    assert_eq!(second.deliveries("").await["total"], 4);

    let last = detail(&first, &only(&first, "state:dead").await).await;
    assert_eq!((last["status"].as_u64(), last["kind"].as_str()), (Some(400), Some("rejected")), "{last:#}");
    let refused = second.get("rejected").await;
    assert_eq!(refused["items"][0]["code"], "too-many-hops", "{refused:#}");
}

#[tokio::test]
async fn every_request_says_how_many_hops_it_has_behind_it() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.integration("sync", &workspace::destination("crm", ""));
    let process = serve(&workspace).await;
    for (id, before) in [("a", None), ("b", Some("3")), ("c", Some("8")), ("d", Some("nonsense"))] {
        let mut headers = vec![("content-type", "application/json"), ("webhook-id", id)];
        headers.extend(before.map(|hops| ("signalbox-hop", hops)));
        let sent =
            signalbox_testkit::http::send(&process.ingress(), "POST", "/hooks/sync", &headers, b"{}").await.unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    let mut hops: Vec<String> = destination
        .wait_for(4)
        .await
        .iter()
        .map(|request| request.header("signalbox-hop").unwrap().to_owned())
        .collect();
    hops.sort();
    assert_eq!(hops, ["1", "1", "4", "9"]);
}
