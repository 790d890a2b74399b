//! Text → terms with keys and values; knows quotes and stars, not what a key means.

use super::{FilterError, TERMS_MAX, TEXT_MAX};

/// One `-key:value,value`.
pub(super) struct RawTerm {
    pub at: usize,
    pub negated: bool,
    pub key: String,
    pub values: Vec<RawValue>,
}

/// Literal pieces with a `*` between each two.
pub(super) struct RawValue {
    pub at: usize,
    pub pieces: Vec<String>,
}

pub(super) fn terms(text: &str) -> Result<Vec<RawTerm>, FilterError> {
    if text.len() > TEXT_MAX {
        return Err(wrong(TEXT_MAX, format!("a filter may have {TEXT_MAX} bytes, this one has {}", text.len())));
    }
    if let Some((at, found)) = text.char_indices().find(|(_, found)| found.is_control() && !found.is_whitespace()) {
        return Err(wrong(at, format!("the character U+{:04X} has no place in a filter", u32::from(found))));
    }
    let mut chars = text.char_indices().peekable();
    let mut terms = Vec::new();
    loop {
        while chars.next_if(|(_, next)| next.is_whitespace()).is_some() {}
        let Some(&(at, _)) = chars.peek() else { break };
        if terms.len() == TERMS_MAX {
            return Err(wrong(at, format!("a filter may have {TERMS_MAX} terms; this is one more")));
        }
        terms.push(term(at, &mut chars)?);
    }
    Ok(terms)
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn term(at: usize, chars: &mut Chars<'_>) -> Result<RawTerm, FilterError> {
    let negated = chars.next_if(|(_, next)| *next == '-').is_some();
    let mut key = String::new();
    while let Some((_, next)) = chars.next_if(|(_, next)| *next != ':' && !next.is_whitespace()) {
        key.push(next);
    }
    let Some((colon, _)) = chars.next_if(|(_, next)| *next == ':') else {
        let word: String = key.chars().take(60).collect();
        return Err(FilterError {
            message: format!("'{word}' is not a term: write a key, a colon and a value"),
            suggestion: super::parse::term_for_word(&word),
            at,
        });
    };
    let mut values = Vec::new();
    let mut start = colon + 1;
    loop {
        values.push(value(start, &key, chars)?);
        match chars.next_if(|(_, next)| *next == ',') {
            Some((comma, _)) => start = comma + 1,
            None => break,
        }
    }
    Ok(RawTerm { at, negated, key, values })
}

fn value(at: usize, key: &str, chars: &mut Chars<'_>) -> Result<RawValue, FilterError> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut quoted_at = None;
    let mut empty = true;
    while let Some(&(place, next)) = chars.peek() {
        if quoted_at.is_none() && (next == ',' || next.is_whitespace()) {
            break;
        }
        chars.next();
        empty = false;
        match (next, quoted_at) {
            ('"', None) => quoted_at = Some(place),
            ('"', Some(_)) => quoted_at = None,
            ('*', _) => pieces.push(std::mem::take(&mut piece)),
            ('\\', Some(_)) => match chars.next_if(|(_, next)| matches!(next, '"' | '\\' | '*')) {
                Some((_, meant)) => piece.push(meant),
                None => piece.push('\\'),
            },
            _ => piece.push(next),
        }
    }
    if let Some(place) = quoted_at {
        return Err(wrong(place, "this quote is never closed".to_owned()));
    }
    if empty {
        return Err(wrong(at, format!("'{key}:' has no value here; for an empty one write \"\"")));
    }
    pieces.push(piece);
    Ok(RawValue { at, pieces })
}

pub(super) fn wrong(at: usize, message: String) -> FilterError {
    FilterError { message, suggestion: None, at }
}
