//! From the bytes of a request to the events in it, and from a stored event to the value that its steps see.
//!
//! Pure. What an event is read as depends on the source's `format` and on what is stored with the event, so that a
//! trace and a replay see what the first run saw. The events of a split request are stored as JSON of their own.

mod outbound_message;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use signalbox_model::verify::Scheme;
use signalbox_store::read::EventRow;
use signalbox_transform::cloudevents::{self, CloudEventError, CloudEventMode, CloudEventNames};
use signalbox_transform::{Format, Parsed, Piece, Program, Value, read_body_as, read_body_located};
use signalbox_workspace::{Source, WebhookSource};

use crate::steps::{REQUEST_BODY_MAX, envelope, with_larger_budget};

/// Events that one request may be split into.
pub const SPLIT_MAX: usize = 1_000;

const JSON: &str = "application/json";
const CLOUDEVENT: &str = "application/cloudevents+json";

/// One event of a request.
pub struct Element {
    /// What is stored: the request's bytes, or those of its part.
    pub body: Bytes,
    pub content_type: Option<String>,
    /// `Err`: kept, and cannot be mapped.
    pub value: Result<Value, String>,
    pub notes: Vec<String>,
    pub named: Named,
}

/// What a format says of an event by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub event_type: Option<String>,
    /// By which its repeats are known.
    pub id: Option<String>,
}

pub enum Reading {
    One(Element),
    /// In the order of the request; may be empty.
    Split(Vec<Element>),
}

/// Why a request is not taken at all, in words for its sender.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error(transparent)]
    CloudEvent(#[from] CloudEventError),
    #[error("event {index} of the batch: {error}")]
    InBatch { index: usize, error: CloudEventError },
    #[error("the body cannot be read, so it cannot be split: {0}")]
    Unreadable(String),
    #[error("the source's split failed: {0}")]
    SplitFailed(String),
    #[error("the source's split made {0}, not an array")]
    NotAnArray(&'static str),
    #[error("the request holds {0} events, more than the {SPLIT_MAX} that one request may hold")]
    TooMany(usize),
    #[error("the body is not a Salesforce outbound message: {0}")]
    OutboundMessage(String),
}

impl Unfit {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooMany(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CloudEvent(CloudEventError::Format(_)) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Stable, for filters and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CloudEvent(_) | Self::InBatch { .. } => "cloudevent-invalid",
            Self::Unreadable(_) | Self::SplitFailed(_) | Self::NotAnArray(_) => "split-failed",
            Self::TooMany(_) => "too-many-events",
            Self::OutboundMessage(_) => "not-an-outbound-message",
        }
    }
}

/// A request as far as reading it needs.
pub(crate) struct Raw<'a> {
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    pub body: &'a Bytes,
}

pub fn read(source: &WebhookSource, raw: &Raw<'_>) -> Result<Reading, Unfit> {
    let content_type = raw.headers.get("content-type").and_then(|value| value.to_str().ok());
    if matches!(source.verify.scheme, Scheme::SalesforceOutbound { .. }) {
        return outbound_message::read(raw.body).map(Reading::Split).map_err(Unfit::OutboundMessage);
    }
    if source.format == Format::CloudEvents {
        return cloud_event(source, raw, content_type);
    }
    if let Some(split) = &source.split {
        let (parsed, _) = read_body_located(source.format, content_type, raw.body)
            .map_err(|error| Unfit::Unreadable(error.to_string()))?;
        return split_up(split, raw, &parsed, None).map(Reading::Split);
    }
    let mut notes = Vec::new();
    let value = match read_body_as(source.format, content_type, raw.body) {
        Ok((parsed, _)) => {
            notes = notes_of(&parsed);
            Ok(parsed.value)
        }
        Err(error) => Err(error.to_string()),
    };
    let content_type = content_type.map(str::to_owned);
    Ok(Reading::One(Element { body: raw.body.clone(), content_type, value, notes, named: Named::default() }))
}

