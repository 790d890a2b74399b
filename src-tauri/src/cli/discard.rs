//! `signalbox discard`

use std::process::ExitCode;

use serde_json::{Map, Value};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{number, text};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Which deliveries, in the filter language; at least one term
    #[arg(required_unless_present = "undo")]
    filter: Vec<String>,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Make an earlier discard undone: its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["filter", "reason"])]
    undo: Option<String>,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let client = Client::of(&context.workspace()?)?;
    let output = &context.output;
    let (answer, told) = match &arguments.undo {
        Some(id) => {
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(CliError::Usage("The id of a discard begins with dsc_.".to_owned()));
            }
            let answer = client.post(&format!("discards/{id}/undo"), &Value::Object(Map::new())).await?;
            let overtaken = match number(&answer, "superseded") {
                0 => String::new(),
                count => format!("; {count} superseded, since something newer of their keys was delivered"),
            };
            let told = format!("{} restored{overtaken}", text(&answer, "restored"));
            (answer, told)
        }
        None => {
            let mut body = Map::new();
            body.insert("filter".to_owned(), arguments.filter.join(" ").into());
            body.extend(arguments.reason.clone().map(|reason| ("reason".to_owned(), reason.into())));
            let answer = client.post("discards", &Value::Object(body)).await?;
            let id = text(&answer, "id");
            let told = format!("{} discarded; undo it with `signalbox discard --undo {id}`", text(&answer, "count"));
            (answer, told)
        }
    };
    if output.is_json() {
        output.json(&answer)?;
    } else {
        output.line(&told)?;
    }
    Ok(ExitCode::SUCCESS)
}
