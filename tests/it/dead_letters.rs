//! Dead letters: grouped by what killed them, discarded and brought back.

use serde_json::json;
use signalbox_testkit::{Answer, Destination, TestWorkspace, workspace};

use crate::support::{ONE_TRY, TWO_TRIES, accepted, detail, one_destination, serve};

#[tokio::test]
async fn what_failed_alike_is_one_group() {
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    let process = serve(&workspace).await;
    // The numbers differ, the failure does not.
    destination.otherwise(Answer::json(500, r#"{"error":"overloaded"}"#));
    for number in 1..=4 {
        accepted(&process, &format!("a{number}"), number).await;
    }
    process.wait_for("state:dead", 4).await;
    destination.otherwise(Answer::json(422, r#"{"error":"no such field"}"#));
    for number in 1..=2 {
        accepted(&process, &format!("b{number}"), number).await;
    }
    process.wait_for("state:dead", 6).await;

    let groups = process.get("dead-letters/groups").await;
    let items = groups["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{groups:#}");
    let server = items.iter().find(|group| group["kind"] == "server").unwrap();
    assert_eq!((&server["count"], &server["status"], &server["stage"]), (&json!(4), &json!(500), &json!("deliver")));
    assert_eq!(
        (&server["integration"], &server["destination"], &server["system"]),
        (&json!("sync"), &json!("crm"), &json!("crm"))
    );
    assert_eq!(server["key_count"], 4);
    let series = server["series"].as_array().unwrap();
    assert_eq!((series.len(), series.iter().filter_map(|count| count.as_u64()).sum()), (24, 4));
    let of_group = process.deliveries(&format!("group:{}", server["id"].as_str().unwrap())).await;
    assert_eq!(of_group["total"], 4);
    let narrowed = process.get("dead-letters/groups?filter=kind%3Arejected").await;
    assert_eq!(narrowed["items"].as_array().unwrap().len(), 1);
    assert_eq!(narrowed["items"][0]["count"], 2);
}

#[tokio::test]
async fn a_bad_mapping_makes_dead_letters_and_loses_nothing() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    let steps = "[[steps]]\nkind = \"map\"\njq = '.email | ascii_downcase'\n";
    workspace.integration("sync", &format!("{steps}{}", workspace::destination("crm", "")));
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    let page = process.wait_for("state:dead", 1).await;
    let dead = &page["items"][0];
    assert_eq!((&dead["stage"], &dead["kind"], &dead["attempts"]), (&json!("map"), &json!("mapping"), &json!(0)));
    assert!(destination.received().is_empty());
    let whole = detail(&process, dead).await;
    let failed = whole["trace"].as_array().unwrap().iter().find(|step| step["outcome"] == "failed");
    assert_eq!(failed.unwrap()["step"], "map", "{whole:#}");
}

#[tokio::test]
async fn a_body_that_the_schema_refuses_dies_at_validate() {
    let (workspace, destination) = (TestWorkspace::new(), Destination::start().await);
    workspace.system("crm", &destination.url(), "");
    workspace.write("schemas/contact.json", r#"{"type":"object","required":["email"]}"#);
    let steps = "[[steps]]\nkind = \"validate\"\nschema = \"schemas/contact.json\"\n";
    workspace.integration("sync", &format!("{steps}{}", workspace::destination("crm", "")));
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    let page = process.wait_for("state:dead stage:validate", 1).await;
    assert!(page["items"][0]["message"].as_str().unwrap().contains("email"), "{page:#}");
}

#[tokio::test]
async fn a_discard_can_be_undone() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    destination.otherwise(Answer::status(500));
    let process = serve(&workspace).await;
    for number in 1..=3 {
        accepted(&process, &format!("k{number}"), number).await;
    }
    process.wait_for("state:dead", 3).await;
    let discarded = process.post("discards", &json!({ "filter": "state:dead", "reason": "a test" })).await;
    assert_eq!(discarded["count"], 3);
    process.wait_for("state:discarded", 3).await;
    let none = process.ask("POST", "discards", Some(&json!({ "filter": "state:dead" }))).await;
    assert_eq!((none.status, &none.json()["code"]), (400, &json!("empty-selection")));
    let path = format!("discards/{}/undo", discarded["id"].as_str().unwrap());
    assert_eq!(process.post(&path, &json!({})).await["restored"], 3);
    process.wait_for("state:dead", 3).await;
    let unknown = process.ask("POST", "discards/dsc_00000000000000000000000000/undo", None).await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn waiting_deliveries_are_discarded_by_id() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    process.post("systems/crm/pause", &json!({})).await;
    accepted(&process, "a", 1).await;
    accepted(&process, "b", 2).await;
    let page = process.deliveries("key:a").await;
    let discarded = process.post("discards", &json!({ "ids": [page["items"][0]["id"]] })).await;
    assert_eq!(discarded["count"], 1);
    process.post("systems/crm/resume", &json!({})).await;
    process.wait_for("state:delivered", 1).await;
    assert_eq!(crate::support::numbers(&destination.received()), [2]);
}
