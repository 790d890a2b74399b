//! The filter language: one for panel, URL, API and CLI.
//!
//! Terms joined by space all hold; values joined by comma are alternatives; a leading `-` turns a term round:
//!
//! ```text
//! state:dead,retrying -destination:crm http:5xx,429 since:2h latency:>2s key:"003 A*" body.email:*@acme.test
//! ```
//!
//! `*` stands for any text in `key`, `type` and `body.<path>`. Quotes hold values with spaces or commas; within them
//! `\"`, `\\` and `\*` mean the character itself. A wrong key or value is an error with a suggestion, so that a typing
//! mistake never looks like an empty list.

mod lex;
mod parse;
mod pattern;
mod show;
#[cfg(test)]
mod tests;
mod word;

use std::time::Duration;

pub use pattern::Pattern;
pub use word::{Bound, Moment, StatusRange};

use crate::{DeliveryId, DeliveryState, EventId, FailureKind, GroupId, HeldReason, Stage};

/// The longest filter, bytes.
pub const TEXT_MAX: usize = 2 * 1024;
/// The most terms of one filter.
pub const TERMS_MAX: usize = 32;
/// The deepest `body.<path>`.
pub const PATH_MAX: usize = 16;

/// Every key, in the order in which help shows them. `body` takes a path: `body.email`.
pub const KEYS: [&str; 18] = [
    "state",
    "reason",
    "integration",
    "destination",
    "system",
    "kind",
    "http",
    "stage",
    "group",
    "event",
    "id",
    "key",
    "type",
    "since",
    "until",
    "latency",
    "attempts",
    "body",
];

/// Terms that must all hold. Empty: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub negated: bool,
    pub test: Test,
}

/// One key with its alternatives; no list is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    State(Vec<DeliveryState>),
    Reason(Vec<HeldReason>),
    Integration(Vec<String>),
    Destination(Vec<String>),
    System(Vec<String>),
    Kind(Vec<FailureKind>),
    Http(Vec<StatusRange>),
    Stage(Vec<Stage>),
    Group(Vec<GroupId>),
    Event(Vec<EventId>),
    Id(Vec<DeliveryId>),
    Key(Vec<Pattern>),
    Type(Vec<Pattern>),
    Since(Moment),
    Until(Moment),
    Latency(Vec<Bound<Duration>>),
    Attempts(Vec<Bound<u32>>),
    /// A field of the event's body; a path's part that is a number also means a place in an array.
    Body {
        path: Vec<String>,
        values: Vec<Pattern>,
    },
}

/// Names that exist, so that a wrong one is an error with the nearest as suggestion. Empty lists are not checked.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    pub integrations: Vec<String>,
    pub destinations: Vec<String>,
    pub systems: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .suggestion.as_ref().map(|word| format!("; did you mean '{word}'?")).unwrap_or_default())]
pub struct FilterError {
    /// What is wrong and what would be right, without the suggestion.
    pub message: String,
    /// What to write in place of the wrong part.
    pub suggestion: Option<String>,
    /// Where the wrong part starts, bytes from the start of the filter.
    pub at: usize,
}

impl Filter {
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text, &KnownNames::default())
    }

    /// As [`Filter::parse`], and names of integrations, destinations and systems must exist.
    pub fn parse_with(text: &str, known: &KnownNames) -> Result<Self, FilterError> {
        parse::filter(text, known)
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

impl std::str::FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}
