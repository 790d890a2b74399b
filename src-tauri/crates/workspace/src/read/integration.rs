//! `integrations/*.toml`.

use std::ops::Range;

use toml::de::DeTable;

use crate::problem::Severity;
use crate::read::destination::{self, NamedSystem};
use crate::read::files::References;
use crate::read::report::Report;
use crate::read::system::title;
use crate::read::value::Table;
use crate::read::{source, step};
use crate::version::version_of;
use crate::workspace::{Integration, Source};

const KEYS: [&str; 4] = ["title", "source", "steps", "destinations"];

/// What one file says, as far as it can be told without the others.
pub(crate) struct ReadIntegration {
    /// None where something in the file is wrong.
    pub(crate) integration: Option<Integration>,
    /// The webhook's path and its place.
    pub(crate) path: Option<(String, Range<usize>)>,
    pub(crate) systems: Vec<NamedSystem>,
}

pub(crate) fn read<'a>(
    report: &'a Report<'a>,
    file: &'a DeTable<'a>,
    name: &str,
    files: &References<'_>,
) -> ReadIntegration {
    let table = Table::file(report, file, &KEYS);
    let title = title(&table, name);
    let source = table
        .require("source", "write a [source] table that says where events come from")
        .and_then(|value| source::read(&value, files));
    let steps = table.get("steps").map_or(Some(Vec::new()), |value| step::read_all(&value, files));
    let (destinations, systems) = match table.get("destinations") {
        Some(value) => destination::read_all(&value),
        None => {
            let message = "no [[destinations]]: events are kept and go nowhere";
            report.say(Severity::Warning, 0..0, "no-destination", message, None);
            (Some(Vec::new()), Vec::new())
        }
    };
    let path = source.as_ref().map(|(Source::Webhook(webhook), place)| (webhook.path.clone(), place.clone()));
    let whole = || {
        let used = files.used();
        let version = version_of(file, &used);
        let mut texts = vec![(report.file.to_owned(), report.text.to_owned())];
        texts.extend(used);
        Some(Integration {
            name: name.to_owned(),
            title: title?,
            source: source?.0,
            steps: steps?,
            destinations: destinations?,
            version,
            files: texts,
        })
    };
    ReadIntegration { integration: whole(), path, systems }
}
