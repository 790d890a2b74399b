//! What the expressions of a source say of an input: its type, its key, its id.

use signalbox_transform::{Limits, Program, Value};
use signalbox_workspace::{DedupeId, Integration, Source};

use super::Input;
use crate::steps::envelope;

/// What the expressions of a source say of an input.
pub(super) struct Facts {
    pub event_type: Option<String>,
    pub key: Option<String>,
    pub source_id: Option<String>,
    pub notes: Vec<String>,
    /// The order cannot be known: the deliveries die at stage accept.
    pub key_failure: Option<String>,
}

pub(super) fn facts(integration: &Integration, input: &Input, body: Option<&Value>, mut notes: Vec<String>) -> Facts {
    let Source::Webhook(source) = &integration.source;
    let dedupe = match &source.dedupe.id {
        DedupeId::Expression(program) => Some(program),
        DedupeId::Scheme | DedupeId::None => None,
    };
    let asked = source.event_type.is_some() || source.key.is_some() || dedupe.is_some();
    let null = Value::null();
    let envelope = asked.then(|| envelope(&input.headers, input.query.as_deref(), body.unwrap_or(&null)));
    let ask = |program: Option<&Program>| -> Option<Result<Option<String>, String>> {
        let (program, envelope) = program.zip(envelope.as_ref())?;
        Some(ask(program, envelope))
    };
    let event_type = match ask(source.event_type.as_ref()) {
        Some(Ok(text)) => text,
        Some(Err(error)) => {
            notes.push(format!("type: {error}"));
            None
        }
        None => None,
    };
    let (key, key_failure) = match ask(source.key.as_ref()) {
        Some(Ok(text)) => (text, None),
        Some(Err(error)) => (None, Some(format!("the source's key expression failed: {error}"))),
        None => (None, None),
    };
    let source_id = match (&source.dedupe.id, ask(dedupe)) {
        (DedupeId::Scheme, _) => input.scheme_id.clone(),
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

/// One expression; over the inline budget it gets the larger one, since order and dedupe must be known before the
/// commit.
fn ask(program: &Program, envelope: &Value) -> Result<Option<String>, String> {
    let answer = match program.run_optional(envelope, &Limits::INLINE) {
        Err(error) if error.is_over_budget() => {
            tokio::task::block_in_place(|| program.run_optional(envelope, &Limits::BEHIND))
        }
        answer => answer,
    };
    match answer {
        Ok(Some(value)) if !value.is_null() => Ok(Some(value.to_text())),
        Ok(_) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// At most `most` bytes, cut at a character.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
