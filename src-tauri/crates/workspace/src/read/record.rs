//! A destination's `read`: how a dry run looks at the record that a request would change.

use signalbox_transform::Place;

use crate::read::expression::{program, template};
use crate::read::value::Value;
use crate::workspace::ReadRecord;

/// `read = { path = '/contacts/{{ .email | @uri }}', body = '.body' }`
pub(super) fn read(value: &Value<'_>, method: Option<&str>) -> Option<ReadRecord> {
    let table = value.table("read", &["path", "body"])?;
    let path = match table.optional_text("path")? {
        Some(text) if text.text.starts_with('/') => Some(template(&text, Place::PathAndQuery)?),
        Some(text) => {
            text.error("wrong-path", "'path' must begin with '/': it is appended to the system's base_url");
            return None;
        }
        None if method.is_none_or(|method| matches!(method, "PUT" | "PATCH")) => None,
        None => {
            let message = "'read' needs a 'path': only a PUT or PATCH goes to the address of its record";
            table.error("missing-key", message);
            return None;
        }
    };
    let body = match table.optional_text("body")? {
        Some(text) => Some(program(&text)?),
        None => None,
    };
    Some(ReadRecord { path, body })
}
