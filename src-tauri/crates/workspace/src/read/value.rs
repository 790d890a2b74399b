//! A checked view of parsed TOML: every wrong type, unknown key and missing key becomes a problem with its place.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use signalbox_model::SecretName;
use signalbox_model::units::{format_duration, parse_duration, parse_size};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Severity;
use crate::read::position::{line_and_column, offset_in_string};
use crate::read::report::Report;
use crate::read::suggest::{list, nearest};

/// One value, with the name that a person knows it by.
pub(crate) struct Value<'a> {
    pub(crate) report: &'a Report<'a>,
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    value: &'a DeValue<'a>,
}

/// A table, after its keys were compared with the known ones.
pub(crate) struct Table<'a> {
    pub(crate) report: &'a Report<'a>,
    /// `[source]`, `destination 2`; empty for the file itself.
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    table: &'a DeTable<'a>,
}

/// A text value.
#[derive(Clone)]
pub(crate) struct Text<'a> {
    pub(crate) report: &'a Report<'a>,
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) text: &'a str,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(crate) fn file(report: &'a Report<'a>, table: &'a DeTable<'a>, known: &[&str]) -> Self {
        let table = Self { report, name: String::new(), span: 0..0, table };
        table.refuse_unknown(known);
        table
    }

    fn refuse_unknown(&self, known: &[&str]) {
        for key in self.table.keys() {
            let word: &str = key.get_ref();
            if known.contains(&word) {
                continue;
            }
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            let shown: String = word.chars().take(64).collect();
            let suggestion = nearest(word, known.iter().copied());
            let message = match suggestion {
                Some(_) => format!("unknown key '{shown}'{place}"),
                None => format!("unknown key '{shown}'{place}; known here: {}", list(known.iter().copied())),
            };
            self.report.say(Severity::Error, key.span(), "unknown-key", message, suggestion);
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        let (at, value) = self.table.get_key_value(key)?;
        // A table made by dotted keys has no place of its own.
        let span = if value.span().is_empty() { at.span() } else { value.span() };
        Some(Value { report: self.report, name: key.to_owned(), span, value: value.get_ref() })
    }

    /// The value of a key that has no default; `why` ends the sentence "'path' is missing: …".
    pub(crate) fn require(&self, key: &str, why: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            let place = if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) };
            self.report.error(self.span.clone(), "missing-key", format!("'{key}' is missing{place}: {why}"));
        }
        value
    }

    pub(crate) fn require_text(&self, key: &str, why: &str) -> Option<Text<'a>> {
        self.require(key, why)?.text()
    }

    /// None where it is absent; the outer none where it is there and wrong.
    pub(crate) fn optional_text(&self, key: &str) -> Option<Option<Text<'a>>> {
        self.get(key).map_or(Some(None), |value| value.text().map(Some))
    }

    pub(crate) fn duration(&self, key: &str, default: Duration, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.get(key).map_or(Some(default), |value| value.text()?.duration(range))
    }

    pub(crate) fn boolean(&self, key: &str, default: bool) -> Option<bool> {
        self.get(key).map_or(Some(default), |value| value.boolean())
    }

    /// Every key with its value, in the order of the keys.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> + '_ {
        self.table.iter().map(|(key, value)| {
            let text: &str = key.get_ref();
            let name = text.to_owned();
            let key = Text { report: self.report, name: name.clone(), span: key.span(), text };
            (key, Value { report: self.report, name, span: value.span(), value: value.get_ref() })
        })
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>) {
        self.report.error(self.span.clone(), code, message);
    }

    pub(crate) fn warn(&self, code: &'static str, message: impl Into<String>) {
        self.report.say(Severity::Warning, self.span.clone(), code, message, None);
    }
}

