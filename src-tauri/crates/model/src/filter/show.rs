//! Filter → its canonical text, which parses back to the same filter.

use std::fmt::{self, Display, Formatter, Write};

use super::{Bound, Filter, Moment, Pattern, StatusRange, Term, Test};
use crate::units::format_duration;

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        joined(f, ' ', &self.terms, |f, term| term.fmt(f))
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_char('-')?;
        }
        self.test.fmt(f)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(all) => term(f, "state", all, |f, state| f.write_str(state.as_str())),
            Self::Reason(all) => term(f, "reason", all, |f, reason| f.write_str(reason.as_str())),
            Self::Kind(all) => term(f, "kind", all, |f, kind| f.write_str(kind.as_str())),
            Self::Stage(all) => term(f, "stage", all, |f, stage| f.write_str(stage.as_str())),
            Self::Integration(all) => term(f, "integration", all, |f, name| f.write_str(name)),
            Self::Destination(all) => term(f, "destination", all, |f, name| f.write_str(name)),
            Self::System(all) => term(f, "system", all, |f, name| f.write_str(name)),
            Self::Http(all) => term(f, "http", all, |f, range| status(f, *range)),
            Self::Group(all) => term(f, "group", all, |f, id| id.fmt(f)),
            Self::Event(all) => term(f, "event", all, |f, id| id.fmt(f)),
            Self::Id(all) => term(f, "id", all, |f, id| id.fmt(f)),
            Self::Key(all) => term(f, "key", all, |f, pattern| Quoted(pattern).fmt(f)),
            Self::Type(all) => term(f, "type", all, |f, pattern| Quoted(pattern).fmt(f)),
            Self::Since(at) => term(f, "since", &[*at], moment),
            Self::Until(at) => term(f, "until", &[*at], moment),
            Self::Latency(all) => {
                term(f, "latency", all, |f, bound| write!(f, "{}{}", bound.sign(), format_duration(*bound.value())))
            }
            Self::Attempts(all) => {
                term(f, "attempts", all, |f, bound: &Bound<u32>| write!(f, "{}{}", bound.sign(), bound.value()))
            }
            Self::Body { path, values } => {
                term(f, &format!("body.{}", path.join(".")), values, |f, pattern| Quoted(pattern).fmt(f))
            }
        }
    }
}

fn term<T>(
    f: &mut Formatter<'_>,
    key: &str,
    values: &[T],
    show: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    write!(f, "{key}:")?;
    joined(f, ',', values, show)
}

fn joined<T>(
    f: &mut Formatter<'_>,
    between: char,
    values: &[T],
    show: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            f.write_char(between)?;
        }
        show(f, value)?;
    }
    Ok(())
}

fn status(f: &mut Formatter<'_>, range: StatusRange) -> fmt::Result {
    let StatusRange { from, to } = range;
    match (from, to) {
        _ if from == to => write!(f, "{from}"),
        _ if from % 100 == 0 && to == from + 99 => write!(f, "{}xx", from / 100),
        _ => write!(f, "{from}-{to}"),
    }
}

fn moment(f: &mut Formatter<'_>, moment: &Moment) -> fmt::Result {
    match moment {
        Moment::Ago(duration) => f.write_str(&format_duration(*duration)),
        Moment::At(at) => at.fmt(f),
    }
}

/// A pattern as a person would write it: quoted only where it must be.
pub(super) struct Quoted<'a>(pub &'a Pattern);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let pieces = self.0.pieces();
        let special = |found: char| found.is_whitespace() || matches!(found, ',' | '"' | '\\' | '*');
        let quotes = pieces.iter().all(String::is_empty) && pieces.len() == 1
            || pieces.iter().any(|piece| piece.contains(special));
        if quotes {
            f.write_char('"')?;
        }
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                f.write_char('*')?;
            }
            for found in piece.chars() {
                if matches!(found, '"' | '\\' | '*') {
                    f.write_char('\\')?;
                }
                f.write_char(found)?;
            }
        }
        if quotes {
            f.write_char('"')?;
        }
        Ok(())
    }
}
