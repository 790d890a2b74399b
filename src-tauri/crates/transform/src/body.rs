//! Bodies in the formats that senders use, as one value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::csv::read_csv;
use crate::error::ReadError;
use crate::json::{Parsed, parse_json};
use crate::pieces::{Places, parse_located};
use crate::repeats::Repeats;
use crate::value::Value;
use crate::xml::read_xml;

/// Pairs in one form.
const MAX_PAIRS: usize = 10_000;

/// How the bodies of a source are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// By the content type.
    #[default]
    Auto,
    Json,
    Form,
    Text,
    Xml,
    Csv,
    /// See [`crate::cloudevents`]; headers belong to it, so that a body alone is read by its content type.
    CloudEvents,
}

/// What a body was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    Json,
    /// `application/x-www-form-urlencoded`: an object of strings.
    Form,
    /// UTF-8 text of any other type: a string.
    Text,
    /// See [`crate::xml`].
    Xml,
    /// See [`crate::csv`].
    Csv,
    /// Anything else: a string in base64 (RFC 4648, section 4, with padding).
    Base64,
}

impl BodyFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
            Self::Text => "text",
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Base64 => "base64",
        }
    }

    /// What [`read_body`] reads a body of this type as; none where that depends on the body.
    pub fn of_type(content_type: Option<&str>) -> Option<Self> {
        match by_type(&media_type(content_type?))? {
            Format::Json => Some(Self::Json),
            Format::Form => Some(Self::Form),
            Format::Xml => Some(Self::Xml),
            Format::Csv => Some(Self::Csv),
            Format::Auto | Format::Text | Format::CloudEvents => None,
        }
    }
}

/// Reads a body by its content type. Without one it is JSON if it can be read as such.
///
/// A JSON content type over a body that is not JSON is an error, and so are XML, CSV and a form; such an event is kept
/// and cannot be mapped.
pub fn read_body(content_type: Option<&str>, bytes: &[u8]) -> Result<(Parsed, BodyFormat), ReadError> {
    read_body_as(Format::Auto, content_type, bytes)
}

/// As [`read_body`], with the format that a source names.
pub fn read_body_as(
    format: Format,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<(Parsed, BodyFormat), ReadError> {
    read(format, content_type, bytes, parse_json)
}

/// As [`read_body_as`], and [`Parsed::pieces`] then knows where the parts of a JSON body stand.
pub fn read_body_located(
    format: Format,
    content_type: Option<&str>,
    bytes: &[u8],
) -> Result<(Parsed, BodyFormat), ReadError> {
    read(format, content_type, bytes, parse_located)
}

fn read(
    format: Format,
    content_type: Option<&str>,
    bytes: &[u8],
    json: fn(&[u8]) -> Result<Parsed, ReadError>,
) -> Result<(Parsed, BodyFormat), ReadError> {
    let media_type = content_type.map(media_type).unwrap_or_default();
    let utf8 = || std::str::from_utf8(bytes).map_err(|fault| not_utf8(bytes, fault.valid_up_to()));
    let format = match format {
        // A form that is no text is not refused for its content type alone.
        Format::Auto | Format::CloudEvents => {
            by_type(&media_type).filter(|format| *format != Format::Form || utf8().is_ok())
        }
        named => Some(named),
    };
    Ok(match format {
        Some(Format::Json) => (json(bytes)?, BodyFormat::Json),
        Some(Format::Form) => (whole(read_form(utf8()?)?), BodyFormat::Form),
        Some(Format::Xml) => (whole(read_xml(bytes)?), BodyFormat::Xml),
        Some(Format::Csv) => (whole(read_csv(bytes, delimiter(content_type))?), BodyFormat::Csv),
        Some(Format::Text) => (whole(Value::string(utf8()?)), BodyFormat::Text),
        Some(Format::Auto | Format::CloudEvents) | None => {
            if media_type.is_empty()
                && let Ok(parsed) = json(bytes)
            {
                return Ok((parsed, BodyFormat::Json));
            }
            match std::str::from_utf8(bytes) {
                Ok(text) => (whole(Value::string(text)), BodyFormat::Text),
                Err(_) => (whole(Value::string(&STANDARD.encode(bytes))), BodyFormat::Base64),
            }
        }
    })
}

fn by_type(media_type: &str) -> Option<Format> {
    match media_type {
        "application/x-www-form-urlencoded" => Some(Format::Form),
        "text/csv" | "text/tab-separated-values" => Some(Format::Csv),
        _ if is_json(media_type) => Some(Format::Json),
        _ if is_xml(media_type) => Some(Format::Xml),
        _ => None,
    }
}

fn whole(value: Value) -> Parsed {
    Parsed { value, duplicate_keys: false, places: Places::none() }
}

fn not_utf8(bytes: &[u8], at: usize) -> ReadError {
    let (line, column) = crate::error::position(bytes, at);
    ReadError { message: "the text is not UTF-8".to_owned(), line, column }
}

/// Without parameters, lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// RFC 6839, section 3.1: the suffix says so.
pub(crate) fn is_json(media_type: &str) -> bool {
    matches!(media_type, "application/json" | "text/json") || media_type.ends_with("+json")
}

/// RFC 7303, section 9.
fn is_xml(media_type: &str) -> bool {
    matches!(media_type, "application/xml" | "text/xml") || media_type.ends_with("+xml")
}

/// Types whose bytes are text for people and programs alike.
pub(crate) fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/") || is_xml(media_type) || media_type == "application/x-www-form-urlencoded"
}

/// Between the fields of a row: a comma, or what the content type says: a tab in `text/tab-separated-values`, else its
/// parameter `delimiter`, as in `text/csv; delimiter=";"`.
fn delimiter(content_type: Option<&str>) -> u8 {
    let content_type = content_type.unwrap_or_default();
    if media_type(content_type) == "text/tab-separated-values" {
        return b'\t';
    }
    let lower = content_type.to_ascii_lowercase();
    let named = lower.split_once("delimiter=").map(|(_, rest)| rest.trim_start_matches('"'));
    let named = named.and_then(|rest| rest.bytes().next());
    named.filter(|byte| matches!(byte, b';' | b'|' | b'\t')).unwrap_or(b',')
}

/// A name that comes once has a string, a name that comes again has an array of all its values, in order.
fn read_form(text: &str) -> Result<Value, ReadError> {
    let mut fields = Repeats::default();
    for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PAIRS {
            let message = format!("the form has more than {MAX_PAIRS} fields");
            return Err(ReadError { message, line: 1, column: 1 });
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.push(&decode(name), Value::string(&decode(value)));
    }
    Ok(fields.into_object())
}

/// What is not UTF-8 after decoding is replaced: the raw body is kept beside.
fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
