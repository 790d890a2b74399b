//! What a system holds, in the one shape that lets two systems be compared: email → field → text.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// Contacts that one simulated system holds at most.
pub(crate) const MAX_RECORDS: usize = 20_000;
/// Characters of one field.
pub(crate) const MAX_FIELD: usize = 1_000;

/// A contact's fields under the names that the case study uses. Empty fields are absent.
pub(crate) type Fields = BTreeMap<String, String>;

/// The one text of an email: it is what identifies a contact everywhere.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_ascii_lowercase()
}

pub(crate) fn is_email(text: &str) -> bool {
    text.len() <= 254
        && !text.chars().any(char::is_whitespace)
        && text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// A field's value as text: 7 and "7" are the same content, as HubSpot keeps every property as text.
pub(crate) fn field_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// SHA-256 over all contacts. The order in which they came does not matter; every field does.
pub(crate) fn hash<'a>(contacts: impl IntoIterator<Item = (&'a str, &'a Fields)>) -> String {
    let sorted: BTreeMap<&str, &Fields> = contacts.into_iter().collect();
    let mut digest = Context::new(&SHA256);
    // Lengths go in as well, so that no text can look like a boundary.
    let mut add = |text: &str| {
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    for (email, fields) in sorted {
        add(email);
        add(&fields.len().to_string());
        for (name, value) in fields {
            add(name);
            add(value);
        }
    }
    crate::secrets::hex(digest.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_hash_does_not_depend_on_order_and_depends_on_every_field() {
        let (ada, bo) = (fields(&[("firstname", "Ada")]), fields(&[("firstname", "Bo")]));
        let hashed = |contacts: &[(&'static str, &Fields)]| hash(contacts.iter().map(|(email, f)| (*email, *f)));
        assert_eq!(hashed(&[("a@x", &ada), ("b@x", &bo)]), hashed(&[("b@x", &bo), ("a@x", &ada)]));
        assert_ne!(hashed(&[("a@x", &ada)]), hashed(&[("a@x", &bo)]));
        assert_ne!(hashed(&[("a@x", &ada), ("b@x", &bo)]), hashed(&[("a@x", &bo), ("b@x", &ada)]));
        assert_ne!(hashed(&[]), hashed(&[("a@x", &Fields::new())]));
        let split = fields(&[("ab", "c")]);
        let moved = fields(&[("a", "bc")]);
        assert_ne!(hashed(&[("a@x", &split)]), hashed(&[("a@x", &moved)]));
    }

    #[test]
    fn a_number_and_its_text_are_the_same_content() {
        let value: Value = serde_json::from_str("1.10").unwrap();
        assert_eq!(field_text(&value).as_deref(), Some("1.10"));
        assert_eq!(field_text(&Value::from(7)), field_text(&Value::from("7")));
        assert_eq!(field_text(&serde_json::json!({})), None);
    }

    #[test]
    fn emails_are_told_from_other_text() {
        for good in ["a@b", "Ada.Berger@Northwind.test", "a+b@c.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a b@c", &format!("{}@x", "a".repeat(254))] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
