//! Which dead letters are "the same": integration, destination, stage, kind, status and a normalised message.

use std::sync::LazyLock;

use regex::Regex;
use signalbox_model::{FailureKind, GroupId, Stage};

/// Parts of a message that differ between failures of one cause, most specific first.
static VARIABLE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "<uuid>"),
        (r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?", "<time>"),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", "<email>"),
        (r#""[^"]*""#, "<value>"),
        (r"'[^']*'", "<value>"),
        (r"\b(evt|dlv|att|grp|rpl)_[0-9a-z]{26}\b", "<id>"),
        (r"\d{4,}", "<number>"),
    ]
    .into_iter()
    .filter_map(|(pattern, name)| Regex::new(pattern).ok().map(|regex| (regex, name)))
    .collect()
});

/// Messages are compared by their first 300 characters.
const COMPARED: usize = 300;

pub fn normalise(message: &str) -> String {
    let mut text: String = message.chars().take(COMPARED).collect();
    for (pattern, name) in VARIABLE.iter() {
        if let std::borrow::Cow::Owned(replaced) = pattern.replace_all(&text, *name) {
            text = replaced;
        }
    }
    text
}

/// The same failure has the same id on every machine and after every restart.
pub fn group_id(
    integration: &str,
    destination: &str,
    stage: Stage,
    kind: FailureKind,
    status: Option<u16>,
    message: &str,
) -> GroupId {
    let mut hasher = blake3::Hasher::new();
    let status = status.map(|status| status.to_string()).unwrap_or_default();
    for part in [integration, destination, stage.as_str(), kind.as_str(), &status, &normalise(message)] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut bits = [0; 16];
    bits.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    GroupId::from_bits(u128::from_be_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_only_in_ids_times_and_values_are_one_group() {
        let id = |message| group_id("a", "b", Stage::Deliver, FailureKind::Rejected, Some(422), message);
        assert_eq!(
            id("contact 00351234 of ana@example.com not found at 2026-11-21T14:03:18Z"),
            id("contact 99887766 of j.meyer@example.org not found at 2026-11-22T01:00:00Z")
        );
        assert_eq!(id(r#"unknown field "zip""#), id(r#"unknown field "city""#));
        assert_ne!(id("/zip is required"), id("/city is required"));
    }

    #[test]
    fn another_status_or_destination_is_another_group() {
        let id = |to, status| group_id("a", to, Stage::Deliver, FailureKind::Server, Some(status), "no");
        assert_ne!(id("x", 500), id("x", 502));
        assert_ne!(id("x", 500), id("y", 500));
    }
}
