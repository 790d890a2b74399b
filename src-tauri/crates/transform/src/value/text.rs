//! Strings: shared, appended to in place where there is one owner, counted.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::meter::{self, Charge};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Str(Arc<Text>);

#[derive(Debug)]
struct Text {
    text: String,
    charge: Charge,
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// So that members are found by `&str`.
impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        &self.0.text
    }
}

impl Str {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        meter::check_text(text.len());
        let charge = Charge::of(text.len() + 64);
        Self(Arc::new(Text { text, charge }))
    }

    /// What is not UTF-8 is replaced by U+FFFD, as jq does.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        meter::check_text(bytes.len());
        Self::new(String::from_utf8_lossy(bytes))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0.text
    }

    /// In place where nobody else holds this string, so that a `reduce` that appends stays linear.
    pub(crate) fn append(self, tail: &str) -> Self {
        let mut shared = self.0;
        meter::check_text(shared.text.len().saturating_add(tail.len()));
        match Arc::get_mut(&mut shared) {
            Some(text) => {
                text.charge.grow(tail.len());
                text.text.push_str(tail);
                Self(shared)
            }
            None => {
                let charge = Charge::of(shared.text.len() + tail.len() + 64);
                meter::steps((shared.text.len() + tail.len()) / 4_096);
                let text = [&shared.text, tail].concat();
                Self(Arc::new(Text { text, charge }))
            }
        }
    }

    pub(crate) fn repeat(&self, times: usize) -> Self {
        let bytes = self.as_str().len().saturating_mul(times);
        meter::check_text(bytes);
        let charge = Charge::of(bytes.saturating_add(64));
        Self(Arc::new(Text { text: self.as_str().repeat(times), charge }))
    }
}