/// The value of a stored event, as its source now reads it.
pub fn stored(source: &Source, event: &EventRow, body: &[u8]) -> Result<Value, String> {
    let Source::Webhook(source) = source;
    let content_type = event.content_type.as_deref();
    let format = if event.part.is_some() { Format::Json } else { source.format };
    if format == Format::CloudEvents {
        let headers = event.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let read =
            cloudevents::mode(content_type).and_then(|mode| cloudevents::read(mode, headers, content_type, body));
        return read.map(|parsed| parsed.value).map_err(|error| error.to_string());
    }
    read_body_as(format, content_type, body).map(|(parsed, _)| parsed.value).map_err(|error| error.to_string())
}

fn notes_of(parsed: &Parsed) -> Vec<String> {
    if parsed.duplicate_keys { vec!["duplicate-keys".to_owned()] } else { Vec::new() }
}

impl From<CloudEventNames> for Named {
    fn from(names: CloudEventNames) -> Self {
        Self { id: Some(names.dedupe_id()), event_type: Some(names.event_type) }
    }
}

fn cloud_event(source: &WebhookSource, raw: &Raw<'_>, content_type: Option<&str>) -> Result<Reading, Unfit> {
    let mode = cloudevents::mode(content_type)?;
    let headers = raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let parsed = cloudevents::read(mode, headers, content_type, raw.body)?;
    if mode == CloudEventMode::Batch {
        let pieces = pieces(&parsed, raw.body, &parsed.value)?;
        let one = |(index, piece): (usize, Piece)| {
            let named = cloudevents::names(piece.value()).map_err(|error| Unfit::InBatch { index, error })?;
            element(piece, raw.body, CLOUDEVENT, notes_of(&parsed), named.into())
        };
        return (1..).zip(pieces).map(one).collect::<Result<_, _>>().map(Reading::Split);
    }
    let named: Named = cloudevents::names(&parsed.value)?.into();
    if let Some(split) = &source.split {
        return split_up(split, raw, &parsed, Some(&named)).map(Reading::Split);
    }
    let (notes, content_type) = (notes_of(&parsed), content_type.map(str::to_owned));
    Ok(Reading::One(Element { body: raw.body.clone(), content_type, value: Ok(parsed.value), notes, named }))
}

/// `whole` is what the request as a whole is named: its parts are told apart by their place.
fn split_up(split: &Program, raw: &Raw<'_>, parsed: &Parsed, whole: Option<&Named>) -> Result<Vec<Element>, Unfit> {
    let envelope = envelope(raw.headers, raw.query, &parsed.value);
    let made = with_larger_budget(|limits| split.run_one(&envelope, limits))
        .map_err(|error| Unfit::SplitFailed(error.to_string()))?;
    let one = |(index, piece): (usize, Piece)| {
        let named = whole.cloned().unwrap_or_default();
        let named = Named { id: named.id.map(|id| part_id(&id, index)), ..named };
        element(piece, raw.body, JSON, notes_of(parsed), named)
    };
    (1..).zip(pieces(parsed, raw.body, &made)?).map(one).collect()
}

/// The id of a request, made the id of its `index`th event.
pub fn part_id(id: &str, index: usize) -> String {
    format!("{id}#{index}")
}

fn pieces(parsed: &Parsed, body: &[u8], array: &Value) -> Result<Vec<Piece>, Unfit> {
    let pieces = parsed.pieces(body, array).ok_or_else(|| Unfit::NotAnArray(array.kind()))?;
    if pieces.len() > SPLIT_MAX {
        return Err(Unfit::TooMany(pieces.len()));
    }
    Ok(pieces)
}

fn element(piece: Piece, body: &Bytes, kind: &str, notes: Vec<String>, named: Named) -> Result<Element, Unfit> {
    let (value, body) = match piece {
        Piece::Exact(value, range) if range.end <= body.len() => (value, body.slice(range)),
        Piece::Exact(value, _) | Piece::Made(value) => {
            let bytes = value.to_json_bytes(REQUEST_BODY_MAX).map_err(|error| Unfit::SplitFailed(error.to_string()))?;
            (value, Bytes::from(bytes))
        }
    };
    Ok(Element { body, content_type: Some(kind.to_owned()), value: Ok(value), notes, named })
}
