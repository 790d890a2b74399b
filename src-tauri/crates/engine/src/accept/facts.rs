//! What the expressions of a source say of an input: its type, its key, its id.

use std::time::Duration;

use signalbox_transform::{Limits, Program, RunError, Value};
use signalbox_workspace::{DedupeId, Integration, Source, WebhookSource};

use crate::reading::{Named, Raw};
use crate::steps::{envelope, with_larger_budget};

/// What the expressions of a source say of an input.
pub(crate) struct Facts {
    pub event_type: Option<String>,
    pub key: Option<String>,
    pub source_id: Option<String>,
    pub notes: Vec<String>,
    /// The order cannot be known: the deliveries die at stage accept.
    pub key_failure: Option<String>,
}

/// How long the expressions of one request may take together before each gets the small budget only: a request that is
/// split has many.
pub(super) struct Patience(tokio::time::Instant);

impl Patience {
    pub fn begin() -> Self {
        Self(tokio::time::Instant::now() + Duration::from_secs(2))
    }

    fn ask(&self, program: &Program, envelope: &Value) -> Result<Option<Value>, RunError> {
        if tokio::time::Instant::now() < self.0 {
            with_larger_budget(|limits| program.run_optional(envelope, limits))
        } else {
            program.run_optional(envelope, &Limits::INLINE)
        }
    }
}

/// `named` is what the format says of the event, `scheme_id` what the scheme does.
pub(super) fn facts(
    integration: &Integration,
    raw: &Raw<'_>,
    body: Option<&Value>,
    mut notes: Vec<String>,
    named: Named,
    scheme_id: Option<String>,
    patience: &Patience,
) -> Facts {
    let Source::Webhook(source) = &integration.source;
    let dedupe = match &source.dedupe.id {
        DedupeId::Expression(program) => Some(program),
        DedupeId::Scheme | DedupeId::Format | DedupeId::None => None,
    };
    let asked = source.event_type.is_some() || source.key.is_some() || dedupe.is_some();
    let null = Value::null();
    let envelope = asked.then(|| envelope(raw.headers, raw.query, body.unwrap_or(&null)));
    let ask = |program: Option<&Program>| -> Option<Result<Option<String>, String>> {
        let (program, envelope) = program.zip(envelope.as_ref())?;
        Some(ask(program, envelope, patience))
    };
    let event_type = match ask(source.event_type.as_ref()) {
        Some(Ok(text)) => text,
        Some(Err(error)) => {
            notes.push(format!("type: {error}"));
            None
        }
        None => named.event_type,
    };
    let (key, key_failure) = match ask(source.key.as_ref()) {
        Some(Ok(text)) => (text, None),
        Some(Err(error)) => (None, Some(key_failed(&error))),
        None => (None, None),
    };
    let source_id = match (&source.dedupe.id, ask(dedupe)) {
        (DedupeId::Scheme, _) => scheme_id,
        (DedupeId::Format, _) => named.id,
        (_, Some(Ok(text))) => text,
        (_, Some(Err(error))) => {
            notes.push(format!("dedupe: {error}"));
            None
        }
        _ => None,
    };
    // Ids and keys are indexed: a hostile one must not make an index page of its own.
    let bounded = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| cut(text, 512));
    Facts { event_type: bounded(event_type), key: bounded(key), source_id: bounded(source_id), notes, key_failure }
}

fn key_failed(error: &str) -> String {
    format!("the source's key expression failed: {error}")
}

/// Why the key of a stored event could not be told; for its trace.
pub(crate) fn key_failure(source: &WebhookSource, raw: &Raw<'_>, body: &Value) -> Option<String> {
    let program = source.key.as_ref()?;
    let envelope = envelope(raw.headers, raw.query, body);
    ask(program, &envelope, &Patience::begin()).err().map(|error| key_failed(&error))
}

/// One expression; over the inline budget it gets the larger one, since order and dedupe must be known before the
/// commit.
fn ask(program: &Program, envelope: &Value, patience: &Patience) -> Result<Option<String>, String> {
    match patience.ask(program, envelope) {
        Ok(Some(value)) if !value.is_null() => Ok(Some(value.to_text())),
        Ok(_) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// At most `most` bytes: a longer text is cut at a character and ends with its hash, so that two that differ only later
/// stay two.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let kept = most.saturating_sub(hash.len());
        let end = (0..=kept).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(&hash);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_long_ids_that_differ_at_their_end_stay_two() {
        let long = |end: &str| cut(format!("{}{end}", "ä".repeat(600)), 512);
        assert_ne!(long("a"), long("b"));
        assert!(long("a").len() <= 512);
        assert_eq!(cut("short".to_owned(), 512), "short");
    }
}
