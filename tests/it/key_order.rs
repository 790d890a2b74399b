//! Deliveries of one key keep their order.

use signalbox_testkit::Answer;

use crate::support::{ONE_TRY, TWO_TRIES, accepted, numbers, one_destination, serve};

#[tokio::test]
async fn the_next_of_a_key_waits_until_the_one_before_has_ended() {
    // The first one's wait is seen below, however busy the machine.
    let (workspace, destination) = one_destination("retry = { schedule = [\"4s\"], jitter = 0.0 }").await;
    destination.script([Answer::status(500)]);
    let process = serve(&workspace).await;
    for number in 1..=4 {
        accepted(&process, "k", number).await;
    }
    process.wait_for("state:held reason:order", 3).await;
    // Another key does not wait.
    accepted(&process, "other", 9).await;
    process.wait_for("key:other state:delivered", 1).await;
    process.wait_for("key:k state:delivered", 4).await;
    let of_key: Vec<u64> = numbers(&destination.received()).into_iter().filter(|number| *number != 9).collect();
    assert_eq!(of_key, [1, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_dead_letter_parks_its_key_until_it_is_replayed() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    destination.script([Answer::status(400)]);
    let process = serve(&workspace).await;
    for number in 1..=3 {
        accepted(&process, "k", number).await;
    }
    process.wait_for("state:dead", 1).await;
    process.wait_for("state:held reason:order", 2).await;
    accepted(&process, "other", 9).await;
    process.wait_for("key:other state:delivered", 1).await;
    assert_eq!(numbers(&destination.received()), [1, 9]);

    let replay = serde_json::json!({ "filter": "key:k state:dead", "rate": 100 });
    process.post("replays", &replay).await;
    process.wait_for("key:k state:delivered", 3).await;
    assert_eq!(numbers(&destination.received()), [1, 9, 1, 2, 3]);
}

#[tokio::test]
async fn a_discarded_dead_letter_lets_its_key_go_on() {
    let (workspace, destination) = one_destination(ONE_TRY).await;
    destination.script([Answer::status(400)]);
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    process.wait_for("state:dead", 1).await;
    accepted(&process, "k", 2).await;
    process.wait_for("state:held", 1).await;
    process.post("discards", &serde_json::json!({ "filter": "state:dead", "reason": "not wanted" })).await;
    process.wait_for("state:delivered", 1).await;
    assert_eq!(numbers(&destination.received()), [1, 2]);
}

#[tokio::test]
async fn where_the_dead_pass_later_ones_go_on() {
    let (workspace, destination) = one_destination(&format!("{TWO_TRIES}\non_dead = \"pass\"")).await;
    destination.script([Answer::status(400)]);
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    accepted(&process, "k", 2).await;
    process.wait_for("state:delivered", 1).await;
    process.wait_for("state:dead", 1).await;
    assert_eq!(numbers(&destination.received()), [1, 2]);
}

#[tokio::test]
async fn a_paused_integration_accepts_and_holds_and_goes_on_in_order() {
    let (workspace, destination) = one_destination("").await;
    let process = serve(&workspace).await;
    process.post("integrations/sync/pause", &serde_json::json!({})).await;
    for number in 1..=3 {
        accepted(&process, "k", number).await;
    }
    let page = process.deliveries("state:held").await;
    assert_eq!(page["total"], 3, "{page:#}");
    assert_eq!(process.deliveries("reason:pause").await["total"], 1, "the head; the others wait for their turn");
    assert_eq!(process.get("integrations/sync").await["state"], "paused");
    process.post("integrations/sync/resume", &serde_json::json!({})).await;
    process.wait_for("state:delivered", 3).await;
    assert_eq!(numbers(&destination.received()), [1, 2, 3]);

    process.post("systems/crm/pause", &serde_json::json!({})).await;
    accepted(&process, "k", 4).await;
    assert_eq!(process.get("systems").await["items"][0]["gate"]["state"], "paused");
    process.post("systems/crm/resume", &serde_json::json!({})).await;
    process.wait_for("state:delivered", 4).await;
}
