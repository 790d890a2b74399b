//! What a system allows: breaker, limits, quota, failover, pauses of a destination, and how what waits explains itself.

use std::time::Duration;

use serde_json::{Value, json};
use signalbox_testkit::{Answer, Destination, ServeProcess, TestWorkspace, workspace};

use crate::support::{ONE_TRY, accepted, detail, one_destination, only, serve};

/// Opens after four failures of four, and tries again after a second.
const BREAKER: &str = "breaker = { window = \"20s\", ratio = 0.5, minimum = 4, open = \"1s\" }";
/// A second try comes so late that only a breaker that closes can bring it in time.
const PATIENT: &str = "retry = { schedule = [\"1h\", \"1h\"], jitter = 0.0 }";

/// The system `crm` with `more` in its file, its destination with `destination` in the integration's.
async fn system(more: &str, destination: &str) -> (TestWorkspace, Destination) {
    let (workspace, server) = one_destination(destination).await;
    workspace.system("crm", &server.url(), more);
    (workspace, server)
}

async fn crm(process: &ServeProcess) -> Value {
    process.get("systems").await["items"][0].clone()
}

/// Until the system says so.
async fn until(process: &ServeProcess, what: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let system = crm(process).await;
        if what(&system) {
            return system;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to that: {:#}", crm(process).await);
}

#[tokio::test]
async fn a_breaker_opens_when_its_system_fails_and_lets_everything_go_when_it_is_back() {
    let (workspace, server) = system(BREAKER, PATIENT).await;
    server.otherwise(Answer::status(503));
    let process = serve(&workspace).await;
    for number in 0..10 {
        accepted(&process, &format!("k{number}"), 1).await;
    }
    process.wait_for("reason:breaker", 10).await;
    let open = until(&process, |crm| crm["breaker"]["waiting"] == 10).await;
    let reason = open["breaker"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("opened ") && reason.ends_with("last: 503 Service Unavailable"), "{reason}");
    assert!(reason.contains("calls failed within 20 s"), "{reason}");
    assert_eq!((&open["gate"]["state"], &open["gate"]["reason"]), (&json!("closed"), &json!("breaker")));
    let waiting = &process.deliveries("reason:breaker").await["items"][0];
    let one = detail(&process, waiting).await;
    assert_eq!(one["waits_for"]["reason"], "breaker", "{one:#}");
    assert!(one["explain"].as_str().unwrap().contains("The breaker of crm: opened"), "{one:#}");

    server.otherwise(Answer::status(200));
    let delivered = process.wait_for("state:delivered", 10).await;
    // The figures are told of a commit a moment after the ledger has it.
    let closed = until(&process, |crm| crm["breaker"]["state"] == "closed" && crm["breaker"]["waiting"] == 0).await;
    assert_eq!(closed["breaker"]["reason"], Value::Null);
    for item in delivered["items"].as_array().unwrap() {
        let attempts = item["attempts"].as_u64().unwrap();
        let probes = detail(&process, item).await["attempts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|attempt| attempt["waited_for"] == "gate")
            .count() as u64;
        assert!(attempts - probes <= 2, "a probe uses no try: {item:#}");
    }
}

#[tokio::test]
async fn a_breaker_is_operated_by_hand_and_stays_so_over_a_restart() {
    let (workspace, server) = system(BREAKER, "").await;
    let process = serve(&workspace).await;
    let held = process.post("systems/crm/breaker", &json!({ "state": "open", "reason": "maintenance" })).await;
    assert_eq!(held["breaker"]["state"], "held-open", "{held:#}");
    accepted(&process, "a", 1).await;
    process.wait_for("reason:breaker", 1).await;
    assert!(process.log().contains("a person operated a breaker"));
    process.stop().await;

    let process = serve(&workspace).await;
    let system = crm(&process).await;
    assert_eq!(system["breaker"]["state"], "held-open");
    assert!(system["breaker"]["reason"].as_str().unwrap().ends_with("maintenance"), "{system:#}");
    assert_eq!(server.received().len(), 0);
    let auto = process.post("systems/crm/breaker", &json!({ "state": "auto" })).await;
    assert_eq!(auto["breaker"]["state"], "closed");
    process.wait_for("state:delivered", 1).await;

    let wrong = process.ask("POST", "systems/crm/breaker", Some(&json!({ "state": "ajar" }))).await;
    assert_eq!(wrong.status, 400);
    let missing = process.ask("POST", "systems/none/breaker", Some(&json!({ "state": "open" }))).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_breaker_that_is_off_cannot_be_operated() {
    let (workspace, _server) = system("breaker = \"off\"", "").await;
    let process = serve(&workspace).await;
    assert_eq!(crm(&process).await["breaker"]["state"], "off");
    let answer = process.ask("POST", "systems/crm/breaker", Some(&json!({ "state": "open" }))).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("wrong-state")));
}

/// 200, and so much is left of a quota of 20, of which 2 are the reserve.
fn left(remaining: &str) -> Answer {
    Answer::json(200, "{}")
        .with("x-ratelimit-limit", "20")
        .with("x-ratelimit-remaining", remaining)
        .with("x-ratelimit-reset", "30")
}

#[tokio::test]
async fn the_reserve_of_a_quota_is_kept_for_live_traffic() {
    let (workspace, server) = system("", ONE_TRY).await;
    server.script([Answer::status(400), Answer::status(400)]);
    server.otherwise(left("2"));
    let process = serve(&workspace).await;
    for key in ["a", "b"] {
        accepted(&process, key, 1).await;
    }
    process.wait_for("state:dead", 2).await;
    accepted(&process, "live", 1).await;
    process.wait_for("key:live state:delivered", 1).await;
    let quota = crm(&process).await["quotas"][0].clone();
    assert_eq!(
        (&quota["limit"], &quota["remaining"], &quota["reserve"]),
        (&json!(20), &json!(2), &json!(2)),
        "{quota:#}"
    );

    process.post("replays", &json!({ "filter": "state:dead", "mode": "exact", "rate": 50 })).await;
    let held = until_held(&process, "key:a").await;
    assert_eq!((&held["reason"], &held["waits_for"]["reason"]), (&json!("quota"), &json!("quota")), "{held:#}");
    assert!(held["explain"].as_str().unwrap().contains("2 of 20 left of its quota"), "{held:#}");
    process.wait_for("reason:quota state:held", 2).await;
    server.otherwise(left("1"));
    accepted(&process, "live", 2).await;
    process.wait_for("key:live state:delivered", 2).await;
    assert_eq!(server.received().len(), 4, "the replay did not go");
    server.otherwise(left("19"));
    accepted(&process, "live", 3).await;
    process.wait_for("state:delivered", 5).await;
}

#[tokio::test]
async fn the_overview_counts_what_only_a_reserve_holds_as_the_list_does() {
    let (workspace, server) = system("", ONE_TRY).await;
    server.script([Answer::status(400), Answer::status(400), Answer::status(400)]);
    server.otherwise(left("2"));
    let process = serve(&workspace).await;
    for key in ["a", "b", "c"] {
        accepted(&process, key, 1).await;
    }
    process.wait_for("state:dead", 3).await;
    accepted(&process, "live", 1).await;
    process.wait_for("key:live state:delivered", 1).await;
    let held_by = || async { process.get("overview?window=15m").await["queue"]["held_by"].clone() };
    assert_eq!(held_by().await, json!({}), "nothing waits yet");

    process.post("replays", &json!({ "filter": "state:dead", "mode": "exact", "rate": 50 })).await;
    process.wait_for("reason:quota", 3).await;
    assert_eq!(held_by().await, json!({ "quota": 3 }), "no live delivery waits");

    server.otherwise(left("19"));
    accepted(&process, "live", 2).await;
    process.wait_for("state:delivered", 5).await;
    assert_eq!(process.deliveries("reason:quota").await["total"], 0);
    assert_eq!(held_by().await, json!({}), "they went");
}

async fn until_held(process: &ServeProcess, filter: &str) -> Value {
    for _ in 0..200 {
        let page = process.deliveries(filter).await;
        let one = detail(process, &page["items"][0]).await;
        if one["state"] == "held" {
            return one;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{filter} is not held: {:#}", process.deliveries(filter).await);
}

#[tokio::test]
async fn deliveries_go_to_the_next_endpoint_while_the_first_is_away_and_back_when_it_returns() {
    let (mut first, second) = (Destination::start().await, Destination::start().await);
    let workspace = TestWorkspace::new();
    let failover = format!("failover = [\"{}\"]\nfail_back = \"1s\"", second.url());
    workspace.system("crm", &first.url(), &failover);
    let quick = "retry = { schedule = [\"50ms\", \"50ms\", \"50ms\", \"50ms\"], jitter = 0.0 }";
    workspace.integration("sync", &workspace::destination("crm", quick));
    first.go_down();
    let process = serve(&workspace).await;
    accepted(&process, "a", 1).await;
    process.wait_for("key:a state:delivered", 1).await;
    assert_eq!(second.received().len(), 1);
    let one = detail(&process, &only(&process, "key:a").await).await;
    let last = one["attempts"].as_array().unwrap().last().unwrap().clone();
    assert!(last["request"]["url"].as_str().unwrap().starts_with(&second.url()), "{last:#}");
    assert!(last["endpoint"].as_str().unwrap().starts_with(&second.url()), "{last:#}");
    let endpoints = crm(&process).await["endpoints"].clone();
    assert_eq!((&endpoints[0]["state"], &endpoints[1]["active"]), (&json!("failed"), &json!(true)), "{endpoints:#}");

    first.come_back().await;
    for number in 1..100 {
        accepted(&process, "b", number).await;
        if crm(&process).await["endpoints"][0]["active"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let endpoints = crm(&process).await["endpoints"].clone();
    assert_eq!((&endpoints[0]["state"], &endpoints[0]["active"]), (&json!("ok"), &json!(true)), "{endpoints:#}");
    assert!(!first.received().is_empty());
}

#[tokio::test]
async fn a_paused_destination_waits_alone() {
    let (workspace, server) = system("", "").await;
    let other = Destination::start().await;
    workspace.system("shop", &other.url(), "");
    let both = workspace::destination("crm", "") + &workspace::destination("shop", "");
    workspace.integration("sync", &both);
    let process = serve(&workspace).await;
    process.post("integrations/sync/destinations/crm/pause", &json!({})).await;
    accepted(&process, "a", 1).await;
    process.wait_for("destination:shop state:delivered", 1).await;
    process.wait_for("destination:crm reason:pause", 1).await;
    let system = crm(&process).await;
    assert_eq!((&system["gate"]["state"], &system["paused"]), (&json!("clear"), &json!(false)), "{system:#}");
    assert_eq!(system["destinations"][0]["paused"], true);
    assert_eq!(server.received().len(), 0);
    process.stop().await;
    let process = serve(&workspace).await;
    process.wait_for("destination:crm reason:pause", 1).await;
    process.post("integrations/sync/destinations/crm/resume", &json!({})).await;
    process.wait_for("destination:crm state:delivered", 1).await;
    let missing = process.ask("POST", "integrations/sync/destinations/none/pause", Some(&json!({}))).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_limit_per_second_holds_and_uses_no_tries() {
    let (workspace, server) = system("limits = { per_second = 5, burst = 1 }", ONE_TRY).await;
    let process = serve(&workspace).await;
    let began = tokio::time::Instant::now();
    for number in 0..11 {
        accepted(&process, &format!("k{number}"), 1).await;
    }
    let delivered = process.wait_for("state:delivered", 11).await;
    assert!(began.elapsed() >= Duration::from_millis(1_900), "{:?}", began.elapsed());
    assert!(delivered["items"].as_array().unwrap().iter().all(|item| item["attempts"] == 1));
    assert_eq!(server.received().len(), 11);
    assert_eq!(crm(&process).await["limits"]["per_second"], 5.0);
}

#[tokio::test]
async fn what_waits_for_an_earlier_delivery_says_for_which() {
    let (workspace, server) = system("", PATIENT).await;
    server.otherwise(Answer::status(503));
    let process = serve(&workspace).await;
    for number in 1..=3 {
        accepted(&process, "a", number).await;
    }
    process.wait_for("state:retrying", 1).await;
    let held = process.wait_for("reason:order", 2).await;
    let last = detail(&process, &held["items"][0]).await;
    let explain = last["explain"].as_str().unwrap();
    assert!(explain.starts_with("2 earlier deliveries of key a come first; the first is retried in "), "{explain}");
    assert_eq!((&last["waits_for"]["reason"], &last["waits_for"]["ahead"]), (&json!("order"), &json!(2)));
}
