//! `signalbox replay`: starts a replay and follows it to its end.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{clean, number, table, text};

/// How often progress is asked for.
const EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Which dead letters, in the filter language; an id of a delivery or a group works too
    #[arg(required = true)]
    filter: Vec<String>,
    /// Run the steps as they are now, or send the same bytes
    #[arg(long, value_name = "MODE", default_value = "remap", value_parser = ["remap", "exact"])]
    mode: String,
    /// Deliveries per second, 0.1 to 1000
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    rate: f64,
    /// Send one first, and the others only when it was confirmed
    #[arg(long)]
    canary: bool,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Waits for the end; exit code 1 where not everything was delivered. With `--json` it does not wait: it prints the
/// API's answer (the started replay, or the plan of `--dry-run`).
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let client = Client::of(&context.workspace()?)?;
    let answer = client.post("replays", &body(arguments)).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.dry_run {
        output.line(&plan(&answer))?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = format!("replays/{}", text(&answer, "id"));
    output.line(&format!("{} started: {} deliveries", text(&answer, "id"), number(&answer, "total")))?;
    loop {
        let replay = client.get(&path, &[]).await?;
        let ended = !matches!(replay["state"].as_str(), Some("planned" | "running" | "paused"));
        output.progress(&summary(&replay), ended)?;
        if ended {
            let well = replay["state"] == "done" && number(&replay, "dead") == 0;
            return Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn body(arguments: &Arguments) -> Value {
    let mut body = Map::new();
    body.insert("filter".to_owned(), filter(&arguments.filter).into());
    body.insert("mode".to_owned(), arguments.mode.clone().into());
    body.insert("rate".to_owned(), arguments.rate.into());
    body.insert("canary".to_owned(), arguments.canary.into());
    body.insert("dry_run".to_owned(), arguments.dry_run.into());
    body.extend(arguments.reason.clone().map(|reason| ("reason".to_owned(), reason.into())));
    Value::Object(body)
}

/// A lone id is what people copy from a list.
fn filter(words: &[String]) -> String {
    match words {
        [id] if id.starts_with("dlv_") => format!("id:{id}"),
        [id] if id.starts_with("grp_") => format!("group:{id}"),
        [id] if id.starts_with("evt_") => format!("event:{id}"),
        words => words.join(" "),
    }
}

fn plan(plan: &Value) -> String {
    let skipped = &plan["skipped"];
    let mut lines = vec![format!(
        "{} would be sent in about {:.0} s; skipped: {} with newer data delivered, {} not dead",
        number(plan, "count"),
        plan["seconds"].as_f64().unwrap_or(0.0),
        number(skipped, "newer"),
        number(skipped, "state"),
    )];
    let by_destination = plan["by_destination"].as_object().into_iter().flatten();
    let rows: Vec<Vec<String>> =
        by_destination.map(|(destination, count)| vec![destination.clone(), count.to_string()]).collect();
    lines.push(table(&["DESTINATION", "COUNT"], &rows));
    for gate in super::output::items(plan, "gate").iter().filter(|gate| gate["state"] != "clear") {
        lines.push(format!(
            "The gate of {} is {}; the replay would wait for it.",
            text(gate, "system"),
            text(gate, "state")
        ));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// `done: 38 of 40 delivered, 2 dead again, 5 skipped`
pub(super) fn summary(replay: &Value) -> String {
    let skipped = number(&replay["skipped"], "newer") + number(&replay["skipped"], "state");
    let mut line = format!(
        "{}: {} of {} delivered, {} dead again, {skipped} skipped",
        text(replay, "state"),
        number(replay, "delivered"),
        number(replay, "total"),
        number(replay, "dead"),
    );
    if let Some(because) = replay["stopped_because"].as_str() {
        line.push_str(&format!(" ({})", clean(because)));
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lone_id_is_a_filter() {
        assert_eq!(filter(&["dlv_1".to_owned()]), "id:dlv_1");
        assert_eq!(filter(&["grp_1".to_owned()]), "group:grp_1");
        assert_eq!(filter(&["state:dead".to_owned(), "system:crm".to_owned()]), "state:dead system:crm");
    }

    #[test]
    fn the_end_is_one_line() {
        let replay = json!({ "state": "stopped", "total": 40, "delivered": 0, "dead": 1,
            "skipped": { "newer": 2, "state": 1 }, "stopped_because": "the canary died" });
        assert_eq!(summary(&replay), "stopped: 0 of 40 delivered, 1 dead again, 3 skipped (the canary died)");
    }
}
