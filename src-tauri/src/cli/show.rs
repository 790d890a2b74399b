//! `signalbox show`

use std::process::ExitCode;

use serde_json::Value;

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{clean, duration, items, local_time, table, text};
use super::replay::summary;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Of a delivery (dlv_…), an event (evt_…) or a replay (rpl_…)
    id: String,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let id = arguments.id.trim();
    let kind = match id.split_once('_') {
        Some(("dlv", _)) => "deliveries",
        Some(("evt", _)) => "events",
        Some(("rpl", _)) => "replays",
        _ => {
            let told = "An id begins with dlv_, evt_ or rpl_. `signalbox deliveries` lists those of deliveries.";
            return Err(CliError::Usage(told.to_owned()));
        }
    };
    // It becomes part of a path.
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(CliError::Usage("An id holds letters, digits and '_' only.".to_owned()));
    }
    let client = Client::of(&context.workspace()?)?;
    let found = client.get(&format!("{kind}/{id}"), &[]).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    output.line(&match kind {
        "deliveries" => delivery(&found),
        "events" => event(&found),
        _ => summary(&found),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn fields(value: &Value, keys: &[(&str, &str)]) -> String {
    let lines = keys.iter().filter(|(key, _)| !value[*key].is_null());
    lines.map(|(key, label)| format!("{label:<12} {}\n", clean(&text(value, key)))).collect()
}

fn delivery(found: &Value) -> String {
    let head = format!("{} {}\n{}\n\n", text(found, "id"), text(found, "state"), clean(&text(found, "explain")));
    let about = fields(
        found,
        &[
            ("event", "event"),
            ("integration", "integration"),
            ("destination", "destination"),
            ("system", "system"),
            ("type", "type"),
            ("key", "key"),
            ("accepted_at", "accepted"),
            ("due_at", "next try"),
            ("ended_at", "ended"),
            ("group", "group"),
            ("conflict_of", "conflict of"),
            ("replay", "replay"),
        ],
    );
    let attempts: Vec<Vec<String>> = items(found, "attempts")
        .iter()
        .map(|attempt| {
            vec![
                text(attempt, "number"),
                local_time(attempt, "started_at"),
                duration(&attempt["timing"], "total_ms"),
                text(attempt, "status"),
                text(attempt, "kind"),
                text(attempt, "error"),
            ]
        })
        .collect();
    let trace: Vec<Vec<String>> = items(found, "trace")
        .iter()
        .map(|step| vec![text(step, "step"), text(step, "outcome"), text(step, "detail")])
        .collect();
    let mut parts = vec![head + &about];
    parts.push(table(&["TRY", "AT", "TOOK", "HTTP", "KIND", "ERROR"], &attempts));
    parts.push(table(&["STEP", "OUTCOME", "DETAIL"], &trace));
    if let Some(body) = items(found, "revisions").last().and_then(|revision| revision["body"].as_str()) {
        let lines: Vec<String> = body.lines().map(clean).collect();
        parts.push(format!("body (revision {})\n{}", text(found, "revision"), lines.join("\n")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn event(found: &Value) -> String {
    let about = fields(
        found,
        &[
            ("id", "event"),
            ("integration", "integration"),
            ("version", "version"),
            ("received_at", "received"),
            ("source_id", "source id"),
            ("type", "type"),
            ("key", "key"),
            ("method", "method"),
            ("path", "path"),
            ("content_type", "content type"),
            ("size", "bytes"),
            ("conflict_of", "conflict of"),
        ],
    );
    let deliveries: Vec<Vec<String>> = items(found, "deliveries")
        .iter()
        .map(|delivery| vec![text(delivery, "id"), text(delivery, "destination"), text(delivery, "state")])
        .collect();
    format!("{about}\n{}", table(&["DELIVERY", "DESTINATION", "STATE"], &deliveries))
}
