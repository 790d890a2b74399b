//! Terms → tests: what each key takes.

use std::str::FromStr;

use super::lex::{self, RawTerm, RawValue, wrong};
use super::{
    Bound, Filter, FilterError, KEYS, KnownNames, Moment, PATH_MAX, Pattern, StatusRange, TEXT_MAX, Term, Test,
};
use crate::{DeliveryState, FailureKind, HeldReason, Stage, units};

pub(super) fn filter(text: &str, known: &KnownNames) -> Result<Filter, FilterError> {
    let terms = lex::terms(text)?;
    let terms = terms.into_iter().map(|raw| Ok(Term { negated: raw.negated, test: test(&raw, known)? }));
    let filter = Filter { terms: terms.collect::<Result<_, FilterError>>()? };
    // Links and saved views hold it as it is shown, and must be able to read it again.
    let shown = filter.to_string().len();
    if shown > TEXT_MAX {
        let message = format!(
            "with the quotes and escapes that it needs this filter has {shown} bytes, and a filter may have {TEXT_MAX}"
        );
        return Err(wrong(text.len(), message));
    }
    Ok(filter)
}

/// The term that a lone word most likely meant.
pub(super) fn term_for_word(word: &str) -> Option<String> {
    if word.is_empty() {
        return None;
    }
    let lower = word.to_lowercase();
    if let Some(state) = nearest(&lower, &words(&DeliveryState::ALL, |state| state.as_str())) {
        return Some(format!("state:{state}"));
    }
    if let Some(kind) = nearest(&lower, &words(&FailureKind::ALL, |kind| kind.as_str())) {
        return Some(format!("kind:{kind}"));
    }
    Some(format!("key:{}", super::show::Quoted(&Pattern::exact(word))))
}

fn test(raw: &RawTerm, known: &KnownNames) -> Result<Test, FilterError> {
    if let Some(path) = raw.key.strip_prefix("body.") {
        return Ok(Test::Body { path: body_path(raw, path)?, values: patterns(raw) });
    }
    Ok(match raw.key.as_str() {
        "state" => Test::State(choice(raw, &DeliveryState::ALL, |state| state.as_str())?),
        "reason" => Test::Reason(choice(raw, &HeldReason::ALL, |reason| reason.as_str())?),
        "kind" => Test::Kind(choice(raw, &FailureKind::ALL, |kind| kind.as_str())?),
        "stage" => Test::Stage(choice(raw, &Stage::ALL, |stage| stage.as_str())?),
        "integration" => Test::Integration(names(raw, "integration", &known.integrations)?),
        "destination" => Test::Destination(names(raw, "destination", &known.destinations)?),
        "system" => Test::System(names(raw, "system", &known.systems)?),
        "http" => Test::Http(each(raw, StatusRange::parse, "an HTTP status: write 429, 5xx or 500-504", |_| None)?),
        "group" => Test::Group(ids(raw)?),
        "event" => Test::Event(ids(raw)?),
        "id" => Test::Id(ids(raw)?),
        "key" => Test::Key(patterns(raw)),
        "type" => Test::Type(patterns(raw)),
        "since" => Test::Since(moment(raw)?),
        "until" => Test::Until(moment(raw)?),
        "latency" => Test::Latency(each(
            raw,
            |text| {
                Bound::parse(text, |text| units::parse_duration(text).ok())
                    .filter(|bound| !matches!(bound, Bound::Equal(_)))
            },
            "a bound on the latency: write >2s, >=250ms, <1m or <=1m",
            |text| units::parse_duration(text).ok().map(|_| format!(">{text}")),
        )?),
        "attempts" => Test::Attempts(each(
            raw,
            |text| Bound::parse(text, |text| text.parse().ok()),
            "a number of attempts: write 3, >3, >=3, <3 or <=3",
            |_| None,
        )?),
        "body" => {
            return Err(FilterError {
                message: "'body' needs the path of a field".to_owned(),
                suggestion: Some("body.email".to_owned()),
                at: raw.at,
            });
        }
        other => {
            let other: String = other.chars().take(60).collect();
            return Err(FilterError {
                message: format!("'{other}' is not a key of the filter; the keys are {}", KEYS.join(", ")),
                suggestion: nearest(&other.to_lowercase(), &KEYS).map(str::to_owned),
                at: raw.at + usize::from(raw.negated),
            });
        }
    })
}

