//! Values with a meaning of their own: status ranges, moments, bounds.

use std::time::Duration;

use crate::{Timestamp, units};

/// HTTP statuses `from..=to`, each in `100..=599`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    pub from: u16,
    pub to: u16,
}

impl StatusRange {
    /// `429`, `5xx` or `500-504`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let status = |text: &str| {
            let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u16>().ok().filter(|status| digits && (100..=599).contains(status))
        };
        if let Some(class) = text.strip_suffix("xx") {
            let from = status(&format!("{class}00"))?;
            return Some(Self { from, to: from + 99 });
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let range = Self { from: status(from)?, to: status(to)? };
        (range.from <= range.to).then_some(range)
    }

    pub const fn contains(self, status: u16) -> bool {
        self.from <= status && status <= self.to
    }
}

/// `2h` ago, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Ago(Duration),
    At(Timestamp),
}

impl Moment {
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(ago) = units::parse_duration(text) {
            return Some(Self::Ago(ago));
        }
        let day = || Timestamp::parse(&format!("{text}T00:00:00Z")).filter(|_| text.len() == 10);
        // Shown with milliseconds, so finer parts would not survive.
        let at = Timestamp::parse(text).or_else(day)?;
        Some(Self::At(Timestamp::from_millis(at.as_millis())))
    }

    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now.minus(duration),
            Self::At(at) => at,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound<T> {
    Above(T),
    AtLeast(T),
    Below(T),
    AtMost(T),
    Equal(T),
}

impl<T> Bound<T> {
    /// `>3`, `>=3`, `<3`, `<=3` or `3`.
    pub(super) fn parse(text: &str, value: impl Fn(&str) -> Option<T>) -> Option<Self> {
        type Make<T> = fn(T) -> Bound<T>;
        let kinds: [(&str, Make<T>); 4] =
            [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Above), ("<", Self::Below)];
        for (sign, bound) in kinds {
            if let Some(rest) = text.strip_prefix(sign) {
                return value(rest).map(bound);
            }
        }
        value(text).map(Self::Equal)
    }

    pub fn value(&self) -> &T {
        match self {
            Self::Above(value)
            | Self::AtLeast(value)
            | Self::Below(value)
            | Self::AtMost(value)
            | Self::Equal(value) => value,
        }
    }

    /// The sign before the value; empty for equality.
    pub const fn sign(&self) -> &'static str {
        match self {
            Self::Above(_) => ">",
            Self::AtLeast(_) => ">=",
            Self::Below(_) => "<",
            Self::AtMost(_) => "<=",
            Self::Equal(_) => "",
        }
    }
}
