//! `signalbox preview`: what changed files would make of stored events, before they are saved.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Map, Value};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::{clean, items, number, text};
use super::replay::change;

/// Above any set of files that is written by hand.
const MOST_FILES: usize = 200;
const DEEPEST: usize = 8;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The integration
    name: String,
    /// A folder with the changed files, laid out as the workspace is
    #[arg(long, value_name = "DIR")]
    files: PathBuf,
    /// How many of the newest stored events, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: u32,
    /// Only the events of these deliveries, in the filter language
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
}

/// Exit code 1 where the files have errors or events fail that did not before.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, CliError> {
    let mut files = Map::new();
    collect(&arguments.files, "", 0, &mut files)?;
    if files.is_empty() {
        let shown = arguments.files.display();
        return Err(CliError::Usage(format!("There are no files of an integration in {shown}.")));
    }
    // It becomes part of a path.
    if !arguments.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(CliError::Usage(
            "The name of an integration holds letters, digits, '-', '_' and '.' only.".to_owned(),
        ));
    }
    let mut body =
        Map::from_iter([("files".to_owned(), Value::Object(files)), ("last".to_owned(), arguments.last.into())]);
    body.extend(arguments.filter.clone().map(|filter| ("filter".to_owned(), filter.into())));
    let client = Client::of(&context.workspace()?)?;
    let told = client.post(&format!("integrations/{}/preview", arguments.name), &Value::Object(body)).await?;
    let output = &context.output;
    if output.is_json() {
        output.json(&told)?;
    } else {
        output.line(&shown(&told))?;
    }
    let wrong = items(&told, "problems").iter().any(|problem| problem["severity"] == "error");
    Ok(if wrong || number(&told, "new_failures") > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Integrations, schemas and programs; systems are not part of a preview, and hidden folders are the machine's.
fn collect(dir: &Path, prefix: &str, depth: usize, files: &mut Map<String, Value>) -> Result<(), CliError> {
    let shown = dir.display();
    let entries =
        std::fs::read_dir(dir).map_err(|error| CliError::Usage(format!("{shown} cannot be read: {error}.")))?;
    for entry in entries {
        let entry = entry.map_err(|error| CliError::Usage(format!("{shown} cannot be read: {error}.")))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || path == "systems" {
            continue;
        }
        if entry.path().is_dir() {
            if depth < DEEPEST {
                collect(&entry.path(), &format!("{path}/"), depth + 1, files)?;
            }
            continue;
        }
        if files.len() == MOST_FILES {
            return Err(CliError::Usage(format!("There are more than {MOST_FILES} files in {shown}.")));
        }
        // What is not text is no file of an integration.
        if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(path, text.into());
        }
    }
    Ok(())
}

fn shown(told: &Value) -> String {
    let mut lines: Vec<String> = items(told, "problems")
        .iter()
        .map(|one| {
            let place = [text(one, "file"), text(one, "line"), text(one, "column")].join(":");
            format!("{place}: {}", clean(&text(one, "message")))
        })
        .collect();
    if !told["version"].as_str().unwrap_or_default().is_empty() {
        let until = if told["complete"] == false { ", as far as there was time" } else { "" };
        lines.push(format!(
            "{} events{until}: {} the same, {} changed, {} fail now, {} mended, {} not sent any more",
            number(told, "events"),
            number(told, "same"),
            number(told, "changed"),
            number(told, "new_failures"),
            number(told, "mended"),
            number(told, "filtered"),
        ));
    }
    for one in items(told, "examples") {
        let error = one["error"].as_str().map(|error| format!(": {}", clean(error))).unwrap_or_default();
        lines.push(format!("{} {} {}{error}", text(one, "event"), text(one, "destination"), text(one, "outcome")));
        lines.extend(items(one, "diff").iter().map(|diff| format!("  {}", change(diff))));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_sent_by_their_paths_and_systems_and_hidden_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["integrations/sync.toml", "maps/deep/a.jq", "systems/crm.toml", ".signalbox/token"] {
            std::fs::create_dir_all(dir.path().join(file).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(file), "text").unwrap();
        }
        let mut files = Map::new();
        collect(dir.path(), "", 0, &mut files).unwrap();
        let mut paths: Vec<_> = files.keys().cloned().collect();
        paths.sort();
        assert_eq!(paths, ["integrations/sync.toml", "maps/deep/a.jq"]);
    }

    #[test]
    fn the_answer_says_what_changes() {
        let told = json!({ "version": "abc", "events": 2, "complete": true, "same": 1, "changed": 1, "new_failures": 0,
            "mended": 0, "filtered": 0, "problems": [], "examples": [{ "event": "evt_1", "destination": "crm",
            "outcome": "changed", "error": null, "diff": [{ "path": "/a", "from": 1, "to": 2 }] }] });
        assert_eq!(
            shown(&told),
            "2 events: 1 the same, 1 changed, 0 fail now, 0 mended, 0 not sent any more\nevt_1 crm changed\n  /a: 1 → 2"
        );
    }
}
