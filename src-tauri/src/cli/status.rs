//! `signalbox status`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{clean, duration, items, number, percent, table, text};

/// The figures of the last hour, and what is wrong in the workspace's files; with `--json`, session, overview and
/// problems as the API says them.
pub(super) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let client = Client::of(&context.workspace()?)?;
    let session = client.get("session", &[]).await?;
    let overview = client.get("overview", &[("window", "1h")]).await?;
    let problems = problems(&client.get("integrations", &[]).await?);
    let output = &context.output;
    if output.is_json() {
        output.json(&json!({ "session": session, "overview": overview, "problems": problems }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = &session["workspace"];
    let sandbox = if workspace["sandbox"] == Value::Bool(true) { " (sandbox)" } else { "" };
    output.line(&format!(
        "Signalbox {} runs {}{sandbox}",
        text(&session, "version"),
        clean(&text(workspace, "path"))
    ))?;
    // Where the panel is the window's alone, there is no link.
    if let Ok(link) = client.post("sign-in-links", &json!({})).await {
        output.line(&format!("panel    {}", text(&link, "link")))?;
    }
    output.line(&format!(
        "api      {}\ningress  {}\npid      {}",
        text(&session, "api"),
        text(&session, "ingress"),
        client.running().pid
    ))?;
    if let Some(trouble) = overview["ledger"]["text"].as_str() {
        output.line(&format!("\nledger   {}", clean(trouble)))?;
    }
    let (delivered, queue, dead) = (&overview["delivered"], &overview["queue"], &overview["dead_letters"]);
    output.line(&format!(
        "\nLast hour: {} of {} delivered ({}); queue {}, oldest {}; {} dead letters in {} groups\n",
        number(delivered, "count"),
        number(delivered, "ended"),
        percent(delivered, "rate"),
        number(queue, "depth"),
        duration(queue, "oldest_age_ms"),
        number(dead, "count"),
        number(dead, "groups"),
    ))?;
    let rows: Vec<Vec<String>> = items(&overview, "integrations")
        .iter()
        .map(|row| {
            vec![
                text(row, "name"),
                text(row, "state"),
                percent(row, "rate"),
                duration(row, "p95_ms"),
                text(row, "queue"),
                text(row, "dead"),
                text(row, "title"),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.line("There are no integrations.")?;
    } else {
        output.line(&table(&["INTEGRATION", "STATE", "DELIVERED", "P95", "QUEUE", "DEAD", "TITLE"], &rows))?;
    }
    if !problems.is_empty() {
        output.line("\nIn the workspace's files; what ran before goes on:")?;
    }
    for problem in &problems {
        output.line(&clean(&said(problem)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Of all files, each once: a file that several integrations name has its problems with each of them.
fn problems(integrations: &Value) -> Vec<Value> {
    let own = items(integrations, "items").iter().flat_map(|item| items(item, "problems"));
    let mut all: Vec<Value> = Vec::new();
    for problem in own.chain(items(integrations, "problems")) {
        if !all.contains(problem) {
            all.push(problem.clone());
        }
    }
    all
}

/// As `signalbox check` says it.
fn said(problem: &Value) -> String {
    let warning = if problem["severity"] == "warning" { "warning: " } else { "" };
    let place = ["file", "line", "column"].map(|key| text(problem, key)).join(":");
    let meant = problem["suggestion"].as_str().map(|word| format!("; did you mean '{word}'?")).unwrap_or_default();
    format!("{place}: {warning}{}{meant}", text(problem, "message"))
}
