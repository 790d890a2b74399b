//! The figures equal what an outside counter sees: overview, systems and `/metrics`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use signalbox_testkit::{Answer, ServeProcess, until};

use crate::support::{TWO_TRIES, accepted, one_destination, serve};

/// Samples by their name with labels.
async fn metrics(process: &ServeProcess) -> BTreeMap<String, f64> {
    let answer = process.ask("GET", "/metrics", None).await;
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

fn sum(series: &Value) -> u64 {
    series.as_array().unwrap().iter().filter_map(Value::as_u64).sum()
}

#[tokio::test]
async fn overview_and_metrics_count_what_the_destination_saw() {
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    let process = serve(&workspace).await;
    for number in 0..10 {
        accepted(&process, &format!("well{number}"), number).await;
    }
    process.wait_for("state:delivered", 10).await;
    // Three that are delivered at the second try, then two that die: 2 tries each.
    for number in 0..3 {
        destination.script([Answer::status(500)]);
        accepted(&process, &format!("late{number}"), number).await;
        process.wait_for("state:delivered", 11 + number).await;
    }
    destination.otherwise(Answer::status(429));
    for number in 0..2 {
        accepted(&process, &format!("dead{number}"), number).await;
    }
    process.wait_for("state:dead", 2).await;
    accepted(&process, "well0", 99).await;
    process.wait_for("state:dead", 3).await;

    let received = destination.received();
    let failed = received.iter().filter(|request| request.answered != Some(200)).count() as u64;
    // The figures are told of a commit a moment after the ledger has it.
    let overview = until("the figures of the last end", || async {
        let overview = process.get("overview?window=15m").await;
        (overview["delivered"]["ended"] == 16).then_some(overview)
    })
    .await;
    assert_eq!(overview["delivered"]["count"], 13);
    assert_eq!(overview["delivered"]["rate"], 13.0 / 16.0);
    assert_eq!(
        (&overview["dead_letters"]["count"], &overview["dead_letters"]["new_in_window"]),
        (&json!(3), &json!(3))
    );
    assert_eq!((&overview["queue"]["depth"], &overview["failing"]["integrations"]), (&json!(0), &json!(1)));
    assert_eq!(overview["failing"]["attempts"].as_u64(), Some(failed));
    assert_eq!((&overview["failing"]["top_kind"], &overview["failing"]["top_status"]), (&json!("rate"), &json!(429)));
    let series = &overview["series"];
    assert_eq!((sum(&series["accepted"]), sum(&series["delivered"]), sum(&series["dead"])), (16, 13, 3));
    assert_eq!(sum(&series["attempts"]), received.len() as u64);
    assert_eq!((sum(&series["failures"]["server"]), sum(&series["failures"]["rate"])), (3, failed - 3));
    let p99 = overview["latency_ms"]["p99"].as_f64().unwrap();
    assert!(p99 >= 100.0, "three waited 100 ms for their second try: {}", overview["latency_ms"]);
    let row = &overview["integrations"][0];
    assert_eq!((&row["name"], &row["state"], &row["dead"]), (&json!("sync"), &json!("failing"), &json!(3)));
    assert_eq!((sum(&row["accepted"]), sum(&row["failed"])), (16, failed));
    assert_eq!(overview["activity"][0]["kind"], "dead", "{:#}", overview["activity"]);

    let metrics = metrics(&process).await;
    let of = |name: &str| metrics[&format!("signalbox_{name}{{integration=\"sync\",destination=\"crm\"}}")];
    assert_eq!(
        (of("deliveries_created_total"), of("deliveries_delivered_total"), of("deliveries_dead_total")),
        (16.0, 13.0, 3.0)
    );
    assert_eq!(of("attempts_total"), received.len() as f64);
    assert_eq!(of("delivery_latency_seconds_count"), 13.0);
    assert_eq!(metrics["signalbox_failures_total{integration=\"sync\",destination=\"crm\",kind=\"server\"}"], 3.0);
    assert_eq!(
        metrics["signalbox_delivery_latency_seconds_bucket{le=\"+Inf\",integration=\"sync\",destination=\"crm\"}"],
        13.0
    );
    assert_eq!(metrics["signalbox_dead_letters"], 3.0);

    let system = process.get("systems").await["items"][0].clone();
    assert_eq!((&system["name"], &system["queue"], &system["in_flight"]), (&json!("crm"), &json!(0), &json!(0)));
    assert!(system["last_ok_at"].is_string() && system["p95_ms"].is_number(), "{system:#}");
}

#[tokio::test]
async fn the_program_measures_itself() {
    let (workspace, _destination) = one_destination("").await;
    let process = serve(&workspace).await;
    let metrics = until("a first measurement", || async {
        let metrics = metrics(&process).await;
        (metrics["signalbox_process_resident_memory_bytes"] > 1e6).then_some(metrics)
    })
    .await;
    assert!(metrics["signalbox_process_uptime_seconds"] > 0.0);
    assert!(metrics["signalbox_ledger_size_bytes"] > 0.0);
    let shown = process.get("overview").await["process"].clone();
    assert!(shown["rss_bytes"].as_f64() > Some(1e6) && shown["uptime_ms"].as_u64() > Some(0), "{shown:#}");
}

#[tokio::test]
async fn figures_survive_a_restart() {
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    let process = serve(&workspace).await;
    for number in 0..5 {
        accepted(&process, &format!("k{number}"), number).await;
    }
    destination.wait_for(5).await;
    process.wait_for("state:delivered", 5).await;
    assert!(process.stop().await.success());
    let process = serve(&workspace).await;
    let overview = process.get("overview").await;
    assert_eq!(overview["delivered"]["count"], 5);
    assert_eq!(sum(&overview["series"]["delivered"]), 5);
}

/// `promtool check metrics`, where it is installed: on the path, or named by PROMTOOL.
#[tokio::test]
async fn promtool_finds_nothing_wrong_with_the_metrics() {
    let promtool = std::env::var("PROMTOOL").unwrap_or_else(|_| "promtool".to_owned());
    let command =
        Command::new(&promtool).args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut command = match command {
        Ok(command) => command,
        Err(error) => {
            assert!(std::env::var_os("PROMTOOL").is_none(), "{promtool}: {error}");
            eprintln!("promtool is not installed ({error}): the metrics were not checked");
            return;
        }
    };
    let (workspace, destination) = one_destination(TWO_TRIES).await;
    let process = serve(&workspace).await;
    accepted(&process, "k", 1).await;
    destination.wait_for(1).await;
    process.wait_for("state:delivered", 1).await;
    let text = process.ask("GET", "/metrics", None).await.text();
    command.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = command.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
