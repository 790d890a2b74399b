//! How a source's bodies are read and split, and which origins may ask to send: `format`, `split`, `allowed_origins`.

use signalbox_transform::Format;

use crate::read::value::{Table, Text};

const FORMATS: [(&str, Format); 7] = [
    ("auto", Format::Auto),
    ("json", Format::Json),
    ("form", Format::Form),
    ("text", Format::Text),
    ("xml", Format::Xml),
    ("csv", Format::Csv),
    ("cloudevents", Format::CloudEvents),
];
const MOST_ORIGINS: usize = 32;
/// RFC 1035 §2.3.4, with room for a port.
const LONGEST_ORIGIN: usize = 261;

pub(crate) fn format(table: &Table<'_>) -> Option<Format> {
    table.get("format").map_or(Some(Format::Auto), |value| value.text()?.one_of(&FORMATS))
}

/// CloudEvents HTTP webhooks 1.0.2 §4: names as the sender says them in `WebHook-Request-Origin`, or `*` for all.
pub(crate) fn allowed_origins(table: &Table<'_>) -> Option<Vec<String>> {
    let Some(value) = table.get("allowed_origins") else { return Some(Vec::new()) };
    let items = value.list(MOST_ORIGINS, "origin")?;
    let origins: Vec<Option<String>> = items.iter().map(|item| origin(&item.text()?)).collect();
    origins.into_iter().collect()
}

fn origin(text: &Text<'_>) -> Option<String> {
    let name = |char: char| char.is_ascii_alphanumeric() || "-._:[]".contains(char);
    let good = text.text == "*" || (!text.text.is_empty() && text.text.chars().all(name));
    if good && text.text.len() <= LONGEST_ORIGIN {
        return Some(text.text.to_ascii_lowercase());
    }
    let message = "an origin is the name that the sender gives of itself, such as \"eventgrid.azure.net\", or \"*\"";
    text.error("wrong-origin", message);
    None
}
