//! `signalbox deliveries`

use std::process::ExitCode;

use serde_json::Value;

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{duration, items, local_time, table, text};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// In the filter language, as in `state:dead system:hubspot since:2h`; everything without it
    pub(super) filter: Vec<String>,
    /// Rows, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Go on behind a page: its `next`
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

/// Newest first; exit code 1 where nothing matches.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let client = Client::of(&context.workspace()?)?;
    let (filter, limit) = (arguments.filter.join(" "), arguments.limit.to_string());
    let mut query = vec![("filter", filter.as_str()), ("limit", limit.as_str())];
    query.extend(arguments.cursor.as_deref().map(|cursor| ("cursor", cursor)));
    let page = client.get("deliveries", &query).await?;
    let found = items(&page, "items");
    let output = &context.output;
    if output.is_json() {
        output.json(&page)?;
    } else if found.is_empty() {
        output.line("No delivery matches.")?;
    } else {
        let rows: Vec<Vec<String>> = found.iter().map(row).collect();
        let headers =
            ["ID", "STATE", "TYPE", "INTEGRATION", "DESTINATION", "HTTP", "TRY", "LATENCY", "ACCEPTED", "KEY"];
        output.line(&table(&headers, &rows))?;
        output.line(&footer(&page, found.len()))?;
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row(delivery: &Value) -> Vec<String> {
    let state = match delivery["reason"].as_str() {
        Some(reason) => format!("{} ({reason})", text(delivery, "state")),
        None => text(delivery, "state"),
    };
    vec![
        text(delivery, "id"),
        state,
        text(delivery, "type"),
        text(delivery, "integration"),
        text(delivery, "destination"),
        text(delivery, "status"),
        format!("{}/{}", text(delivery, "attempts"), text(delivery, "max_attempts")),
        duration(delivery, "latency_ms"),
        local_time(delivery, "accepted_at"),
        text(delivery, "key"),
    ]
}

fn footer(page: &Value, shown: usize) -> String {
    let more = if page["total_exact"] == Value::Bool(true) { "" } else { "more than " };
    let of = format!("\n{shown} of {more}{}", text(page, "total"));
    match page["next"].as_str() {
        Some(next) => format!("{of}; the next page: --cursor {next}"),
        None => of,
    }
}
