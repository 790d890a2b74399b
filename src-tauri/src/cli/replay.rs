//! `signalbox replay`: starts a replay and follows it to its end, or takes one back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{Output, clean, number, table, text};

/// How often progress is asked for.
const EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Which dead letters, in the filter language; an id of a delivery or a group works too
    #[arg(required_unless_present = "undo")]
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
    /// A file with a JSON Patch (RFC 6902) for the body of each; those it does not fit are skipped
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Take an earlier replay back: what was not sent is as it was before
    #[arg(long, value_name = "ID", conflicts_with_all = ["filter", "patch", "canary", "dry_run", "reason"])]
    undo: Option<String>,
}

/// Waits for the end; exit code 1 where not everything was delivered. With `--json` it does not wait: it prints the
/// API's answer (the started replay, or the plan of `--dry-run`).
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let client = Client::of(&context.workspace()?)?;
    let output = &context.output;
    if let Some(id) = &arguments.undo {
        return undo(&client, output, id).await;
    }
    let answer = client.post("replays", &body(arguments)?).await?;
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

async fn undo(client: &Client, output: &Output, id: &str) -> Result<ExitCode, CliError> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(CliError::Usage("The id of a replay begins with rpl_.".to_owned()));
    }
    let replay = client.post(&format!("replays/{id}/undo"), &Value::Object(Map::new())).await?;
    if output.is_json() {
        output.json(&replay)?;
    } else {
        let (undone, sent) = (number(&replay, "undone"), number(&replay, "sent"));
        output.line(&format!("{undone} taken back; {sent} were sent before, which cannot be undone"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn body(arguments: &Arguments) -> Result<Value, CliError> {
    let mut body = Map::new();
    if let Some(file) = &arguments.patch {
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| CliError::Usage(format!("The patch {shown} cannot be read: {error}.")))?;
        let patch: Value = serde_json::from_str(&text)
            .map_err(|error| CliError::Usage(format!("The patch {shown} is not JSON: {error}.")))?;
        body.insert("patch".to_owned(), patch);
    }
    body.insert("filter".to_owned(), filter(&arguments.filter).into());
    body.insert("mode".to_owned(), arguments.mode.clone().into());
    body.insert("rate".to_owned(), arguments.rate.into());
    body.insert("canary".to_owned(), arguments.canary.into());
    body.insert("dry_run".to_owned(), arguments.dry_run.into());
    body.extend(arguments.reason.clone().map(|reason| ("reason".to_owned(), reason.into())));
    Ok(Value::Object(body))
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
    if let Some(patch) = plan.get("patch").filter(|patch| !patch.is_null()) {
        let (fits, checked) = (number(patch, "fits"), number(patch, "checked"));
        lines.push(format!("The patch fits {fits} of the {checked} it was tried on."));
        let misfit = |one: &Value| format!("  {}: {}", text(one, "delivery"), clean(&text(one, "reason")));
        lines.extend(super::output::items(patch, "examples").iter().map(misfit));
    }
    lines.extend(super::output::items(plan, "sample_requests").iter().map(sample));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// The request, what differs from the one before, and what would change at the system.
fn sample(sample: &Value) -> String {
    let mut lines =
        vec![format!("{} {} {}", text(sample, "delivery"), text(sample, "method"), clean(&text(sample, "url")))];
    if let Some(fails) = sample["fails"].as_str() {
        lines.push(format!("  stays dead: {}", clean(fails)));
    }
    lines.extend(super::output::items(sample, "changes").iter().map(|one| format!("  changed {}", change(one))));
    let current = &sample["current"];
    lines.extend(current["reason"].as_str().map(|reason| format!("  there now: {}", clean(reason))));
    lines.extend(super::output::items(current, "diff").iter().map(|one| format!("  would set {}", change(one))));
    lines.join("\n")
}

/// `/email: "old" → "new"`
pub(super) fn change(change: &Value) -> String {
    let side = |key: &str| match &change[key] {
        Value::Null => "nothing".to_owned(),
        value => clean(&value.to_string()),
    };
    format!("{}: {} → {}", clean(&text(change, "path")), side("from"), side("to"))
}

/// `done: 38 of 40 delivered, 2 dead again, 5 skipped`
pub(super) fn summary(replay: &Value) -> String {
    let skipped: u64 = ["newer", "state", "patch", "parked"].iter().map(|why| number(&replay["skipped"], why)).sum();
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
    fn a_change_is_one_line() {
        let made = json!({ "path": "/zip", "from": 8004, "to": "8004" });
        assert_eq!(change(&made), "/zip: 8004 → \"8004\"");
        assert_eq!(change(&json!({ "path": "/new", "from": null, "to": true })), "/new: nothing → true");
    }

    #[test]
    fn the_end_is_one_line() {
        let replay = json!({ "state": "stopped", "total": 40, "delivered": 0, "dead": 1,
            "skipped": { "newer": 2, "state": 1, "patch": 1, "parked": 0 }, "stopped_because": "the canary died" });
        assert_eq!(summary(&replay), "stopped: 0 of 40 delivered, 1 dead again, 4 skipped (the canary died)");
    }
}
