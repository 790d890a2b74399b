//! An integration's `[[steps]]`.

use signalbox_transform::{Program, Schema};

use crate::problem::{Problem, Severity};
use crate::read::expression::{program, program_in_file};
use crate::read::files::References;
use crate::read::suggest::{list, nearest};
use crate::read::value::{Table, Value};
use crate::workspace::Step;

const KINDS: [&str; 3] = ["validate", "filter", "map"];
/// Named in the design, not made yet.
const LATER: [&str; 2] = ["enrich", "aggregate"];
const MOST_STEPS: usize = 32;

pub(crate) fn read_all(value: &Value<'_>, files: &References<'_>) -> Option<Vec<Step>> {
    let steps: Vec<Option<Step>> = value.list(MOST_STEPS, "step")?.iter().map(|step| read(step, files)).collect();
    steps.into_iter().collect()
}

fn read(value: &Value<'_>, files: &References<'_>) -> Option<Step> {
    let table = value.open_table(value.name.clone())?;
    let kind = table.require_text("kind", &format!("use {}", list(KINDS)))?;
    match kind.text {
        "validate" => {
            table.refuse_unknown_keys(&["kind", "schema"]);
            validate(&table, files)
        }
        "filter" | "map" => {
            table.refuse_unknown_keys(&["kind", "jq", "jq_file"]);
            let jq = jq(&table, files)?;
            Some(if kind.text == "map" { Step::Map { jq } } else { Step::Filter { jq } })
        }
        later if LATER.contains(&later) => {
            kind.error("comes-later", format!("a step of kind '{later}' comes in a later version"));
            None
        }
        _ => {
            let message = format!("unknown kind of step '{}': use {}", kind.shown(), list(KINDS));
            let suggestion = nearest(kind.text, KINDS);
            kind.report.say(Severity::Error, kind.span.clone(), "unknown-step", message, suggestion);
            None
        }
    }
}

fn validate(table: &Table<'_>, files: &References<'_>) -> Option<Step> {
    let named = table.require_text("schema", "the path of a JSON Schema, as in \"schemas/contact.json\"")?;
    let (file, source) = files.read(&named)?;
    match Schema::compile(&source) {
        Ok(schema) => Some(Step::Validate { schema, file }),
        Err(error) => {
            let severity = Severity::Error;
            let message = format!("this is not a JSON Schema that can be used: {error}");
            let problem =
                Problem { file, line: 1, column: 1, code: "wrong-schema", message, suggestion: None, severity };
            table.report.add(problem);
            None
        }
    }
}

fn jq(table: &Table<'_>, files: &References<'_>) -> Option<Program> {
    match (table.optional_text("jq")?, table.optional_text("jq_file")?) {
        (Some(text), None) => program(&text),
        (None, Some(named)) => {
            let (file, source) = files.read(&named)?;
            program_in_file(&file, &source, &named)
        }
        (Some(_), Some(named)) => {
            named.error("wrong-value", format!("{} has both 'jq' and 'jq_file'; keep one", table.name));
            None
        }
        (None, None) => {
            let message =
                format!("'jq' is missing in {}: write the program, or name its file in 'jq_file'", table.name);
            table.error("missing-key", message);
            None
        }
    }
}
