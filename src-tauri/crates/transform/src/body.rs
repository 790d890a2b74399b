//! Bodies in the formats that senders use, as one value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::error::JsonError;
use crate::json::{Parsed, parse_json};
use crate::value::Value;

/// Pairs in one form.
const MAX_PAIRS: usize = 10_000;

/// What a body was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    Json,
    /// `application/x-www-form-urlencoded`: an object of strings.
    Form,
    /// UTF-8 text of any other type: a string.
    Text,
    /// Anything else: a string in base64 (RFC 4648, section 4, with padding).
    Base64,
}

impl BodyFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::Text => "text",
            Self::Base64 => "base64",
        }
    }
}

/// Reads a body by its content type. Without one it is JSON if it can be read as such.
///
/// A JSON content type over a body that is not JSON is an error; such an event is kept and cannot be mapped.
pub fn read_body(content_type: Option<&str>, bytes: &[u8]) -> Result<(Parsed, BodyFormat), JsonError> {
    let media_type = content_type.map(media_type).unwrap_or_default();
    if is_json(&media_type) {
        return Ok((parse_json(bytes)?, BodyFormat::Json));
    }
    if media_type.is_empty()
        && let Ok(parsed) = parse_json(bytes)
    {
        return Ok((parsed, BodyFormat::Json));
    }
    if media_type == "application/x-www-form-urlencoded"
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Ok((whole(read_form(text)?), BodyFormat::Form));
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => (whole(Value::string(text)), BodyFormat::Text),
        Err(_) => (whole(Value::string(&STANDARD.encode(bytes))), BodyFormat::Base64),
    })
}

fn whole(value: Value) -> Parsed {
    Parsed { value, duplicate_keys: false }
}

/// Without parameters, lower case.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// RFC 6839, section 3.1: the suffix says so.
fn is_json(media_type: &str) -> bool {
    matches!(media_type, "application/json" | "text/json") || media_type.ends_with("+json")
}

/// A name that comes once has a string, a name that comes again has an array of all its values, in order.
fn read_form(text: &str) -> Result<Value, JsonError> {
    let mut members: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PAIRS {
            let message = format!("the form has more than {MAX_PAIRS} fields");
            return Err(JsonError { message, line: 1, column: 1 });
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), Value::string(&decode(value)));
        let place = *places.entry(name.clone()).or_insert_with(|| {
            members.push((name, Vec::new()));
            members.len() - 1
        });
        if let Some((_, values)) = members.get_mut(place) {
            values.push(value);
        }
    }
    let member = |(name, values): &(String, Vec<Value>)| {
        let value = match values.as_slice() {
            [one] => one.clone(),
            all => Value::array(all.iter().cloned()),
        };
        (name.clone(), value)
    };
    let members: Vec<_> = members.iter().map(member).collect();
    Ok(Value::object(members.iter().map(|(name, value)| (name.as_str(), value.clone()))))
}

/// What is not UTF-8 after decoding is replaced: the raw body is kept beside.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
