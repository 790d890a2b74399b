//! JSON in the styles of common writers. Numbers keep their digits.

use std::fmt::Write;

use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// `", "` and `": "`, as Python's `json.dumps` writes.
    pub spaced: bool,
    pub sorted: bool,
    /// Everything beyond ASCII as `\uXXXX`, as Python and PHP write.
    pub ascii: bool,
    /// `\/`, as PHP writes.
    pub slashes: bool,
}

/// The value came from a parser that bounds its depth.
pub(super) fn write(value: &Value, style: Style) -> String {
    let mut out = String::new();
    put(&mut out, value, style);
    out
}

pub(super) fn pretty(value: &Value, indent: usize) -> Vec<u8> {
    let spaces = " ".repeat(indent);
    let mut out = Vec::new();
    let mut writer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(spaces.as_bytes()));
    // Writing into memory does not fail; half a text would match nothing.
    let _written = serde::Serialize::serialize(value, &mut writer);
    out
}

fn put(out: &mut String, value: &Value, style: Style) {
    let (comma, colon) = if style.spaced { (", ", ": ") } else { (",", ":") };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => put_text(out, text, style),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { comma });
                put(out, item, style);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            if style.sorted {
                members.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if index == 0 { "" } else { comma });
                put_text(out, key, style);
                out.push_str(colon);
                put(out, value, style);
            }
            out.push('}');
        }
    }
}

/// RFC 8259 §7.
fn put_text(out: &mut String, text: &str, style: Style) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if style.slashes => out.push_str("\\/"),
            _ if letter < ' ' || (style.ascii && !letter.is_ascii()) => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    // Writing into a string does not fail.
                    let _written = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_are_those_of_python_and_php() {
        let value: Value = serde_json::from_str(r#"{"b":"é/😀","a":[1.10,18446744073709551617,null]}"#).unwrap();
        assert_eq!(write(&value, Style::default()), r#"{"b":"é/😀","a":[1.10,18446744073709551617,null]}"#);
        // json.dumps(value, sort_keys=True)
        let python = Style { spaced: true, sorted: true, ascii: true, slashes: false };
        assert_eq!(write(&value, python), r#"{"a": [1.10, 18446744073709551617, null], "b": "\u00e9/\ud83d\ude00"}"#);
        // json_encode($value)
        let php = Style { ascii: true, slashes: true, ..Style::default() };
        assert_eq!(write(&value, php), r#"{"b":"\u00e9\/\ud83d\ude00","a":[1.10,18446744073709551617,null]}"#);
    }
}