fn body_path(raw: &RawTerm, path: &str) -> Result<Vec<String>, FilterError> {
    let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
    let bad = |part: &String| part.is_empty() || part.contains(['"', '\\', ',', '*']);
    if parts.len() > PATH_MAX || parts.iter().any(bad) {
        let message =
            format!("'{}' is not the path of a field: write names joined by dots, at most {PATH_MAX}", raw.key);
        return Err(wrong(raw.at, message));
    }
    Ok(parts)
}

fn patterns(raw: &RawTerm) -> Vec<Pattern> {
    raw.values.iter().map(|value| Pattern::from_pieces(value.pieces.clone())).collect()
}

/// A value without `*`.
fn plain<'a>(raw: &RawTerm, value: &'a RawValue) -> Result<&'a str, FilterError> {
    match value.pieces.as_slice() {
        [only] => Ok(only),
        _ => Err(wrong(value.at, format!("'{}' takes no '*'; key, type and body.… do", raw.key))),
    }
}

fn each<T>(
    raw: &RawTerm,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
    suggest: impl Fn(&str) -> Option<String>,
) -> Result<Vec<T>, FilterError> {
    let one = |value: &RawValue| {
        let text = plain(raw, value)?;
        parse(text).ok_or_else(|| FilterError {
            message: format!("'{}' is not {expected}", short(text)),
            suggestion: suggest(text),
            at: value.at,
        })
    };
    raw.values.iter().map(one).collect()
}

fn choice<T: Copy>(raw: &RawTerm, all: &[T], name: fn(&T) -> &'static str) -> Result<Vec<T>, FilterError> {
    let words = words(all, name);
    let expected = format!("a {}; there are {}", raw.key, words.join(", "));
    let parse = |text: &str| all.iter().find(|one| name(one) == text).copied();
    each(raw, parse, &expected, |text| nearest(&text.to_lowercase(), &words).map(str::to_owned))
}

fn names(raw: &RawTerm, what: &str, known: &[String]) -> Result<Vec<String>, FilterError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let exists = |text: &str| known.is_empty() || known.iter().any(|name| name == text);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let parse = |text: &str| (!text.is_empty() && text.bytes().all(good) && exists(text)).then(|| text.to_owned());
    let expected = format!("the name of a known {what}");
    each(raw, parse, &expected, |text| nearest(&text.to_lowercase(), &known).map(str::to_owned))
}

fn ids<T: FromStr<Err = crate::id::IdError>>(raw: &RawTerm) -> Result<Vec<T>, FilterError> {
    let one = |value: &RawValue| {
        plain(raw, value)?.parse().map_err(|error: crate::id::IdError| wrong(value.at, error.to_string()))
    };
    raw.values.iter().map(one).collect()
}

fn moment(raw: &RawTerm) -> Result<Moment, FilterError> {
    if let Some(second) = raw.values.get(1) {
        return Err(wrong(second.at, format!("'{}' takes one moment", raw.key)));
    }
    let expected = "a moment: write 15m, 2h or 7d for that long ago, or an instant as 2026-11-21T14:00Z";
    let found = each(raw, Moment::parse, expected, |_| None)?;
    found.into_iter().next().ok_or_else(|| wrong(raw.at, format!("'{}:' has no value", raw.key)))
}

fn words<T>(all: &[T], name: fn(&T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(name).collect()
}

/// The nearest word, where one is near: two slips of the fingers, or the start of it.
fn nearest<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let start = words.iter().find(|word| text.chars().count() >= 3 && word.starts_with(text));
    let slips = |word: &&&str| strsim::damerau_levenshtein(text, word);
    let near = || words.iter().min_by_key(slips).filter(|word| slips(word) <= 2.min(word.len() / 2));
    start.or_else(near).copied()
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}
