//! The exact text of the elements of an array that a program took out of a JSON document.
//!
//! A program hands on parts of its input without copying them, so that a value is known again by its address: what it
//! took out is sliced from the text as it came, with its digits, order and repeated names; what it made is not.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::error::ReadError;
use crate::json::{Parsed, parse};
use crate::value::{Val, Value};

/// Where the arrays and objects of a document stand in its text, where that is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Option<Vec<Place>>);

#[derive(Clone, Debug)]
struct Place {
    address: usize,
    start: usize,
    end: usize,
}

/// An element of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Part of the document, at these bytes of it.
    Exact(Value, Range<usize>),
    /// Made by the program.
    Made(Value),
}

/// As [`crate::parse_json`], for a document whose parts are asked for by [`Parsed::pieces`].
pub(crate) fn parse_located(bytes: &[u8]) -> Result<Parsed, ReadError> {
    parse(bytes, Places(Some(Vec::new())))
}

impl PartialEq for Places {
    /// What a document says does not depend on where it says it.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(crate) fn note(&mut self, val: &Val, text: Range<usize>) {
        if let (Some(places), Some(address)) = (&mut self.0, address(val)) {
            places.push(Place { address, start: text.start, end: text.end });
        }
    }

    /// Of these values. Of several places with one address the last holds: the others were of repeated names, whose
    /// values are gone.
    fn find(&self, wanted: impl Iterator<Item = usize>) -> HashMap<usize, Range<usize>> {
        let mut found: HashMap<usize, Range<usize>> = wanted.map(|address| (address, 0..0)).collect();
        for place in self.0.iter().flatten() {
            if let Some(range) = found.get_mut(&place.address) {
                *range = place.start..place.end;
            }
        }
        found.retain(|_, range| range.end > 0);
        found
    }
}

impl Parsed {
    /// The elements of an array that a program made from this document, while the document is still there. `text` is
    /// what the document was read from. `None`: not an array.
    pub fn pieces(&self, text: &[u8], array: &Value) -> Option<Vec<Piece>> {
        let Val::Arr(items) = &array.0 else { return None };
        let items = items.items();
        let wanted = address(&array.0).into_iter().chain(items.iter().filter_map(address));
        let found = self.places.find(wanted);
        let whole = address(&array.0).and_then(|address| found.get(&address)).map(|range| elements(text, range));
        let piece = |(at, val): (usize, &Val)| {
            let range = match &whole {
                Some(ranges) => ranges.get(at),
                None => address(val).and_then(|address| found.get(&address)),
            };
            match range {
                Some(range) => Piece::Exact(Value(val.clone()), range.clone()),
                None => Piece::Made(Value(val.clone())),
            }
        };
        Some(items.iter().enumerate().map(piece).collect())
    }
}

impl Piece {
    pub fn value(&self) -> &Value {
        match self {
            Self::Exact(value, _) | Self::Made(value) => value,
        }
    }
}

fn address(val: &Val) -> Option<usize> {
    match val {
        Val::Arr(array) => Some(Arc::as_ptr(array).addr()),
        Val::Obj(object) => Some(Arc::as_ptr(object).addr()),
        _ => None,
    }
}

/// The elements of an array that was read at `place` of `text`, and so is known to be well-formed.
fn elements(text: &[u8], place: &Range<usize>) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut start = None;
    let mut end = place.start;
    let bytes = text.get(place.clone()).unwrap_or_default();
    for (at, byte) in (place.start..).zip(bytes) {
        if quoted {
            quoted = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            end = at + 1;
            continue;
        }
        let closes = matches!(byte, b']' | b'}');
        if depth == 1 && (*byte == b',' || closes) {
            ranges.extend(start.take().map(|start| start..end));
        } else if depth >= 1 && !byte.is_ascii_whitespace() {
            start.get_or_insert(at);
            end = at + 1;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => depth += 1,
            _ if closes => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ranges
}
