//! A source's `verify` table.

use std::time::Duration;

use signalbox_model::SecretName;
use signalbox_model::verify::{Scheme, Verify};

use crate::problem::Severity;
use crate::read::hmac;
use crate::read::names::header_name;
use crate::read::suggest::{list, nearest};
use crate::read::value::{Table, Text, Value};

const SCHEMES: [&str; 12] = [
    "standard-webhooks",
    "stripe",
    "github",
    "shopify",
    "slack",
    "hubspot",
    "twilio",
    "bearer",
    "basic",
    "api-key",
    "hmac",
    "none",
];
/// Named in the design, not made yet.
const LATER: [&str; 2] = ["jwt", "salesforce-outbound"];
/// New, old, and some to spare while a rotation goes on.
const MOST_SECRETS: usize = 8;
const TOLERANCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));

pub(crate) fn read(value: &Value<'_>) -> Option<Verify> {
    let table = value.open_table("verify")?;
    let word = table.require_text("scheme", &format!("use {}", list(SCHEMES)))?;
    let keys: &[&str] = match word.text {
        "standard-webhooks" | "stripe" | "slack" | "hubspot" => &["scheme", "secret", "tolerance"],
        "github" | "shopify" | "twilio" | "bearer" => &["scheme", "secret"],
        "basic" => &["scheme", "secret", "username"],
        "api-key" => &["scheme", "secret", "header"],
        "hmac" => &[&["scheme", "secret", "tolerance"][..], &hmac::KEYS[..]].concat(),
        "none" => &["scheme"],
        _ => return refuse(&word),
    };
    table.refuse_unknown_keys(keys);
    let scheme = match word.text {
        "standard-webhooks" => Some(Scheme::StandardWebhooks),
        "stripe" => Some(Scheme::Stripe),
        "github" => Some(Scheme::Github),
        "shopify" => Some(Scheme::Shopify),
        "slack" => Some(Scheme::Slack),
        "hubspot" => Some(Scheme::Hubspot),
        "twilio" => Some(Scheme::Twilio),
        "bearer" => Some(Scheme::Bearer),
        "basic" => username(&table).map(|username| Scheme::Basic { username }),
        "api-key" => table
            .require_text("header", "the header that carries the key")
            .and_then(|text| header_name(&text))
            .map(|header| Scheme::ApiKey { header }),
        "hmac" => hmac::read(&table).map(Scheme::Hmac),
        _ => Some(Scheme::None),
    };
    let secrets = if word.text == "none" { Some(Vec::new()) } else { secrets(&table) };
    let tolerance = table.duration("tolerance", Verify::TOLERANCE, TOLERANCE.0..=TOLERANCE.1);
    Some(Verify { scheme: scheme?, secrets: secrets?, tolerance: tolerance? })
}

fn refuse<T>(word: &Text<'_>) -> Option<T> {
    if LATER.contains(&word.text) {
        word.error("comes-later", format!("the scheme '{}' comes in a later version", word.text));
        return None;
    }
    let message = format!("unknown scheme '{}': use {}", word.shown(), list(SCHEMES));
    let suggestion = nearest(word.text, SCHEMES);
    word.report.say(Severity::Error, word.span.clone(), "unknown-scheme", message, suggestion);
    None
}

pub(crate) fn username(table: &Table<'_>) -> Option<String> {
    let text = table.require_text("username", "the part before the colon")?;
    // RFC 7617 §2: a colon would end the name.
    if text.text.contains(':') || text.text.chars().any(char::is_control) {
        text.error("wrong-value", "'username' cannot contain ':' or control characters");
        return None;
    }
    Some(text.text.to_owned())
}

/// One name, or a list of them during a rotation.
fn secrets(table: &Table<'_>) -> Option<Vec<SecretName>> {
    let value = table.require("secret", "the name of the secret; its value is set by `signalbox secret set NAME`")?;
    if !value.is_list() {
        return Some(vec![value.text()?.secret_name()?]);
    }
    let items = value.list(MOST_SECRETS, "secret")?;
    if items.is_empty() {
        value.error("wrong-value", "'secret' names no secret");
        return None;
    }
    let names: Vec<Option<SecretName>> = items.iter().map(|item| item.text()?.secret_name()).collect();
    names.into_iter().collect()
}