impl<'a> Value<'a> {
    fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        let (name, found) = (&self.name, self.value.type_str());
        self.error("wrong-type", format!("'{name}' must be {expected}, and is of type {found}"));
        None
    }

    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>) {
        self.report.error(self.span.clone(), code, message);
    }

    pub(crate) fn warn(&self, code: &'static str, message: impl Into<String>) {
        self.report.say(Severity::Warning, self.span.clone(), code, message, None);
    }

    pub(crate) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    pub(crate) fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub(crate) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(crate) fn as_whole_number(&self) -> Option<i64> {
        let number = self.value.as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    pub(crate) fn text(&self) -> Option<Text<'a>> {
        match self.value.as_str() {
            // The value may be borrowed from the file or decoded from escapes; both live as long as the document.
            Some(text) => Some(Text { report: self.report, name: self.name.clone(), span: self.span.clone(), text }),
            None => self.wrong_type("text in quotes"),
        }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_type("true or false"))
    }

    pub(crate) fn whole_number(&self, range: RangeInclusive<i64>) -> Option<i64> {
        if !self.value.is_integer() {
            return self.wrong_type("a whole number");
        }
        self.as_whole_number().filter(|number| range.contains(number)).or_else(|| {
            let (name, low, high) = (&self.name, range.start(), range.end());
            self.error("out-of-range", format!("'{name}' must be from {low} to {high}"));
            None
        })
    }

    /// A share from 0 to 1.
    pub(crate) fn share(&self) -> Option<f64> {
        self.number()?.filter(|share| (0.0..=1.0).contains(share)).or_else(|| {
            self.error("out-of-range", format!("'{}' must be from 0 to 1", self.name));
            None
        })
    }

    /// Something per second: 0.001 to `most`, so that a wait has an end.
    pub(crate) fn rate(&self, most: f64) -> Option<f64> {
        self.number()?.filter(|rate| (0.001..=most).contains(rate)).or_else(|| {
            self.error("out-of-range", format!("'{}' must be from 0.001 to {most}", self.name));
            None
        })
    }

    /// The inner `None`: a number that no float holds.
    fn number(&self) -> Option<Option<f64>> {
        match self.value {
            DeValue::Float(float) => Some(float.as_str().parse::<f64>().ok()),
            DeValue::Integer(_) => Some(self.as_whole_number().map(|number| number as f64)),
            _ => self.wrong_type("a number"),
        }
    }

    /// At most `most` values; `item` names one of them, counted from 1.
    pub(crate) fn list(&self, most: usize, item: &str) -> Option<Vec<Value<'a>>> {
        let Some(array) = self.value.as_array() else { return self.wrong_type("a list") };
        if array.len() > most {
            let (name, count) = (&self.name, array.len());
            self.error("out-of-range", format!("'{name}' has {count} entries; at most {most} are allowed"));
            return None;
        }
        let named = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| Value {
            report: self.report,
            name: format!("{item} {}", index + 1),
            span: if value.span().is_empty() { self.span.clone() } else { value.span() },
            value: value.get_ref(),
        };
        Some(array.iter().enumerate().map(named).collect())
    }

    /// One text, or a list of 1 to `most` of them.
    pub(crate) fn texts(&self, most: usize) -> Option<Vec<Text<'a>>> {
        if !self.is_list() {
            return Some(vec![self.text()?]);
        }
        let items = self.list(most, &self.name)?;
        if items.is_empty() {
            self.error("wrong-value", format!("'{}' is empty", self.name));
            return None;
        }
        let texts: Vec<Option<Text<'a>>> = items.iter().map(Value::text).collect();
        texts.into_iter().collect()
    }

    pub(crate) fn table(&self, name: impl Into<String>, known: &[&str]) -> Option<Table<'a>> {
        let table = self.open_table(name)?;
        table.refuse_unknown(known);
        Some(table)
    }

    /// A table whose known keys depend on what one of them says; `Table::refuse_unknown_keys` must follow.
    pub(crate) fn open_table(&self, name: impl Into<String>) -> Option<Table<'a>> {
        match self.value.as_table() {
            Some(table) => Some(Table { report: self.report, name: name.into(), span: self.span.clone(), table }),
            None => self.wrong_type("a table"),
        }
    }
}

impl Table<'_> {
    pub(crate) fn refuse_unknown_keys(&self, known: &[&str]) {
        self.refuse_unknown(known);
    }
}

impl<'a> Text<'a> {
    pub(crate) fn error(&self, code: &'static str, message: impl Into<String>) {
        self.report.error(self.span.clone(), code, message);
    }

    pub(crate) fn warn(&self, code: &'static str, message: impl Into<String>) {
        self.report.say(Severity::Warning, self.span.clone(), code, message, None);
    }

    /// As much of the text as belongs into a message.
    pub(crate) fn shown(&self) -> String {
        self.text.chars().take(64).collect()
    }

    /// The value that goes with this word, of a fixed set of words.
    pub(crate) fn one_of<T: Clone>(&self, words: &[(&str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == self.text) {
            return Some(value.clone());
        }
        let known = || words.iter().map(|(word, _)| *word);
        let message = format!("'{}' cannot be '{}': use {}", self.name, self.shown(), list(known()));
        let suggestion = nearest(self.text, known());
        self.report.say(Severity::Error, self.span.clone(), "wrong-value", message, suggestion);
        None
    }

    pub(crate) fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        match parse_duration(self.text) {
            Ok(duration) if range.contains(&duration) => Some(duration),
            Ok(_) => {
                let (low, high) = (format_duration(*range.start()), format_duration(*range.end()));
                self.error("out-of-range", format!("'{}' must be from {low} to {high}", self.name));
                None
            }
            Err(error) => {
                self.error("wrong-duration", format!("'{}': {error}", self.name));
                None
            }
        }
    }

    /// In bytes.
    pub(crate) fn size(&self, range: RangeInclusive<u64>) -> Option<u64> {
        match parse_size(self.text) {
            Ok(size) if range.contains(&size) => Some(size),
            Ok(_) => {
                let (low, high) = (range.start(), range.end() >> 20);
                self.error("out-of-range", format!("'{}' must be from {low}B to {high}MiB", self.name));
                None
            }
            Err(error) => {
                self.error("wrong-size", format!("'{}': {error}", self.name));
                None
            }
        }
    }

    pub(crate) fn secret_name(&self) -> Option<SecretName> {
        SecretName::new(self.text)
            .map_err(|error| {
                let hint = "; write the name of the secret here, never its value";
                self.error("wrong-secret-name", format!("{error}{hint}"));
            })
            .ok()
    }

    /// Where in the file the character at `line` and `column` (from 1) of this text's value stands.
    pub(crate) fn place(&self, line: usize, column: usize) -> (usize, usize) {
        let raw = self.report.text.get(self.span.clone()).unwrap_or_default();
        line_and_column(self.report.text, self.span.start + offset_in_string(raw, line, column))
    }
}
