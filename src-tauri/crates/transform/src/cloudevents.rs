//! CloudEvents 1.0.2 over HTTP: binary and structured events as one and the same value, batches as an array of them.
//!
//! The value is the JSON form of an event: `{ specversion, id, source, type, …, data }` or `data_base64`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::body::{is_json, is_text, media_type};
use crate::error::ReadError;
use crate::json::{Parsed, parse_json};
use crate::pieces::{Places, parse_located};
use crate::value::Value;

/// Required in this order (CloudEvents 1.0.2, "Required Attributes").
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];
/// Attributes of one event; a request has about as many headers at most.
const MAX_ATTRIBUTES: usize = 128;

/// How an event travels (HTTP protocol binding 1.0.2, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudEventMode {
    /// Attributes in `ce-` headers, data as the body.
    Binary,
    /// The whole event in a JSON body.
    Structured,
    /// An array of events in a JSON body.
    Batch,
}

/// What makes a request no CloudEvent, in words for its sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudEventError {
    #[error("the CloudEvents format '{0}' is not taken; send JSON")]
    Format(String),
    #[error("the body is no CloudEvent: {0}")]
    Body(#[from] ReadError),
    #[error("a CloudEvent is an object, and this is {0}")]
    NotAnObject(&'static str),
    #[error("a batch of CloudEvents is an array, and this is {0}")]
    NotAnArray(&'static str),
    #[error("the attribute '{name}' is missing: every CloudEvent has specversion, id, source and type")]
    Missing { name: &'static str },
    #[error("the attribute '{name}' is not text, or is empty")]
    Malformed { name: &'static str },
    #[error("specversion '{0}' is not taken; this is CloudEvents 1.0")]
    Version(String),
    #[error("the header '{0}' is not percent-encoded UTF-8")]
    Header(String),
    #[error("the header '{0}' is there more than once")]
    HeaderRepeated(String),
    #[error("the request has more than {MAX_ATTRIBUTES} 'ce-' headers")]
    TooManyHeaders,
    #[error("a CloudEvent has 'data' or 'data_base64', not both")]
    TwoKindsOfData,
}

/// What an event says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEventNames {
    pub id: String,
    pub source: String,
    pub event_type: String,
}

impl CloudEventNames {
    /// Source and id together name one event (CloudEvents 1.0.2, "id"). A source is a URI reference and so without
    /// spaces.
    pub fn dedupe_id(&self) -> String {
        format!("{} {}", self.source, self.id)
    }
}

/// By the content type; without one of CloudEvents' own it is binary.
pub fn mode(content_type: Option<&str>) -> Result<CloudEventMode, CloudEventError> {
    let media_type = content_type.map(media_type).unwrap_or_default();
    match media_type.as_str() {
        "application/cloudevents" | "application/cloudevents+json" => Ok(CloudEventMode::Structured),
        "application/cloudevents-batch" | "application/cloudevents-batch+json" => Ok(CloudEventMode::Batch),
        other if other.starts_with("application/cloudevents") => {
            Err(CloudEventError::Format(other.chars().take(64).collect()))
        }
        _ => Ok(CloudEventMode::Binary),
    }
}

/// Reads the body of a request. The events of a batch are not looked at yet: see [`names`].
pub fn read<'a>(
    mode: CloudEventMode,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Parsed, CloudEventError> {
    match mode {
        CloudEventMode::Binary => binary(headers, content_type, body),
        CloudEventMode::Structured => Ok(parse_located(body)?),
        CloudEventMode::Batch => {
            let parsed = parse_located(body)?;
            if parsed.value.items().is_none() {
                return Err(CloudEventError::NotAnArray(parsed.value.kind()));
            }
            Ok(parsed)
        }
    }
}

/// Checks an event and says its names.
pub fn names(event: &Value) -> Result<CloudEventNames, CloudEventError> {
    if !event.is_object() {
        return Err(CloudEventError::NotAnObject(event.kind()));
    }
    let text = |name: &'static str| match event.get(name).filter(|value| !value.is_null()) {
        None => Err(CloudEventError::Missing { name }),
        Some(value) => match value.as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(CloudEventError::Malformed { name }),
        },
    };
    let [version, id, source, event_type] = REQUIRED.map(text);
    let version = version?;
    if version != "1.0" {
        return Err(CloudEventError::Version(version.chars().take(64).collect()));
    }
    if event.get("data").is_some() && event.get("data_base64").is_some() {
        return Err(CloudEventError::TwoKindsOfData);
    }
    Ok(CloudEventNames { id: id?, source: source?, event_type: event_type? })
}

/// HTTP protocol binding 1.0.2, section 3.1.
fn binary<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Parsed, CloudEventError> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for (header, value) in headers {
        let Some(name) = header.strip_prefix("ce-").filter(|name| is_attribute(name)) else { continue };
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(CloudEventError::TooManyHeaders);
        }
        if attributes.iter().any(|(known, _)| known == name) {
            return Err(CloudEventError::HeaderRepeated(header.to_owned()));
        }
        let text = std::str::from_utf8(value).ok().map(unquote);
        let decoded = text.and_then(|text| percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned));
        attributes.push((name.to_owned(), decoded.ok_or_else(|| CloudEventError::Header(header.to_owned()))?));
    }
    // The order of headers says nothing.
    let rank = |name: &str| REQUIRED.iter().position(|known| *known == name).unwrap_or(REQUIRED.len());
    attributes.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
    let data = data(content_type, body)?;
    let mut members: Vec<(&str, Value)> =
        attributes.iter().map(|(name, text)| (name.as_str(), Value::string(text))).collect();
    if let Some(content_type) = content_type {
        members.push(("datacontenttype", Value::string(content_type)));
    }
    let duplicate_keys = data.as_ref().is_some_and(|(_, _, duplicate_keys)| *duplicate_keys);
    members.extend(data.map(|(name, value, _)| (name, value)));
    Ok(Parsed { value: Value::object(members), duplicate_keys, places: Places::none() })
}

/// JSON as JSON, text as a string, anything else in base64 (JSON event format 1.0.2, section 3.1). Whether it has
/// repeated names comes along.
fn data(content_type: Option<&str>, body: &[u8]) -> Result<Option<(&'static str, Value, bool)>, CloudEventError> {
    if body.is_empty() {
        return Ok(None);
    }
    let media_type = content_type.map(media_type).unwrap_or_default();
    if is_json(&media_type) {
        let parsed = parse_json(body)?;
        return Ok(Some(("data", parsed.value, parsed.duplicate_keys)));
    }
    if media_type.is_empty()
        && let Ok(parsed) = parse_json(body)
    {
        return Ok(Some(("data", parsed.value, parsed.duplicate_keys)));
    }
    Ok(Some(match std::str::from_utf8(body) {
        Ok(text) if media_type.is_empty() || is_text(&media_type) => ("data", Value::string(text), false),
        _ => ("data_base64", Value::string(&STANDARD.encode(body)), false),
    }))
}

/// Lower-case letters and digits; what the content type and the body say is not said by headers.
fn is_attribute(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && !["data", "datacontenttype"].contains(&name)
}

/// Section 3.1.3.2: older senders quote values (RFC 9110, section 5.6.4).
fn unquote(text: &str) -> Cow<'_, str> {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.extend(if char == '\\' { chars.next() } else { Some(char) });
    }
    Cow::Owned(out)
}
